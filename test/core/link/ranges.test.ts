import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isDockError } from '../../../src/core/errors.ts';
import type { Read } from '../../../src/core/link/message.ts';
import { LinePace } from '../../../src/core/link/pace.ts';
import { ClipRanges } from '../../../src/core/link/ranges.ts';

const ranges = suite('ranges');
const clip = Uint8Array.from({ length: 40_000 }, (_, index) => (index * 31 + (index >> 8)) & 0xff);

interface Asked extends Read {
  readonly request: number;
}

/** A camera that answers in order; `lose` decides about each READ and each DATA. */
function transfer(part: { from: number; to: number }, lose: () => boolean): Uint8Array {
  const pace = new LinePace(115_200);
  const plan = new ClipRanges({
    counter: 1,
    fromByte: part.from,
    toByte: part.to,
    pace,
    rangesAhead: 2,
  });
  const got: number[] = [];
  const queue: Asked[] = [];
  let request = 0;
  while (!plan.done) {
    for (let read = plan.nextRead(++request); read; read = plan.nextRead(++request)) {
      if (!lose()) queue.push({ ...read, request });
    }
    const asked = queue.shift();
    if (asked === undefined) plan.loseAll();
    else answer(plan, asked, lose);
    for (let bytes = plan.whole(); bytes; bytes = plan.whole()) {
      got.push(...bytes);
      plan.taken();
    }
  }
  return Uint8Array.from(got);
}

function answer(plan: ClipRanges, asked: Asked, lose: () => boolean): void {
  const end = asked.offset + asked.lengthBytes;
  for (let at = asked.offset; at < end; at += asked.dataBytes) {
    const bytes = clip.slice(at, Math.min(at + asked.dataBytes, end));
    if (!lose()) assert.ok(plan.accept(asked.request, at, bytes));
  }
}

ranges('brings the bytes asked for, in order, on a clean line', () => {
  const got = transfer({ from: 0, to: clip.length }, () => false);
  assert.equal(Buffer.from(got).equals(clip), true);
});

ranges('brings every byte once, whatever is lost', () => {
  fc.assert(
    fc.property(fc.nat(9_999), fc.nat(30_000), fc.infiniteStream(fc.nat(9)), (from, size, dice) => {
      const got = transfer({ from, to: from + size }, () => dice.next().value < 3);
      assert.ok(Buffer.from(got).equals(clip.subarray(from, from + size)));
    }),
    { numRuns: 60 },
  );
});

ranges('asks for no more than its window', () => {
  const pace = new LinePace(4_000_000);
  const plan = new ClipRanges({ counter: 1, fromByte: 0, toByte: 2 ** 40, pace, rangesAhead: 2 });
  let askedBytes = 0;
  for (let request = 1; request < 100; request++) {
    const read = plan.nextRead(request);
    if (read === undefined) continue;
    askedBytes += read.lengthBytes;
    plan.accept(request, read.offset, new Uint8Array(read.lengthBytes));
  }
  assert.is(askedBytes, 6 * 262_144);
});

ranges('takes no bytes that it did not ask for', () => {
  const pace = new LinePace(4_000_000);
  const plan = new ClipRanges({ counter: 1, fromByte: 0, toByte: 1000, pace, rangesAhead: 2 });
  plan.nextRead(1);
  const some = new Uint8Array(100);
  assert.not(plan.accept(2, 0, some));
  assert.not(plan.accept(1, 950, some));
  assert.not(plan.accept(1, 2 ** 52, some));
  assert.not(plan.accept(1, 0, new Uint8Array(0)));
  assert.ok(plan.accept(1, 100, some));
  assert.not(plan.accept(1, 100, some));
});

ranges('asks again, as often as it takes, what the camera was too busy for', () => {
  const pace = new LinePace(4_000_000);
  const plan = new ClipRanges({ counter: 1, fromByte: 0, toByte: 1000, pace, rangesAhead: 2 });
  for (let request = 1; request < 100; request++) {
    assert.is(plan.nextRead(request)?.lengthBytes, 1000);
    plan.putBack(request);
    assert.is(plan.inFlight, 0);
  }
  plan.nextRead(100);
  assert.ok(plan.accept(100, 0, new Uint8Array(1000)));
  assert.is(plan.whole()?.length, 1000);
});

ranges('gives up a range that never comes', () => {
  const pace = new LinePace(4_000_000);
  const plan = new ClipRanges({ counter: 1, fromByte: 0, toByte: 10, pace, rangesAhead: 2 });
  assert.throws(
    () => {
      for (let request = 1; request < 1000; request++) {
        plan.nextRead(request);
        plan.loseAll();
      }
    },
    (error: unknown) => isDockError(error, 'CAMERA_FULL_OF_ERRORS'),
  );
});

ranges('makes frames smaller on a line that loses many, and larger when it is clean again', () => {
  const pace = new LinePace(921_600);
  const before = pace.dataBytes;
  for (let i = 0; i < 100; i++) {
    pace.noteArrived();
    if (i % 4 === 0) pace.noteLost(1);
  }
  const noisy = pace.dataBytes;
  assert.ok(noisy < before);
  for (let i = 0; i < 1000; i++) pace.noteArrived();
  assert.is(pace.dataBytes, pace.dataBytesMax);
});

ranges(
  'asks for whole frames of 64 KiB on a fast line, and for a tenth of a second on a slow one',
  () => {
    assert.is(new LinePace(4_000_000).dataBytes, 65_536);
    assert.ok(new LinePace(115_200).dataBytesMax <= 1152);
    assert.ok(new LinePace(9_600).dataBytes >= 64);
  },
);

ranges.run();

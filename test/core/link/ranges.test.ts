import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isDockError } from '../../../src/core/errors.ts';
import { LinePace } from '../../../src/core/link/pace.ts';
import { type AskedRead, ClipRanges } from '../../../src/core/link/ranges.ts';

const ranges = suite('ranges');
const onOver = () => undefined;
const clip = Uint8Array.from({ length: 40_000 }, (_, index) => (index * 31 + (index >> 8)) & 0xff);

interface Asked extends AskedRead {
  readonly request: number;
}

/** A camera that answers in order; `lose` decides about each READ and each DATA. */
function transfer(part: { from: number; to: number }, lose: () => boolean): Uint8Array {
  const pace = new LinePace(115_200);
  // As the reader has them: nothing may be put into a window that is over.
  const windows = new Set<number>();
  const plan = new ClipRanges({
    spare: [],
    counter: 1,
    fromByte: part.from,
    toByte: part.to,
    pace,
    rangesAhead: 2,
    onOver: (over) => void windows.delete(over),
  });
  const got: number[] = [];
  const queue: Asked[] = [];
  let request = 0;
  while (!plan.done) {
    for (let read = plan.nextRead(++request); read; read = plan.nextRead(++request)) {
      windows.add(request);
      if (!lose()) queue.push({ ...read, request });
    }
    const asked = queue.shift();
    if (asked === undefined) plan.loseAll();
    else if (windows.has(asked.request)) answer(plan, asked, lose);
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
    if (lose()) continue;
    asked.window.set(bytes, at - asked.offset);
    assert.ok(plan.accept(asked.request, at - asked.offset, bytes.length, 1));
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
  const plan = new ClipRanges({
    spare: [],
    counter: 1,
    fromByte: 0,
    toByte: 2 ** 40,
    pace,
    rangesAhead: 2,
    onOver,
  });
  let askedBytes = 0;
  for (let request = 1; request < 1_000; request++) {
    const read = plan.nextRead(request);
    if (read === undefined) continue;
    askedBytes += read.lengthBytes;
    plan.accept(request, 0, read.lengthBytes, 1);
  }
  assert.is(askedBytes, 4 * pace.rangeBytes);
});

ranges('takes no bytes that it did not ask for', () => {
  const pace = new LinePace(4_000_000);
  const plan = new ClipRanges({
    spare: [],
    counter: 1,
    fromByte: 0,
    toByte: 1000,
    pace,
    rangesAhead: 2,
    onOver,
  });
  plan.nextRead(1);
  assert.not(plan.accept(2, 0, 100, 1));
  assert.not(plan.accept(1, 950, 100, 1));
  assert.not(plan.accept(1, 2 ** 52, 100, 1));
  assert.not(plan.accept(1, 0, 0, 1));
  assert.ok(plan.accept(1, 100, 100, 1));
  assert.not(plan.accept(1, 100, 100, 1));
});

ranges('asks again, as often as it takes, what the camera was too busy for', () => {
  const pace = new LinePace(4_000_000);
  const plan = new ClipRanges({
    spare: [],
    counter: 1,
    fromByte: 0,
    toByte: 1000,
    pace,
    rangesAhead: 2,
    onOver,
  });
  for (let request = 1; request < 100; request++) {
    assert.is(plan.nextRead(request)?.lengthBytes, 1000);
    plan.putBack(request);
    assert.is(plan.inFlight, 0);
  }
  plan.nextRead(100);
  assert.ok(plan.accept(100, 0, 1000, 1));
  assert.is(plan.whole()?.length, 1000);
});

ranges('gives up a range that never comes', () => {
  const pace = new LinePace(4_000_000);
  const plan = new ClipRanges({
    spare: [],
    counter: 1,
    fromByte: 0,
    toByte: 10,
    pace,
    rangesAhead: 2,
    onOver,
  });
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

ranges('asks for several whole frames at a time, and for repeats while more is on its way', () => {
  const pace = new LinePace(921_600);
  const spare: Uint8Array[] = [];
  const options = { counter: 1, fromByte: 0, toByte: 100_000, pace, rangesAhead: 2, onOver, spare };
  const plan = new ClipRanges(options);
  const asked = [1, 2, 3, 4].map((request) => plan.nextRead(request));
  const [first] = asked;
  assert.is(asked.filter((read) => read !== undefined).length, pace.depth);
  assert.ok(first !== undefined && first.lengthBytes >= 2 * first.dataBytes);
  assert.is(first.lengthBytes % first.dataBytes, 0);
  assert.ok(plan.accept(1, first.dataBytes, first.dataBytes, 1));
  const repeat = plan.nextRead(5);
  assert.equal([repeat?.offset, repeat?.lengthBytes], [0, first.dataBytes]);
});

ranges.run();

import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HeldRanges } from '../../../src/core/link/held-ranges.ts';
import { LinePace } from '../../../src/core/link/pace.ts';
import { ClipRanges } from '../../../src/core/link/ranges.ts';

const held = suite('held ranges');
const clip = Uint8Array.from({ length: 60_000 }, (_, index) => (index * 31 + (index >> 8)) & 0xff);

/** The bytes of one clip over several reads, each of which ends when so many frames came. */
class Journey {
  readonly came = new Set<number>();
  readonly taken: number[] = [];
  askedAgain = 0;
  carried: HeldRanges | undefined;
  #request = 0;

  read(baudRate: number, framesMax: number, lose: () => boolean): boolean {
    const plan = new ClipRanges({
      spare: [],
      ...{ counter: 1, fromByte: this.taken.length, toByte: clip.length, rangesAhead: 2 },
      ...{ pace: new LinePace(baudRate), onOver: () => undefined, held: this.carried },
    });
    this.#run(plan, framesMax, lose);
    this.carried = plan.done ? undefined : plan.hold();
    return plan.done;
  }

  #run(plan: ClipRanges, framesMax: number, lose: () => boolean): void {
    let frames = 0;
    while (!plan.done) {
      for (let bytes = plan.whole(); bytes; bytes = plan.whole()) {
        this.taken.push(...bytes);
        plan.taken();
      }
      const request = ++this.#request;
      const read = plan.nextRead(request);
      if (read === undefined) {
        if (plan.inFlight > 0) plan.loseAll();
        continue;
      }
      for (let at = 0; at < read.lengthBytes; at++) {
        if (this.came.has(read.offset + at)) this.askedAgain += 1;
      }
      for (let at = 0; at < read.lengthBytes; at += read.dataBytes) {
        if (frames++ >= framesMax) return;
        if (lose()) continue;
        const end = Math.min(at + read.dataBytes, read.lengthBytes);
        read.window.set(clip.subarray(read.offset + at, read.offset + end), at);
        assert.ok(plan.accept(request, at, end - at, 1));
        for (let byte = at; byte < end; byte++) this.came.add(read.offset + byte);
      }
    }
  }
}

held('no byte that came is asked for again, however often and wherever the reads end', () => {
  const reads = fc.array(
    fc.record({ baud: fc.constantFrom(9_600, 115_200, 3_000_000), frames: fc.nat({ max: 60 }) }),
    { minLength: 1, maxLength: 12 },
  );
  fc.assert(
    fc.property(reads, fc.infiniteStream(fc.nat({ max: 9 })), (cuts, dice) => {
      const journey = new Journey();
      const lose = () => dice.next().value === 0;
      for (const { baud, frames } of cuts) journey.read(baud, frames, lose);
      for (let tries = 0; !journey.read(115_200, 100_000, lose); tries++) assert.ok(tries < 9);
      assert.is(journey.askedAgain, 0);
      assert.ok(Buffer.from(journey.taken).equals(clip));
    }),
    { numRuns: 200 },
  );
});

held('holds no more memory than what came needs', () => {
  const plan = new ClipRanges({
    spare: [],
    ...{ counter: 1, fromByte: 0, toByte: clip.length, rangesAhead: 2 },
    ...{ pace: new LinePace(3_000_000), onOver: () => undefined },
  });
  assert.is(plan.hold(), undefined);
  const read = plan.nextRead(1);
  assert.ok(read !== undefined && read.lengthBytes > 2_000);
  assert.ok(plan.accept(1, 0, 1_000, 1));
  assert.is(plan.hold()?.sizeBytes, 1_000);
});

held('a read that begins elsewhere, or ends before, starts afresh', () => {
  const parts = { counter: 1, rangesAhead: 2, onOver: () => undefined, spare: [] };
  const first = new ClipRanges({
    ...{ ...parts, fromByte: 0, toByte: clip.length, pace: new LinePace(3_000_000) },
  });
  assert.ok(first.nextRead(1) !== undefined);
  assert.ok(first.accept(1, 0, 1_000, 1));
  const left = first.hold();
  assert.ok(left !== undefined);
  for (const [fromByte, toByte] of [
    [64, clip.length],
    [0, 999],
  ] as const) {
    const pace = new LinePace(3_000_000);
    const plan = new ClipRanges({ ...parts, fromByte, toByte, pace, held: left });
    assert.is(plan.nextRead(1)?.offset, fromByte);
  }
});

held.run();

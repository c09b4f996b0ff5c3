import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  BEHIND_BYTES_MAX,
  chooseNext,
  joinBay,
  type ServedBytes,
  TURN_BYTES,
  type WaitingClip,
} from '../../../src/core/dock/ingest-order.ts';

const order = suite('the order of the ingests');

const clip = (bay: number, more: Partial<WaitingClip> = {}): WaitingClip => {
  return { bay, incident: false, startedAtMs: 1_000, counter: 1, ...more };
};
const nobody: ServedBytes = new Map();
const bayOf = (waiting: WaitingClip[], served = nobody): number | undefined =>
  chooseNext(waiting, served, [1, 2, 3, 4, 5, 6, 7, 8])?.bay;

order('nothing waits, nothing is next', () => {
  assert.is(chooseNext([], nobody, []), undefined);
});

order('the oldest recording comes first, whichever camera has it', () => {
  const waiting = [clip(1, { startedAtMs: 30 }), clip(2, { startedAtMs: 10 }), clip(3)];
  assert.is(bayOf(waiting), 2);
});

order('an incident comes before anything older, and the older of two incidents first', () => {
  const old = clip(1, { startedAtMs: 1 });
  const incident = clip(2, { startedAtMs: 50, incident: true });
  const older = clip(3, { startedAtMs: 40, incident: true });
  assert.is(bayOf([old, incident]), 2);
  assert.is(bayOf([old, incident, older]), 3);
});

order('recordings without a time come last, in the order of their counters', () => {
  const untimed = clip(1, { startedAtMs: undefined, counter: 7 });
  const earlier = clip(2, { startedAtMs: undefined, counter: 3 });
  assert.is(bayOf([untimed, clip(3)]), 3);
  assert.is(bayOf([untimed, earlier]), 2);
});

order('a bay that is too far behind comes before an older recording', () => {
  const waiting = [clip(1, { startedAtMs: 1 }), clip(2, { startedAtMs: 2 })];
  assert.is(bayOf(waiting, new Map([[1, BEHIND_BYTES_MAX - 1]])), 1);
  assert.is(bayOf(waiting, new Map([[1, BEHIND_BYTES_MAX]])), 2);
});

order('a bay that comes neither pays for the past nor is paid for it', () => {
  const ahead = new Map([
    [1, 50e9],
    [2, 0],
  ]);
  assert.is(joinBay(ahead, 1, [2]).get(1), 0);
  assert.is(joinBay(ahead, 2, [1]).get(2), 50e9 - BEHIND_BYTES_MAX);
  assert.equal([...joinBay(ahead, 2, [])], [[2, 0]]);
});

interface Simulated {
  readonly served: ServedBytes;
  readonly total: number;
}

interface Scene {
  readonly bays: number;
  readonly places: number;
  /** Of one clip of each bay: the clip is over, and its place free, however short the turn. */
  readonly clipBytes: readonly number[];
  readonly ages: readonly number[];
  readonly turns: number;
}

/** Every bay always has a next clip, and all places move on at the same speed. */
function simulate({ bays, places, clipBytes, ages, turns }: Scene): Simulated {
  const all = Array.from({ length: bays }, (_, index) => index + 1);
  const served = new Map<number, number>();
  let joined: ServedBytes = served;
  for (const bay of all) joined = joinBay(joined, bay, all.slice(0, bay - 1));
  for (const [bay, bytes] of joined) served.set(bay, bytes);
  const placed = new Map<number, number>();
  for (let turn = 0; turn < turns; turn++) {
    while (placed.size < Math.min(places, bays)) {
      const waiting = all.filter((bay) => !placed.has(bay));
      const clips = waiting.map((bay) =>
        clip(bay, { startedAtMs: ages[(turn * 31 + bay) % ages.length] }),
      );
      const next = chooseNext(clips, served, all);
      assert.ok(next !== undefined);
      placed.set(next.bay, Math.min(TURN_BYTES, clipBytes[next.bay - 1] ?? TURN_BYTES));
    }
    const step = Math.min(...placed.values());
    for (const [bay, left] of placed) {
      served.set(bay, (served.get(bay) ?? 0) + step);
      if (left === step) placed.delete(bay);
      else placed.set(bay, left - step);
    }
  }
  const total = [...served.values()].reduce((sum, bytes) => sum + bytes, 0);
  return { served, total };
}

const scene = fc.integer({ min: 1, max: 8 }).chain((bays) =>
  fc.record({
    bays: fc.constant(bays),
    places: fc.integer({ min: 1, max: 8 }),
    clipBytes: fc.array(fc.integer({ min: 200_000, max: 3 * TURN_BYTES }), {
      minLength: bays,
      maxLength: bays,
    }),
    ages: fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 12 }),
    turns: fc.constant(3_000),
  }),
);

order('no bay falls further behind another than the bound, whatever the clips', () => {
  fc.assert(
    fc.property(scene, (given) => {
      const { served } = simulate(given);
      const amounts = [...served.values()];
      const spread = Math.max(...amounts) - Math.min(...amounts);
      assert.ok(spread <= BEHIND_BYTES_MAX + (given.bays + 1) * TURN_BYTES, `${spread} bytes`);
    }),
    { numRuns: 60 },
  );
});

order('no bay gets less than half of its fair share in the long run', () => {
  fc.assert(
    fc.property(scene, (given) => {
      const { served, total } = simulate(given);
      const enough = 4 * given.bays * (BEHIND_BYTES_MAX + (given.bays + 1) * TURN_BYTES);
      fc.pre(total >= enough);
      for (const bytes of served.values()) assert.ok(bytes >= total / given.bays / 2);
    }),
    { numRuns: 60 },
  );
});

order('an incident is next whenever one waits', () => {
  const waiting = fc.record({
    bay: fc.integer({ min: 1, max: 8 }),
    incident: fc.boolean(),
    startedAtMs: fc.option(fc.nat(), { nil: undefined }),
    counter: fc.nat(99),
  });
  const served = fc.array(fc.tuple(fc.integer({ min: 1, max: 8 }), fc.nat()));
  fc.assert(
    fc.property(fc.array(waiting, { minLength: 1 }), served, (clips, amounts) => {
      const next = chooseNext(clips, new Map(amounts), [1, 2, 3]);
      assert.is(
        next?.incident,
        clips.some(({ incident }) => incident),
      );
    }),
  );
});

order.run();

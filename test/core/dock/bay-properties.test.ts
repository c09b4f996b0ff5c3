import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ALARM_CODES } from '../../../src/core/dock/alarms.ts';
import { nextBay } from '../../../src/core/dock/bay.ts';
import { type BayInput, emptyBay } from '../../../src/core/dock/bay-state.ts';
import { bayStatus, phaseOf } from '../../../src/core/dock/bay-status.ts';
import type { ErrorCode } from '../../../src/core/errors.ts';
import type { CameraSerial } from '../../../src/core/evidence/clip.ts';

const bay = suite('bay, for any inputs');

const CODES: readonly ErrorCode[] = [
  'LINK_TIMEOUT',
  'LINK_CLOSED',
  'LINK_FOREIGN',
  'SERIAL_FAILED',
  'CAMERA_UNKNOWN',
  'CLIP_DIGEST_MISMATCH',
  'RECEIPT_REFUSED',
  'VAULT_FULL',
  'SEAL_FAILED',
  'CUSTODY_UNWRITABLE',
  'NATIVE_UNAVAILABLE',
  'CANCELLED',
];
const counter = fc.integer({ min: 1, max: 4 });
const line = fc.constantFrom(undefined, true, false);
const listed = fc.record({ counter, sizeBytes: fc.nat(3), incident: fc.boolean() });
const constant = (kind: 'present' | 'clock-set' | 'unplugged' | 'resumed') =>
  fc.constant<BayInput>({ kind });
const about = (
  kind: 'clip-vaulted' | 'clip-released' | 'clip-quarantined' | 'held' | 'nothing-to-hold',
) => counter.map((number): BayInput => ({ kind, counter: number }));

const input: fc.Arbitrary<BayInput> = fc.oneof(
  constant('present'),
  constant('clock-set'),
  constant('unplugged'),
  constant('resumed'),
  fc.record({
    kind: fc.constant('hello' as const),
    serial: fc.constantFrom('CAM-1' as CameraSerial, 'CAM-2' as CameraSerial),
    lastCounter: fc.nat(4),
  }),
  fc.record({
    kind: fc.constant('inventory' as const),
    clips: fc.uniqueArray(listed, { maxLength: 3, selector: (clip) => clip.counter }),
    refusedCount: fc.constantFrom(0, 0, 0, 1),
  }),
  fc.record({
    kind: fc.constant('report' as const),
    report: fc.record({
      batteryPercent: fc.option(fc.nat(100), { nil: undefined }),
      charging: fc.boolean(),
      storageBytes: fc.nat(),
      storageFreeBytes: fc.nat(),
      firmware: fc.string(),
      clockQuality: fc.constantFrom('unset' as const, 'dock' as const),
      clockOffsetMs: fc.integer(),
    }),
  }),
  fc.record({ kind: fc.constant('progress' as const), counter, doneBytes: fc.integer() }),
  about('clip-vaulted'),
  about('clip-released'),
  about('clip-quarantined'),
  about('held'),
  about('nothing-to-hold'),
  fc.record({ kind: fc.constant('failed' as const), code: fc.constantFrom(...CODES) }),
  fc.record({ kind: fc.constant('waiting' as const), code: fc.constantFrom(...ALARM_CODES) }),
  fc.record({ kind: fc.constant('sensors' as const), present: line, charged: line }),
  fc.record({
    kind: fc.constant('press' as const),
    press: fc.constantFrom('short' as const, 'long' as const),
  }),
);

/** What an observer knows who only remembers what the camera listed last and what it let go of since. */
class Observer {
  left = new Set<number>();
  hasListed = false;

  see(heard: BayInput): void {
    if (heard.kind === 'hello' || heard.kind === 'present' || heard.kind === 'unplugged') {
      this.hasListed = false;
    }
    if (heard.kind === 'inventory') {
      this.hasListed = true;
      this.left = new Set(heard.clips.map((clip) => clip.counter));
      if (heard.refusedCount > 0) this.left.add(0);
    }
    if (heard.kind === 'clip-released') this.left.delete(heard.counter);
    if (heard.kind === 'clip-vaulted' || heard.kind === 'clip-quarantined') {
      // A later word about a clip takes back that it was let go.
      if (this.#listed.has(heard.counter)) this.left.add(heard.counter);
    }
    if (heard.kind === 'inventory') this.#listed = new Set(this.left);
  }

  #listed = new Set<number>();
}

const history = fc.array(input, { maxLength: 30 });
/** Mostly sensible, so that `safe` is reached often. */
const session = fc
  .tuple(
    history,
    fc.array(fc.oneof(about('clip-vaulted'), about('clip-released'), about('held'), input), {
      maxLength: 12,
    }),
  )
  .map(([before, after]): BayInput[] => [
    ...before,
    { kind: 'present' },
    { kind: 'hello', serial: 'CAM-1' as CameraSerial, lastCounter: 4 },
    { kind: 'clock-set' },
    {
      kind: 'inventory',
      clips: [
        { counter: 1, sizeBytes: 2, incident: false },
        { counter: 2, sizeBytes: 0, incident: true },
      ],
      refusedCount: 0,
    },
    ...after,
  ]);

bay('never says safe while a clip is not released', () => {
  let safeCount = 0;
  const property = fc.property(session, (inputs) => {
    let state = emptyBay(1);
    const observer = new Observer();
    for (const each of inputs) {
      state = nextBay(state, each).state;
      observer.see(each);
      const phase = phaseOf(state);
      if (phase !== 'safe' && phase !== 'held') continue;
      safeCount++;
      if (!observer.hasListed || observer.left.size > 0) return false;
    }
    return true;
  });
  fc.assert(property, { numRuns: 3000 });
  assert.ok(safeCount > 100, `safe was reached only ${safeCount} times`);
});

bay(
  'answers every input in every state, and tells a change of light or status as an effect',
  () => {
    const property = fc.property(history, (inputs) => {
      let state = emptyBay(1);
      for (const each of inputs) {
        const step = nextBay(state, each);
        const before = bayStatus(state);
        const after = bayStatus(step.state);
        const shown = step.effects.filter((effect) => effect.kind === 'show').length;
        assert.is(shown, before.light === after.light ? 0 : 1);
        assert.ok(after.progressPercent >= 0 && after.progressPercent <= 100);
        assert.is((after.code === null) === !['waiting', 'trouble'].includes(after.phase), true);
        state = step.state;
      }
    });
    fc.assert(property, { numRuns: 2000 });
  },
);

bay('is dark and forgets the camera once it is unplugged and no presence line disagrees', () => {
  const property = fc.property(history, (inputs) => {
    let state = emptyBay(1);
    for (const each of inputs) state = nextBay(state, each).state;
    state = nextBay(state, { kind: 'sensors', present: undefined, charged: undefined }).state;
    state = nextBay(state, { kind: 'unplugged' }).state;
    assert.is(phaseOf(state), 'empty');
    assert.is(state.camera, undefined);
    assert.equal(state.clips, []);
  });
  fc.assert(property, { numRuns: 1000 });
});

bay.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nextBay } from '../../../src/core/dock/bay.ts';
import {
  type BayEffect,
  type BayInput,
  type BayState,
  emptyBay,
} from '../../../src/core/dock/bay-state.ts';
import { bayStatus, lightOf, phaseOf } from '../../../src/core/dock/bay-status.ts';
import type { CameraSerial } from '../../../src/core/evidence/clip.ts';

const bay = suite('bay');

const CAMERA = 'CAM-1' as CameraSerial;
const OTHER = 'CAM-2' as CameraSerial;
const hello: BayInput = { kind: 'hello', serial: CAMERA, lastCounter: 9 };

function play(inputs: readonly BayInput[], from: BayState = emptyBay(1)) {
  let state = from;
  const effects: BayEffect[] = [];
  for (const input of inputs) {
    const step = nextBay(state, input);
    state = step.state;
    effects.push(...step.effects);
  }
  return { state, effects, phase: phaseOf(state), light: lightOf(state) };
}

const last = (state: BayState, input: BayInput) => play([input], state);
const clip = (counter: number, incident = false) => ({ counter, sizeBytes: 100, incident });
const inventory = (...clips: ReturnType<typeof clip>[]): BayInput => ({
  kind: 'inventory',
  clips,
  refusedCount: 0,
});
const listing = (...clips: ReturnType<typeof clip>[]): BayInput[] => [
  { kind: 'present' },
  hello,
  { kind: 'clock-set' },
  inventory(...clips),
];
const saved = (counter: number): BayInput[] => [
  { kind: 'clip-vaulted', counter },
  { kind: 'clip-released', counter },
];
const lights = (effects: readonly BayEffect[]) =>
  effects.flatMap((effect) => (effect.kind === 'show' ? [effect.light] : []));
const alarmsOf = (effects: readonly BayEffect[]) =>
  effects.flatMap((effect) =>
    effect.kind === 'alarm' || effect.kind === 'clear-alarm'
      ? [`${effect.kind} ${effect.code}`]
      : [],
  );

bay('keeps what a camera says of itself until it is gone, and tells of each change', () => {
  const report = {
    ...{ batteryPercent: 50, charging: true, storageBytes: 10, storageFreeBytes: 5 },
    ...{ firmware: '1.0', clockQuality: 'dock' as const, clockOffsetMs: 0 },
  };
  const tell = (batteryPercent: number): BayInput => {
    return { kind: 'report', report: { ...report, batteryPercent } };
  };
  const docked = play(listing());
  assert.is(bayStatus(docked.state).report, null);
  const told = last(docked.state, tell(50));
  assert.is(bayStatus(told.state).report?.batteryPercent, 50);
  const kinds = (effects: readonly BayEffect[]) => effects.map(({ kind }) => kind);
  assert.equal(kinds(told.effects), ['publish']);
  assert.equal(kinds(last(told.state, tell(50)).effects), []);
  assert.equal(kinds(last(told.state, tell(51)).effects), ['publish']);
  const gone = last(told.state, { kind: 'unplugged' }).state;
  assert.is(bayStatus(gone).report, null);
  assert.is(bayStatus(last(gone, tell(50)).state).report, null, 'too late');
  const other = last(told.state, { kind: 'hello', serial: OTHER, lastCounter: 1 }).state;
  assert.is(bayStatus(other).report, null);
});

bay('goes from dark over amber to green as a camera is emptied', () => {
  const { effects, phase } = play([...listing(clip(8), clip(9)), ...saved(8), ...saved(9)]);
  assert.is(phase, 'safe');
  assert.equal(lights(effects), ['slow-amber', 'steady-green']);
});

bay('stays amber while a clip is vaulted but the camera has not let go of it', () => {
  const { state, phase } = play([...listing(clip(9)), { kind: 'clip-vaulted', counter: 9 }]);
  assert.is(phase, 'working');
  assert.is(last(state, { kind: 'clip-released', counter: 9 }).phase, 'safe');
});

bay('is not green before the clock is set or while the battery fills', () => {
  const unset = play([{ kind: 'present' }, hello, inventory()]);
  assert.is(unset.phase, 'working');
  const set = last(unset.state, { kind: 'clock-set' });
  assert.is(set.phase, 'safe');
  const filling = last(set.state, { kind: 'sensors', present: undefined, charged: false });
  assert.is(filling.light, 'slow-amber');
  const full = last(filling.state, { kind: 'sensors', present: undefined, charged: true });
  assert.is(full.light, 'steady-green');
});

bay('blinks twice only when the incident is held and everything is safe', () => {
  const released = play([...listing(clip(9, true)), ...saved(9)]);
  assert.is(released.phase, 'working');
  const held = last(released.state, { kind: 'held', counter: 9 });
  assert.is(held.light, 'green-double-blink');
  const early = play([...listing(clip(9, true)), { kind: 'held', counter: 9 }]);
  assert.is(early.phase, 'working');
});

bay('turns red for a camera that the dock refuses, and dark when it is taken', () => {
  const refused = play([{ kind: 'present' }, { kind: 'failed', code: 'CAMERA_UNKNOWN' }]);
  assert.is(refused.light, 'fast-red');
  assert.is(bayStatus(refused.state).code, 'CAMERA_UNKNOWN');
  assert.equal(alarmsOf(refused.effects), ['alarm CAMERA_UNKNOWN']);
  const gone = last(refused.state, { kind: 'unplugged' });
  assert.is(gone.light, 'off');
  assert.equal(alarmsOf(gone.effects), ['clear-alarm CAMERA_UNKNOWN']);
});

bay('goes on with the other clips when one fails a check, then sends to the supervisor', () => {
  const working = play([...listing(clip(8), clip(9)), { kind: 'clip-quarantined', counter: 8 }]);
  assert.is(working.light, 'slow-amber');
  assert.equal(alarmsOf(working.effects), ['alarm CLIP_QUARANTINED']);
  const done = play(saved(9), working.state);
  assert.is(done.light, 'fast-red');
  assert.is(bayStatus(done.state).code, 'CLIP_QUARANTINED');
  const retried = play(saved(8), done.state);
  assert.is(retried.light, 'steady-green');
});

bay('is never green over a record that does not hold', () => {
  const { phase } = play([...listing(), { kind: 'inventory', clips: [], refusedCount: 1 }]);
  assert.is(phase, 'trouble');
});

bay('waits in steady amber when the vault is full, and goes on by itself', () => {
  const full = play([...listing(clip(9)), { kind: 'failed', code: 'VAULT_FULL' }]);
  assert.is(full.light, 'steady-amber');
  assert.equal(alarmsOf(full.effects), ['alarm VAULT_FULL']);
  const resumed = last(full.state, { kind: 'resumed' });
  assert.is(resumed.light, 'slow-amber');
  assert.equal(alarmsOf(resumed.effects), ['clear-alarm VAULT_FULL']);
  const empty = play([...listing(), { kind: 'waiting', code: 'VAULT_FULL' }]);
  assert.is(empty.light, 'steady-green', 'nothing is left to store');
});

bay('says that a camera was taken early, and stops saying so when it came back', () => {
  const taken = play([...listing(clip(8), clip(9)), ...saved(8), { kind: 'unplugged' }]);
  assert.is(taken.light, 'off');
  assert.equal(alarmsOf(taken.effects), ['alarm CAMERA_TAKEN_EARLY']);
  const record = taken.effects.find((effect) => effect.kind === 'taken-early');
  assert.equal(record, { kind: 'taken-early', camera: CAMERA, clipsLeft: 1 });
  const back = play([...listing(clip(9)), ...saved(9)], taken.state);
  assert.equal(alarmsOf(back.effects), ['clear-alarm CAMERA_TAKEN_EARLY']);
});

bay('says so too when the dock could not yet look', () => {
  const { effects } = play([{ kind: 'present' }, hello, { kind: 'unplugged' }]);
  const record = effects.find((effect) => effect.kind === 'taken-early');
  assert.equal(record, { kind: 'taken-early', camera: CAMERA, clipsLeft: undefined });
});

bay('does not blame an officer who takes a safe camera, or one in trouble', () => {
  const safe = play([...listing(clip(9)), ...saved(9), { kind: 'unplugged' }]);
  assert.not(alarmsOf(safe.effects).includes('alarm CAMERA_TAKEN_EARLY'));
  const trouble = play([
    ...listing(clip(9)),
    { kind: 'failed', code: 'RECEIPT_REFUSED' },
    { kind: 'unplugged' },
  ]);
  assert.equal(alarmsOf(trouble.effects), ['alarm RECEIPT_REFUSED', 'clear-alarm RECEIPT_REFUSED']);
});

bay('keeps what it knows over a bad line, and asks the camera again before it is green', () => {
  const cut = play([
    ...listing(clip(9)),
    { kind: 'clip-vaulted', counter: 9 },
    { kind: 'failed', code: 'LINK_TIMEOUT' },
  ]);
  assert.is(cut.phase, 'greeting');
  assert.is(last(cut.state, { kind: 'clip-released', counter: 9 }).phase, 'greeting');
  const back = play([{ kind: 'present' }, hello, { kind: 'clock-set' }, inventory()], cut.state);
  assert.is(back.phase, 'safe');
});

bay('takes a swap of cameras for a removal and an arrival', () => {
  const swapped = play([...listing(clip(9)), { kind: 'hello', serial: OTHER, lastCounter: 0 }]);
  assert.equal(alarmsOf(swapped.effects), ['alarm CAMERA_TAKEN_EARLY']);
  assert.is(swapped.state.camera?.serial, OTHER);
  assert.equal(swapped.state.clips, []);
});

bay('believes the presence line when the serial line falls silent', () => {
  const present: BayInput = { kind: 'sensors', present: true, charged: undefined };
  const silent = play([present, ...listing(clip(9)), { kind: 'failed', code: 'LINK_CLOSED' }]);
  assert.is(silent.phase, 'greeting');
  assert.equal(alarmsOf(silent.effects), []);
  const gone = last(silent.state, { kind: 'sensors', present: false, charged: undefined });
  assert.is(gone.phase, 'empty');
  assert.equal(alarmsOf(gone.effects), ['alarm CAMERA_TAKEN_EARLY']);
});

bay('marks the last recording on a long press, and is green again only when it is held', () => {
  const safe = play([...listing(clip(9)), ...saved(9)]);
  const pressed = last(safe.state, { kind: 'press', press: 'long' });
  assert.equal(pressed.effects.slice(0, 2), [
    { kind: 'flash', flash: 'incident-seen' },
    { kind: 'mark-last-recording', camera: CAMERA, counter: 9 },
  ]);
  assert.is(pressed.light, 'slow-amber');
  const again = last(pressed.state, { kind: 'press', press: 'long' });
  assert.is(again.state.holdsWanted.length, 1);
  assert.is(last(again.state, { kind: 'held', counter: 9 }).light, 'green-double-blink');
  const none = last(again.state, { kind: 'nothing-to-hold', counter: 9 });
  assert.is(none.light, 'steady-green');
  assert.equal(none.effects[0], { kind: 'flash', flash: 'nothing-to-mark' });
});

bay('remembers a long press that came before the camera said who it is', () => {
  const early = play([{ kind: 'present' }, { kind: 'press', press: 'long' }]);
  assert.equal(early.effects.at(-1), { kind: 'flash', flash: 'incident-seen' });
  const { effects } = last(early.state, hello);
  assert.ok(
    effects.some((effect) => effect.kind === 'mark-last-recording' && effect.counter === 9),
  );
  const empty = play([{ kind: 'press', press: 'long' }, { kind: 'present' }, hello]);
  assert.not(empty.effects.some((effect) => effect.kind === 'mark-last-recording'));
});

bay('finds nothing to mark on a camera that never recorded', () => {
  const fresh = play([{ kind: 'hello', serial: CAMERA, lastCounter: 0 }]);
  const { effects } = last(fresh.state, { kind: 'press', press: 'long' });
  assert.equal(effects, [{ kind: 'flash', flash: 'nothing-to-mark' }]);
});

bay('shows progress on a short press without touching anything', () => {
  const half = play([...listing(clip(8), clip(9)), ...saved(8)]);
  const pressed = last(half.state, { kind: 'press', press: 'short' });
  assert.equal(pressed.effects, [{ kind: 'flash', flash: 'progress-2-quarters' }]);
  assert.is(pressed.state, half.state);
  assert.equal(play([{ kind: 'press', press: 'short' }]).effects, []);
});

bay('publishes whole percents only, and nothing when nothing changed', () => {
  const { state } = play(listing({ counter: 9, sizeBytes: 1_000_000, incident: false }));
  const published = (doneBytes: number, from: BayState) =>
    last(from, { kind: 'progress', counter: 9, doneBytes }).effects.map(({ kind }) => kind);
  assert.equal(published(100, state), []);
  assert.equal(published(20_001, state), ['publish']);
  assert.equal(published(Number.MAX_SAFE_INTEGER, state), ['publish']);
});

bay.run();

import { dispositionOf, type ErrorCode } from '../errors.ts';
import { ALARMS, type AlarmCode, parseAlarmCode } from './alarms.ts';
import {
  type BayCamera,
  type BayClip,
  type BayEffect,
  type BayInput,
  type BayState,
  emptyBay,
  type ListedClip,
} from './bay-state.ts';
import { bayProgress, bayStatus, clipsLeft, lightOf, phaseOf } from './bay-status.ts';
import { type FlashName, progressFlash } from './lights.ts';

export interface BayStep {
  readonly state: BayState;
  readonly effects: readonly BayEffect[];
}

/** Total: an input that makes no sense in a state changes nothing. */
export function nextBay(state: BayState, input: BayInput): BayStep {
  const step = apply(state, input);
  return { state: step.state, effects: [...step.effects, ...consequences(state, step.state)] };
}

function apply(state: BayState, input: BayInput): BayStep {
  switch (input.kind) {
    case 'present':
      return only({ ...interrupted(state), link: 'greeting', trouble: undefined });
    case 'hello':
      return hello(state, { serial: input.serial, lastCounter: input.lastCounter });
    case 'inventory':
      return only(inventory(state, input.clips, input.refusedCount));
    case 'clock-set':
      return only(state.link === 'session' ? { ...state, clockSet: true } : state);
    case 'report':
      return only(state.link === 'session' ? { ...state, report: input.report } : state);
    case 'progress':
      return only(
        withClip(state, input.counter, (clip) => ({
          ...clip,
          doneBytes: Math.min(Math.max(input.doneBytes, 0), clip.sizeBytes),
        })),
      );
    case 'clip-vaulted':
      return only(withStage(state, input.counter, 'vaulted'));
    case 'clip-released':
      return only(withStage(state, input.counter, 'released'));
    case 'clip-quarantined':
      return raise(withStage(state, input.counter, 'quarantined'), 'CLIP_QUARANTINED');
    case 'held':
      return only(held(state, input.counter));
    case 'nothing-to-hold':
      return nothingToHold(state, input.counter);
    case 'failed':
      return failed(state, input.code);
    case 'unplugged':
      return unplugged(state);
    case 'waiting':
      return only({ ...state, waitingFor: input.code });
    case 'resumed':
      return clearRaised({ ...state, waitingFor: undefined }, (code) => code === state.waitingFor);
    case 'sensors':
      return sensors({ ...state, present: input.present, charged: input.charged });
    case 'press':
      return input.press === 'short' ? shortPress(state) : longPress(state);
  }
}

/** What follows from a change, whatever caused it. */
function consequences(before: BayState, after: BayState): readonly BayEffect[] {
  const effects: BayEffect[] = [];
  const light = lightOf(after);
  const status = bayStatus(after);
  if (after.camera !== undefined && isDrained(after) && !isDrained(before)) {
    effects.push({
      kind: 'clear-alarm',
      code: 'CAMERA_TAKEN_EARLY',
      camera: after.camera.serial,
    });
  }
  if (light !== lightOf(before)) effects.push({ kind: 'show', light });
  if (JSON.stringify(status) !== JSON.stringify(bayStatus(before))) {
    effects.push({ kind: 'publish', status });
  }
  return effects;
}

function hello(state: BayState, camera: BayCamera): BayStep {
  const isOther = state.camera !== undefined && state.camera.serial !== camera.serial;
  const left = isOther ? taken(state) : only(state);
  const { markAtHello } = left.state;
  const greeted = clearRaised(
    {
      ...interrupted(left.state),
      link: 'session',
      camera,
      trouble: undefined,
      markAtHello: false,
    },
    (code) => ALARMS[code].ends !== 'person',
  );
  const marked = markAtHello ? longPress(greeted.state) : only(greeted.state);
  return {
    state: marked.state,
    effects: [...left.effects, ...greeted.effects, ...marked.effects],
  };
}

function inventory(
  state: BayState,
  listed: readonly ListedClip[],
  refusedRecords: number,
): BayState {
  if (state.link !== 'session') return state;
  const known = new Map(state.clips.map((clip) => [clip.counter, clip]));
  const clips = listed.map(({ counter, sizeBytes }): BayClip => {
    const earlier = known.get(counter);
    // A clip that the camera lists is not released, whatever was heard before.
    if (earlier !== undefined && earlier.stage !== 'released') return { ...earlier, sizeBytes };
    return { counter, sizeBytes, doneBytes: 0, stage: 'on-camera' };
  });
  const isListed = new Set(listed.map(({ counter }) => counter));
  const released = state.clips.filter(
    (clip) => clip.stage === 'released' && !isListed.has(clip.counter),
  );
  const incidents = listed.filter((clip) => clip.incident).map((clip) => clip.counter);
  const holdsWanted = [...new Set([...state.holdsWanted, ...incidents])].filter(
    (counter) => !state.held.includes(counter),
  );
  return { ...state, clips: [...released, ...clips], listed: true, refusedRecords, holdsWanted };
}

function held(state: BayState, counter: number): BayState {
  if (state.camera === undefined || state.held.includes(counter)) return state;
  const holdsWanted = state.holdsWanted.filter((wanted) => wanted !== counter);
  return { ...state, holdsWanted, held: [...state.held, counter] };
}

function nothingToHold(state: BayState, counter: number): BayStep {
  if (!state.holdsWanted.includes(counter)) return only(state);
  const holdsWanted = state.holdsWanted.filter((wanted) => wanted !== counter);
  return { state: { ...state, holdsWanted }, effects: [flash('nothing-to-mark')] };
}

function failed(state: BayState, code: ErrorCode): BayStep {
  if (code === 'CANCELLED') return only(state);
  if (code === 'LINK_CLOSED') return unplugged(state);
  const alarm = parseAlarmCode(code);
  const disposition = dispositionOf(code);
  if (disposition === 'haltDock' || code === 'VAULT_FULL') {
    const cause = alarm ?? 'DOCK_FAILED';
    return raise({ ...state, waitingFor: cause }, cause);
  }
  // A line that cannot be opened is retried too, but an officer must not wait in front of a dark bay.
  if (disposition === 'retry' && alarm === undefined) return only(interrupted(state));
  const fallback = disposition === 'quarantine' ? 'CLIP_QUARANTINED' : 'BAY_FAILED';
  const trouble = alarm ?? fallback;
  return raise({ ...interrupted(state), trouble }, trouble);
}

/** A presence line knows better than the serial line whether the camera left. */
function unplugged(state: BayState): BayStep {
  return state.present === true ? only(interrupted(state)) : taken(state);
}

function sensors(state: BayState): BayStep {
  const isGone = state.present === false && state.link === 'greeting' && state.camera !== undefined;
  return isGone ? taken(state) : only(state);
}

function shortPress(state: BayState): BayStep {
  const phase = phaseOf(state);
  if (phase === 'empty' || phase === 'trouble') return only(state);
  const { doneBytes, totalBytes } = bayProgress(state);
  const name = state.listed ? progressFlash(doneBytes, totalBytes) : 'progress-none';
  return { state, effects: [flash(name)] };
}

function longPress(state: BayState): BayStep {
  const { camera } = state;
  if (camera === undefined) {
    const isGreeting = phaseOf(state) === 'greeting';
    return {
      state: { ...state, markAtHello: isGreeting },
      effects: [flash(isGreeting ? 'incident-seen' : 'nothing-to-mark')],
    };
  }
  const counter = Math.max(camera.lastCounter, ...state.clips.map((clip) => clip.counter));
  if (counter < 1) return { state, effects: [flash('nothing-to-mark')] };
  const seen = flash('incident-seen');
  if (state.held.includes(counter)) return { state, effects: [seen] };
  return {
    state: { ...state, holdsWanted: [...new Set([...state.holdsWanted, counter])] },
    effects: [seen, { kind: 'mark-last-recording', camera: camera.serial, counter }],
  };
}

/** The line fell silent; whether the camera is gone is not known yet. */
function interrupted(state: BayState): BayState {
  if (state.link === 'none') return { ...state, listed: false };
  return { ...state, link: 'greeting', listed: false, clockSet: false };
}

/** A camera that the dock sent to the supervisor is not taken early. */
function taken(state: BayState): BayStep {
  const cleared = clearRaised(state, (code) => ALARMS[code].ends === 'camera-gone');
  const { bay, present, charged, waitingFor, raised } = cleared.state;
  const next: BayState = { ...emptyBay(bay), present, charged, waitingFor, raised };
  const serial = state.camera?.serial;
  const wasSeen = state.listed || state.clips.length > 0;
  const isEarly = !wasSeen || clipsLeft(state) > 0;
  if (serial === undefined || !isEarly || phaseOf(state) === 'trouble') {
    return { state: next, effects: cleared.effects };
  }
  return {
    state: next,
    effects: [
      ...cleared.effects,
      { kind: 'taken-early', camera: serial, clipsLeft: wasSeen ? clipsLeft(state) : undefined },
      { kind: 'alarm', code: 'CAMERA_TAKEN_EARLY', camera: serial },
    ],
  };
}

function withClip(state: BayState, counter: number, change: (clip: BayClip) => BayClip): BayState {
  if (state.link !== 'session') return state;
  return {
    ...state,
    clips: state.clips.map((clip) => (clip.counter === counter ? change(clip) : clip)),
  };
}

function withStage(state: BayState, counter: number, stage: BayClip['stage']): BayState {
  return withClip(state, counter, (clip) => ({ ...clip, stage }));
}

function raise(state: BayState, code: AlarmCode): BayStep {
  const raised = [...new Set([...state.raised, code])];
  return {
    state: { ...state, raised },
    effects: [{ kind: 'alarm', code, camera: state.camera?.serial }],
  };
}

function clearRaised(state: BayState, isOver: (code: AlarmCode) => boolean): BayStep {
  const camera = state.camera?.serial;
  return {
    state: { ...state, raised: state.raised.filter((code) => !isOver(code)) },
    effects: state.raised
      .filter(isOver)
      .map((code): BayEffect => ({ kind: 'clear-alarm', code, camera })),
  };
}

function isDrained(state: BayState): boolean {
  return state.link === 'session' && state.listed && clipsLeft(state) === 0;
}

function flash(name: FlashName): BayEffect {
  return { kind: 'flash', flash: name };
}

function only(state: BayState): BayStep {
  return { state, effects: [] };
}

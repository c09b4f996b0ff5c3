import type { AlarmCode } from './alarms.ts';
import type { BayClip, BayPhase, BayState, BayStatus } from './bay-state.ts';
import type { LightName } from './lights.ts';

const LIGHT_OF: Readonly<Record<BayPhase, LightName>> = {
  empty: 'off',
  greeting: 'slow-amber',
  working: 'slow-amber',
  safe: 'steady-green',
  held: 'green-double-blink',
  waiting: 'steady-amber',
  trouble: 'fast-red',
};

/** The phase follows from the facts, so nothing can reach `safe` but through every condition of it. */
export function phaseOf(state: BayState): BayPhase {
  if (state.trouble !== undefined) return 'trouble';
  if (state.link === 'none') return state.present === true ? 'greeting' : 'empty';
  if (state.link === 'greeting' || !state.listed) return 'greeting';
  if (isWorkLeft(state)) return state.waitingFor === undefined ? 'working' : 'waiting';
  if (state.refusedRecords > 0 || state.clips.some(isQuarantined)) return 'trouble';
  if (!state.clockSet || state.charged === false) return 'working';
  return state.held.length > 0 ? 'held' : 'safe';
}

export function lightOf(state: BayState): LightName {
  return LIGHT_OF[phaseOf(state)];
}

export function bayStatus(state: BayState): BayStatus {
  const phase = phaseOf(state);
  const { doneBytes, totalBytes } = bayProgress(state);
  return {
    bay: state.bay,
    phase,
    light: LIGHT_OF[phase],
    camera: state.camera?.serial ?? null,
    clips: state.clips.length,
    clipsLeft: clipsLeft(state),
    quarantined: state.clips.filter(isQuarantined).length + state.refusedRecords,
    held: state.held.length,
    progressPercent: totalBytes === 0 ? 100 : Math.floor((doneBytes * 100) / totalBytes),
    charged: state.charged ?? null,
    report: state.report ?? null,
    code: codeOf(state, phase),
  };
}

/** Each clip weighs one byte more than it holds, given when it is released: all is done only when all is safe. */
export function bayProgress(state: BayState): {
  readonly doneBytes: number;
  readonly totalBytes: number;
} {
  let doneBytes = 0;
  let totalBytes = 0;
  for (const clip of state.clips) {
    if (isQuarantined(clip)) continue;
    totalBytes += clip.sizeBytes + 1;
    if (clip.stage === 'released') doneBytes += clip.sizeBytes + 1;
    else doneBytes += clip.stage === 'vaulted' ? clip.sizeBytes : clip.doneBytes;
  }
  return { doneBytes, totalBytes };
}

/** Clips that the camera may not erase yet, those in quarantine included. */
export function clipsLeft(state: BayState): number {
  return state.refusedRecords + state.clips.filter((clip) => clip.stage !== 'released').length;
}

function isWorkLeft(state: BayState): boolean {
  return (
    state.holdsWanted.length > 0 ||
    state.clips.some((clip) => clip.stage === 'on-camera' || clip.stage === 'vaulted')
  );
}

function isQuarantined(clip: BayClip): boolean {
  return clip.stage === 'quarantined';
}

function codeOf(state: BayState, phase: BayPhase): AlarmCode | null {
  if (phase === 'waiting') return state.waitingFor ?? null;
  return phase === 'trouble' ? (state.trouble ?? 'CLIP_QUARANTINED') : null;
}

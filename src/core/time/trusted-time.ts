/**
 * What the dock may believe about the time. A cosignature over a checkpoint that was made in this run cannot be older than that checkpoint: its
 * time bounds the present from below, and from above by what passed since. From then on only monotonic time is added.
 *
 * INVARIANTS: the floor never goes down. `earliestMs` never runs ahead of the drift bound, whatever a witness says later in the same run.
 * In doubt the time is unknown, and nothing is due.
 */
export type TimeSource = 'witness' | 'nts' | 'rtc';

export type TrustedNow =
  | {
      readonly kind: 'known';
      /** The present is at or after this. */
      readonly earliestMs: number;
      readonly latestMs: number;
      readonly source: TimeSource;
    }
  | {
      readonly kind: 'unknown' /** The present is after this; 0 for nothing known. */;
      readonly floorMs: number;
    };

export interface TimePolicy {
  /** How far one cosignature may move the floor at a start; the first of all sets it. */
  readonly jumpMsMax: number;
  /** Of the dock's monotonic clock, parts per million. */
  readonly driftPpm: number;
  /** A witness whose time differs by no more raises no doubt. */
  readonly slackMs: number;
  /** Without a fresh cosignature for this long the time is unknown. */
  readonly staleMsMax: number;
}

const DAY_MS = 86_400_000;
export const TIME_POLICY: TimePolicy = {
  jumpMsMax: 14 * DAY_MS,
  driftPpm: 200,
  slackMs: 60_000,
  staleMsMax: 30 * DAY_MS,
};

interface TimeWindow {
  readonly earliestMs: number;
  /** As far as `earliestMs` may be moved: grows with monotonic time alone. */
  readonly reachMs: number;
  readonly latestMs: number;
  readonly anchorMonotonicMs: number;
  readonly heardMonotonicMs: number;
  /** The witness went back, or this machine's monotonic clock runs fast: unknown until they agree again. */
  readonly isDoubtful: boolean;
}

export interface TrustedTimeState {
  /** Of every cosignature that was believed. */
  readonly floorMs: number | undefined;
  /** The latest time that a believed cosignature said. */
  readonly saidMs: number | undefined;
  readonly window: TimeWindow | undefined;
}

/** A cosignature that verifies, over a checkpoint of this run. */
export interface TimeObservation {
  /** Whole seconds. */
  readonly cosignedAtMs: number;
  /** When the dock signed the checkpoint. */
  readonly madeAtMonotonicMs: number;
  readonly receivedAtMonotonicMs: number;
}

/** `ahead`: more than the cap or the drift bound allows. `behind`: before what was believed already. */
export type TimeVerdict = 'believed' | 'ahead' | 'behind';

export interface Observed {
  readonly state: TrustedTimeState;
  readonly verdict: TimeVerdict;
}

const SECOND_MS = 1_000;

/** At a start: `floorMs` is the time of the newest cosignature that the dock has kept. */
export function initialTime(floorMs: number | undefined): TrustedTimeState {
  return { floorMs, saidMs: floorMs, window: undefined };
}

export function trustedNow(
  { floorMs = 0, window }: TrustedTimeState,
  monotonicMs: number,
  policy: TimePolicy = TIME_POLICY,
): TrustedNow {
  if (window === undefined) return { kind: 'unknown', floorMs: Math.floor(floorMs) };
  const { earliestMs, latestMs } = advance(window, monotonicMs, policy);
  const heardMs = monotonicMs - window.heardMonotonicMs;
  const floor = Math.floor(earliestMs);
  if (window.isDoubtful) return { kind: 'unknown', floorMs: Math.floor(floorMs) };
  if (heardMs > policy.staleMsMax) return { kind: 'unknown', floorMs: floor };
  return { kind: 'known', earliestMs: floor, latestMs: Math.ceil(latestMs), source: 'witness' };
}

export function observeTime(
  state: TrustedTimeState,
  observation: TimeObservation,
  policy: TimePolicy = TIME_POLICY,
): Observed {
  const { cosignedAtMs, madeAtMonotonicMs, receivedAtMonotonicMs } = observation;
  const passedMs = Math.max(0, receivedAtMonotonicMs - madeAtMonotonicMs);
  const said: Said = {
    fromMs: cosignedAtMs,
    toMs: cosignedAtMs + SECOND_MS + stretch(passedMs, policy.driftPpm),
    atMonotonicMs: receivedAtMonotonicMs,
  };
  // Cosigned later and said earlier: one of the two is a lie, or an old one comes again.
  if (cosignedAtMs + policy.slackMs < (state.saidMs ?? 0)) return { state, verdict: 'behind' };
  return state.window === undefined
    ? firstOfRun(state, said, policy)
    : laterInRun({ ...state, window: state.window }, said, policy);
}

/** Whether the time of a cosignature from an earlier run may be the floor of a later one. */
export function mayBeFloor(
  atMs: number,
  startFloorMs: number | undefined,
  policy: TimePolicy = TIME_POLICY,
): boolean {
  if (startFloorMs === undefined) return true;
  return atMs >= startFloorMs && atMs - startFloorMs <= policy.jumpMsMax;
}

interface Said {
  readonly fromMs: number;
  readonly toMs: number;
  readonly atMonotonicMs: number;
}

function firstOfRun(state: TrustedTimeState, said: Said, policy: TimePolicy): Observed {
  const floorMs = state.floorMs ?? said.fromMs;
  if (said.fromMs - floorMs > policy.jumpMsMax) return { state, verdict: 'ahead' };
  const earliestMs = Math.max(floorMs, said.fromMs);
  const reachMs = Math.max(floorMs, said.toMs);
  const window = {
    ...{ earliestMs, reachMs, latestMs: reachMs },
    ...{ anchorMonotonicMs: said.atMonotonicMs, heardMonotonicMs: said.atMonotonicMs },
    isDoubtful: false,
  };
  return { state: { floorMs: earliestMs, saidMs: earliestMs, window }, verdict: 'believed' };
}

function laterInRun(
  state: TrustedTimeState & { readonly window: TimeWindow },
  said: Said,
  policy: TimePolicy,
): Observed {
  const { earliestMs, reachMs, latestMs } = advance(state.window, said.atMonotonicMs, policy);
  const floorMs = Math.max(state.floorMs ?? 0, earliestMs);
  const anchorMonotonicMs = said.atMonotonicMs;
  const moved = { earliestMs, reachMs, latestMs, anchorMonotonicMs };
  if (said.toMs + policy.slackMs < earliestMs) {
    const window = { ...state.window, isDoubtful: true };
    return { state: { ...state, window }, verdict: 'behind' };
  }
  if (said.fromMs > reachMs) {
    const isAhead = said.fromMs > reachMs + policy.slackMs;
    const window = { ...state.window, ...moved, latestMs: Math.max(latestMs, said.toMs) };
    return { state: { ...state, floorMs, window }, verdict: isAhead ? 'ahead' : 'believed' };
  }
  const window = {
    earliestMs: Math.max(earliestMs, said.fromMs),
    reachMs: Math.max(earliestMs, Math.min(reachMs, said.toMs)),
    latestMs: Math.max(earliestMs, Math.min(latestMs, said.toMs)),
    anchorMonotonicMs,
    heardMonotonicMs: said.atMonotonicMs,
    isDoubtful: false,
  };
  const saidMs = Math.max(state.saidMs ?? 0, said.fromMs);
  return {
    state: { floorMs: Math.max(floorMs, said.fromMs), saidMs, window },
    verdict: 'believed',
  };
}

function advance(window: TimeWindow, monotonicMs: number, { driftPpm }: TimePolicy) {
  const passedMs = Math.max(0, monotonicMs - window.anchorMonotonicMs);
  return {
    earliestMs: window.earliestMs + passedMs * (1 - driftPpm / 1e6),
    reachMs: window.reachMs + stretch(passedMs, driftPpm),
    latestMs: window.latestMs + stretch(passedMs, driftPpm),
  };
}

function stretch(ms: number, driftPpm: number): number {
  return ms * (1 + driftPpm / 1e6);
}

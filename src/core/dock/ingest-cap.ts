/** How many bays may ingest at once: follows what holds them up. */
export interface IngestCap {
  readonly cap: number;
  readonly least: number;
  readonly most: number;
  /** What the last change is judged by. */
  readonly trial: Trial | undefined;
  /** Periods for which a change that did not help is not tried again. */
  readonly restPeriods: number;
}

interface Trial {
  readonly from: number;
  /** Bytes a millisecond before it. */
  readonly rate: number;
}

export interface IngestPeriod {
  readonly durationMs: number;
  readonly bytes: number;
  /** Sum over the bays of the time in which they had a place. */
  readonly placeMs: number;
  /** The part of it that they waited until the sealer had taken their bytes: processors and disk. The rest is the line. */
  readonly sealMs: number;
  /** Whether a bay was kept waiting for a place. */
  readonly kept: boolean;
}

export const CAP_PERIOD_MS = 500;
/** More than this share of the time in the sealer: more bays would only wait for one another. */
const SEAL_SHARE_HIGH = 0.7;
/** Less than this: the lines are the limit, and another line brings more. */
const SEAL_SHARE_LOW = 0.35;
const GAIN_MIN = 1.05;
const LOSS_MAX = 0.95;
const REST_PERIODS = 20;

/** `most` is what the configuration allows, or undefined. */
export function startCap(options: {
  readonly bays: number;
  readonly cores: number;
  readonly most: number | undefined;
}): IngestCap {
  const { bays, cores } = options;
  const most = Math.max(1, Math.min(options.most ?? bays, bays));
  const cap = Math.min(most, Math.max(2, cores * 2));
  const least = Math.min(most, Math.max(2, cores));
  return { cap, least, most, trial: undefined, restPeriods: 0 };
}

/**
 * Judged only while a bay is kept waiting, since else the cap changes nothing. A change that cost throughput, or that brought none though it
 * costs memory, is taken back.
 */
export function nextCap(state: IngestCap, period: IngestPeriod): IngestCap {
  const { durationMs, bytes, placeMs, sealMs } = period;
  if (durationMs <= 0 || placeMs <= 0) return state;
  const rate = bytes / durationMs;
  const share = sealMs / placeMs;
  const { cap, least, most, trial } = state;
  if (trial !== undefined && isWorse(trial, cap, rate)) {
    return { ...state, cap: trial.from, trial: undefined, restPeriods: REST_PERIODS };
  }
  const rested = { ...state, trial: undefined, restPeriods: Math.max(0, state.restPeriods - 1) };
  if (!period.kept || rested.restPeriods > 0) return rested;
  if (share < SEAL_SHARE_LOW && cap < most) {
    return { ...rested, cap: Math.min(most, cap * 2), trial: { from: cap, rate } };
  }
  if (share > SEAL_SHARE_HIGH && cap > least) {
    return { ...rested, cap: cap - 1, trial: { from: cap, rate } };
  }
  return rested;
}

function isWorse({ from, rate: before }: Trial, cap: number, rate: number): boolean {
  return cap > from ? rate < before * GAIN_MIN : rate < before * LOSS_MAX;
}

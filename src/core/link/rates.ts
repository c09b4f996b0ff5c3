import { RATES } from './frame.ts';

/** SPEC 9: what to ask for after a rate that does not work; undefined when only the base rate is left. */
export function lowerRate(rate: number, baseRate: number): number | undefined {
  return RATES.find((candidate) => candidate < rate && candidate > baseRate);
}

/** Bytes of a line that were in no frame, of those that were heard: from here on a lower rate carries more. */
const DAMAGED_SHARE_MAX = 0.25;
/** Fewer bytes say nothing. */
const HEARD_BYTES_MIN = 4_096;

export interface LineCounters {
  readonly heardBytes: number;
  readonly discardedBytes: number;
}

/** True when what came between the two counts was damaged so often that the rate must be too high for the line. */
export function isRateTooHigh(before: LineCounters, after: LineCounters): boolean {
  const heardBytes = after.heardBytes - before.heardBytes;
  const damagedBytes = after.discardedBytes - before.discardedBytes;
  return heardBytes >= HEARD_BYTES_MIN && damagedBytes > DAMAGED_SHARE_MAX * heardBytes;
}

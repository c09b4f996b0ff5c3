import { dueAtMs } from '../retention/due.ts';
import type { TrustedNow } from './trusted-time.ts';

const DAY_MS = 86_400_000;
/** The dock's own clock is believed about a clip when it differs no more from the witness's. */
export const CLOCK_AGREES_MS = 5 * 60_000;

/** What the witness proves about the time at which a clip came into the vault. */
export interface WitnessedIngest {
  /**
   * The clip was there by then: of the first cosignature over a tree that has its entry, or of an earlier one that says a later time. Undefined while
   * there is none.
   */
  readonly cosignedAtMs: number | undefined;
  /** Whether the dock's own clock agreed with the witness's when it compared the camera's clock, and when it ingested the clip. */
  readonly clockAgreed: boolean;
}

/**
 * When an unheld clip is due in trusted time: never before its retention ends, whatever the dock's own clock said. Undefined while nothing
 * proves when it was ingested: then it is not due at all.
 */
export function trustedDueAtMs(
  times: Parameters<typeof dueAtMs>[0],
  retentionDays: number,
  { cosignedAtMs, clockAgreed }: WitnessedIngest,
): number | undefined {
  if (cosignedAtMs === undefined) return undefined;
  const ingestDueMs = cosignedAtMs + 1_000 + retentionDays * DAY_MS;
  if (!clockAgreed) return ingestDueMs;
  return Math.min(ingestDueMs, dueAtMs(times, retentionDays) + 2 * CLOCK_AGREES_MS);
}

/** Only a known time makes anything due. */
export function isDue(dueMs: number | undefined, now: TrustedNow): boolean {
  return dueMs !== undefined && now.kind === 'known' && now.earliestMs >= dueMs;
}

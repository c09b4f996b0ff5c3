import type { Manifest } from '../evidence/manifest.ts';

const DAY_MS = 86_400_000;

type Times = Pick<Manifest, 'endedAtMs' | 'clockQuality' | 'cameraClockOffsetMs' | 'ingestedAtMs'>;

/**
 * When an unheld clip is due for disposal: `retentionDays` after recording ended, by the dock's clock where the camera's could be compared with it.
 * A camera whose clock was never set says nothing about time, and nothing is recorded after it is ingested.
 */
export function dueAtMs(times: Times, retentionDays: number): number {
  const { endedAtMs, clockQuality, cameraClockOffsetMs, ingestedAtMs } = times;
  const capturedMs = endedAtMs - (cameraClockOffsetMs ?? 0);
  const isKnown = clockQuality !== 'unset' && capturedMs <= ingestedAtMs;
  return (isKnown ? capturedMs : ingestedAtMs) + retentionDays * DAY_MS;
}

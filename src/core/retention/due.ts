import type { Manifest } from '../evidence/manifest.ts';

const DAY_MS = 86_400_000;

type Times = Pick<Manifest, 'endedAtMs' | 'clockQuality' | 'cameraClockOffsetMs' | 'ingestedAtMs'>;

/**
 * When an unheld clip is due for disposal: `retentionDays` after recording ended, by the dock's clock where the camera's could be compared with it.
 * A camera's clock that was never set, or ran free and was never compared, says nothing about time; and nothing is recorded after it is ingested.
 */
export function dueAtMs(times: Times, retentionDays: number): number {
  const { endedAtMs, cameraClockOffsetMs, ingestedAtMs } = times;
  const capturedMs = endedAtMs - (cameraClockOffsetMs ?? 0);
  const isKnown = isClockKnown(times) && capturedMs <= ingestedAtMs;
  return (isKnown ? capturedMs : ingestedAtMs) + retentionDays * DAY_MS;
}

function isClockKnown({ clockQuality, cameraClockOffsetMs }: Times): boolean {
  if (clockQuality === 'unset') return false;
  return clockQuality !== 'free-running' || cameraClockOffsetMs !== undefined;
}

import type { Random } from '../../ports/random.ts';

const FIRST_MS = 1_000;
const DELAY_MS_MAX = 60_000;
const DELAY_MS_MIN = 100;

export function randomFraction(random: Random): number {
  const bytes = random.bytes(4);
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) / 2 ** 32;
}

/** Full jitter: a site whose power comes back does not send all its docks to the broker at once. */
export function backoffMs(attempt: number, random: Random): number {
  const ceilingMs = Math.min(DELAY_MS_MAX, FIRST_MS * 2 ** Math.min(attempt, 16));
  return Math.max(DELAY_MS_MIN, Math.round(ceilingMs * randomFraction(random)));
}

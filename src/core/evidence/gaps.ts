import { formatHex, utf8 } from '../bytes.ts';
import type { Sha256 } from '../custody/primitives.ts';

export interface CounterGap {
  readonly first: number;
  readonly last: number;
}

/**
 * Counters from 1 to `lastCounter` that nobody accounts for: neither the camera's inventory, nor the vault, nor a gap recorded earlier. Ranges,
 * ascending. The cost grows with what is known, not with `lastCounter`, because a hostile camera chooses that number.
 */
export function findCounterGaps(
  known: Iterable<number | CounterGap>,
  lastCounter: number,
): CounterGap[] {
  const gaps: CounterGap[] = [];
  let next = 1;
  for (const { first, last } of ascending(known)) {
    if (first > lastCounter) break;
    if (first > next) gaps.push({ first: next, last: first - 1 });
    next = Math.max(next, last + 1);
  }
  if (next <= lastCounter) gaps.push({ first: next, last: lastCounter });
  return gaps;
}

function ascending(known: Iterable<number | CounterGap>): CounterGap[] {
  return [...known]
    .map((one) => (typeof one === 'number' ? { first: one, last: one } : one))
    .sort((a, b) => a.first - b.first);
}

/** SHA-256 (hex) that stands for a camera in the log. */
export function cameraDigest(serial: string, sha256: Sha256): string {
  return formatHex(sha256(utf8(`docket/camera/v1\n${serial}`)));
}

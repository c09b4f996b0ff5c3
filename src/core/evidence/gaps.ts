export interface CounterGap {
  readonly first: number;
  readonly last: number;
}

/**
 * Counters from 1 to `lastCounter` that nobody has: neither the camera's inventory nor the vault. Ranges, ascending. The cost grows with what is
 * known, not with `lastCounter`, because a hostile camera chooses that number.
 */
export function findCounterGaps(known: Iterable<number>, lastCounter: number): CounterGap[] {
  const gaps: CounterGap[] = [];
  let next = 1;
  for (const counter of [...new Set(known)].sort((a, b) => a - b)) {
    if (counter > lastCounter) break;
    if (counter > next) gaps.push({ first: next, last: counter - 1 });
    next = counter + 1;
  }
  if (next <= lastCounter) gaps.push({ first: next, last: lastCounter });
  return gaps;
}

// The prior is that of a line of which nothing is known: nearly clean, and soon forgotten.
const PRIOR_LOSSES = 0.2;
const PRIOR_BYTES = 3_000;
/** Losses that are remembered: enough to know the rate to a quarter, few enough to follow it. */
const MEMORY = 16;
/** So many bytes times the rate without a loss happen once in twenty times: the rate is lower now. */
const CLEAN_RUN = 3;
/** So many losses, where one was to be expected, happen once in fifty times: the rate is higher now. */
const BURST = 4;

/** How often a byte of the line arrives wrong, from frames that came and frames that did not. */
export class ErrorRate {
  /** Bytes up to each of the last losses, from the loss before it; the newest last. */
  private readonly gaps: number[] = [];
  private gapBytes = 0;
  private runBytes = 0;

  noteArrived(sizeBytes: number): void {
    this.runBytes += sizeBytes;
  }

  /** One frame. */
  noteLost(sizeBytes: number): void {
    const gap = this.runBytes + sizeBytes;
    this.gaps.push(gap);
    this.gapBytes += gap;
    this.runBytes = 0;
    if (this.gaps.length > MEMORY) this.gapBytes -= this.gaps.shift() ?? 0;
  }

  /** Errors a byte; never 0. */
  get perByte(): number {
    const { length } = this.gaps;
    const unknown = 1 - length / MEMORY;
    const losses = length + PRIOR_LOSSES * unknown;
    const all = losses / (this.gapBytes + this.runBytes + PRIOR_BYTES * unknown);
    const most = this.runBytes === 0 ? all : Math.min(all, CLEAN_RUN / this.runBytes);
    return Math.max(most, this.burst());
  }

  private burst(): number {
    if (this.gaps.length <= BURST) return 0;
    const newest = this.gaps.slice(-BURST).reduce((sum, gap) => sum + gap, 0);
    return 1 / (newest + this.runBytes);
  }
}

/**
 * Bytes of payload in a frame that bring most of them over: the `n` that makes `n / (n + overhead) * exp(-rate * (n + overhead))`
 * greatest.
 */
export function bestPayloadBytes(perByte: number, overheadBytes: number): number {
  const half = overheadBytes / 2;
  return Math.sqrt(half * half + overheadBytes / perByte) - half;
}

import type { Clock } from '../ports/clock.ts';

export interface BackoffOptions {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** Waits that double up to a limit. */
export class Backoff {
  readonly #clock: Clock;
  readonly #options: BackoffOptions;
  #nextMs: number;

  constructor(clock: Clock, options: BackoffOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#nextMs = options.firstMs;
  }

  async wait(signal: AbortSignal): Promise<void> {
    const waitMs = this.#nextMs;
    this.#nextMs = Math.min(waitMs * 2, this.#options.mostMs);
    await this.#clock.delay(waitMs, signal);
  }

  reset(): void {
    this.#nextMs = this.#options.firstMs;
  }
}

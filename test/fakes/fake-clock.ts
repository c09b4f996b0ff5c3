import type { Clock } from '../../src/ports/clock.ts';

interface Waiter {
  readonly dueMs: number;
  readonly resolve: () => void;
}

/** Time moves only when a test moves it. Delays end in the order of their due times. */
export class FakeClock implements Clock {
  #wallMs: number;
  #monotonicMs = 0;
  #waiters: Waiter[] = [];
  #onDelay: (() => void)[] = [];

  constructor(wallMs = Date.UTC(2030, 0, 1)) {
    this.#wallMs = wallMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  delay(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (ms <= 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiters = this.#waiters.filter((each) => each !== waiter);
        reject(signal?.reason);
      };
      const waiter = {
        dueMs: this.#monotonicMs + ms,
        resolve: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.push(waiter);
      for (const listener of this.#onDelay.splice(0)) listener();
    });
  }

  /** How long each pending delay still has to wait, shortest first. */
  get waitingMs(): readonly number[] {
    return this.#waiters.map((each) => each.dueMs - this.#monotonicMs).sort((a, b) => a - b);
  }

  /** Resolves when something waits, at once if something does already. */
  async untilWaiting(): Promise<void> {
    if (this.#waiters.length > 0) return;
    await new Promise<void>((resolve) => this.#onDelay.push(resolve));
  }

  /** Ends every delay that falls due, one at a time, and lets what waited for it run in between. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#monotonicMs + ms;
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      const waiter = next;
      this.#moveTo(waiter.dueMs);
      this.#waiters = this.#waiters.filter((each) => each !== waiter);
      waiter.resolve();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#moveTo(untilMs);
  }

  /** The wall clock is set, as by an operator or a time server; monotonic time is untouched. */
  setWall(wallMs: number): void {
    this.#wallMs = wallMs;
  }

  #next(untilMs: number): Waiter | undefined {
    const due = this.#waiters.filter((each) => each.dueMs <= untilMs);
    return due.sort((a, b) => a.dueMs - b.dueMs)[0];
  }

  #moveTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }
}

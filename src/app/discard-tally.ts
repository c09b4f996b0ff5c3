import type { ErrorCode } from '../core/errors.ts';
import type { Evidence } from './evidence.ts';

const PERIOD_MS = 3_600_000;

/**
 * Counts messages that were no orders: the first of a kind is an entry at once, and what follows within the hour is one entry more. Rubbish must not fill
 * the log.
 */
export class DiscardTally {
  readonly #evidence: Pick<Evidence, 'custody' | 'clock'>;
  readonly #counts = new Map<ErrorCode, number>();
  readonly #enteredAtMs = new Map<ErrorCode, number>();

  constructor(evidence: Pick<Evidence, 'custody' | 'clock'>) {
    this.#evidence = evidence;
  }

  count(reason: ErrorCode): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  /** What is due. */
  async enter(): Promise<void> {
    const nowMs = this.#evidence.clock.monotonicMs();
    await this.#enter((reason) => {
      const enteredAtMs = this.#enteredAtMs.get(reason);
      return enteredAtMs === undefined || nowMs - enteredAtMs >= PERIOD_MS;
    });
  }

  /** All of it. */
  async flush(): Promise<void> {
    await this.#enter(() => true);
  }

  async #enter(isDue: (reason: ErrorCode) => boolean): Promise<void> {
    const { custody, clock } = this.#evidence;
    const due = [...this.#counts].filter(([reason]) => isDue(reason));
    if (due.length === 0) return;
    for (const [reason] of due) {
      this.#counts.delete(reason);
      this.#enteredAtMs.set(reason, clock.monotonicMs());
    }
    await custody.append(
      due.map(([reason, count]) => ({ kind: 'orders-discarded', reason, count })),
    );
  }
}

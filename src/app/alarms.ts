import type { AlarmCode } from '../core/dock/alarms.ts';
import type { Clock } from '../ports/clock.ts';

export interface ActiveAlarm {
  readonly code: AlarmCode;
  /** Bays it is about; empty when it is about the dock. */
  readonly bays: readonly number[];
  readonly sinceMs: number;
}

interface Raised {
  readonly sinceMs: number;
  readonly causes: Map<string, number | undefined>;
}

/** One alarm a code, however many bays or cameras cause it: it is over when the last cause is. */
export class Alarms {
  readonly #clock: Clock;
  readonly #onChange: (code: AlarmCode, alarm: ActiveAlarm | undefined) => void;
  readonly #raised = new Map<AlarmCode, Raised>();

  constructor(clock: Clock, onChange: (code: AlarmCode, alarm: ActiveAlarm | undefined) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  get active(): readonly ActiveAlarm[] {
    return [...this.#raised].map(([code, raised]) => describe(code, raised));
  }

  /** `cause` tells one source from another: a camera's serial, `bay 2`, `dock`. */
  raise(code: AlarmCode, cause: string, bay?: number): void {
    const raised = this.#raised.get(code) ?? { sinceMs: this.#clock.nowMs(), causes: new Map() };
    if (raised.causes.has(cause) && raised.causes.get(cause) === bay) return;
    raised.causes.set(cause, bay);
    this.#raised.set(code, raised);
    this.#onChange(code, describe(code, raised));
  }

  clear(code: AlarmCode, cause: string): void {
    const raised = this.#raised.get(code);
    if (raised === undefined || !raised.causes.delete(cause)) return;
    if (raised.causes.size === 0) this.#raised.delete(code);
    this.#onChange(code, raised.causes.size === 0 ? undefined : describe(code, raised));
  }
}

function describe(code: AlarmCode, raised: Raised): ActiveAlarm {
  const bays = [...new Set(raised.causes.values())].filter((bay) => bay !== undefined);
  return { code, bays: bays.sort((a, b) => a - b), sinceMs: raised.sinceMs };
}

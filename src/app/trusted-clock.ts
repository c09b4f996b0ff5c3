import {
  initialTime,
  mayBeFloor,
  observeTime,
  type TimeObservation,
  type TimePolicy,
  type TimeVerdict,
  type TrustedNow,
  type TrustedTimeState,
  trustedNow,
} from '../core/time/trusted-time.ts';
import type { Clock } from '../ports/clock.ts';
import type { TrustedTime } from '../ports/trusted-time.ts';

/** Of the dock's clock it asks only the monotonic one. */
export class TrustedClock implements TrustedTime {
  readonly #clock: Clock;
  readonly #policy: TimePolicy;
  #state: TrustedTimeState = initialTime(undefined);
  #startFloorMs: number | undefined;

  constructor(clock: Clock, policy: TimePolicy) {
    this.#clock = clock;
    this.#policy = policy;
  }

  now(): TrustedNow {
    return trustedNow(this.#state, this.#clock.monotonicMs(), this.#policy);
  }

  /** At a start: the time of the newest cosignature that was kept. */
  begin(floorMs: number | undefined): void {
    this.#state = initialTime(floorMs);
    this.#startFloorMs = floorMs;
  }

  /** Whether the time of a cosignature from an earlier run may be kept for the next start. */
  mayBeFloor(atMs: number): boolean {
    return mayBeFloor(atMs, this.#startFloorMs, this.#policy);
  }

  observe(observation: Omit<TimeObservation, 'receivedAtMonotonicMs'>): TimeVerdict {
    const receivedAtMonotonicMs = this.#clock.monotonicMs();
    const { state, verdict } = observeTime(
      this.#state,
      { ...observation, receivedAtMonotonicMs },
      this.#policy,
    );
    this.#state = state;
    return verdict;
  }
}

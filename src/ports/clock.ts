export interface Clock {
  /** Wall clock, UTC milliseconds. May jump either way: never used to decide about deletion. */
  nowMs(): number;
  /** Never goes back, starts anywhere. */
  monotonicMs(): number;
  /** Rejects with the signal's reason when aborted. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
}

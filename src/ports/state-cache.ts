/** A cache of the folded state: rebuilt from the log when missing, stale or corrupt. Holds nothing that exists only here. */
export interface StateCache {
  /** Undefined when there is none or it does not parse; never throws for its content. */
  load(): Promise<unknown>;
  save(value: unknown): Promise<void>;
}

/** How evenly the bays were served while all of them had work. */
export class BayShares {
  readonly #bayCount: number;
  readonly #bayBytes: number;
  readonly #doneBytes = new Map<number, number>();
  readonly #busy = new Set<number>();
  /** By bay, at the moment in which the last of them got work. */
  #from: ReadonlyMap<number, number> | undefined;
  #isOver = false;
  #smallest: number | undefined;

  constructor(bayCount: number, bayBytes: number) {
    this.#bayCount = bayCount;
    this.#bayBytes = bayBytes;
  }

  /** The smallest bay's bytes as a share of the mean; undefined when all were never busy at once. */
  get smallest(): number | undefined {
    return this.#smallest;
  }

  onBusy(bay: number): void {
    this.#busy.add(bay);
    if (this.#busy.size === this.#bayCount) this.#from ??= new Map(this.#doneBytes);
  }

  onProgress(bay: number, doneBytes: number): void {
    this.#doneBytes.set(bay, doneBytes);
    if (doneBytes < this.#bayBytes || this.#isOver) return;
    this.#isOver = true;
    const from = this.#from;
    if (from === undefined) return;
    const gains = [...this.#busy].map((each) => {
      return (this.#doneBytes.get(each) ?? 0) - (from.get(each) ?? 0);
    });
    const mean = gains.reduce((sum, bytes) => sum + bytes, 0) / gains.length;
    this.#smallest = mean === 0 ? undefined : Math.min(...gains) / mean;
  }
}

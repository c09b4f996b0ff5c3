interface Lane<T> {
  waiting: T | undefined;
}

/** One message of a sender at a time, all senders side by side. Of those that come meanwhile only the newest waits, so a flood costs no memory. */
export class Lanes<K, T> {
  readonly #work: (key: K, message: T) => Promise<void>;
  readonly #busy = new Map<K, Lane<T>>();
  #onIdle: (() => void)[] = [];
  #isClosed = false;

  /** `work` must not reject. */
  constructor(work: (key: K, message: T) => Promise<void>) {
    this.#work = work;
  }

  put(key: K, message: T): void {
    if (this.#isClosed) return;
    const lane = this.#busy.get(key);
    if (lane === undefined) void this.#run(key, message);
    else lane.waiting = message;
  }

  /** Nothing more is taken; what waits is dropped. */
  close(): void {
    this.#isClosed = true;
    for (const lane of this.#busy.values()) lane.waiting = undefined;
  }

  async idle(): Promise<void> {
    if (this.#busy.size === 0) return;
    await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  async #run(key: K, first: T): Promise<void> {
    const lane: Lane<T> = { waiting: first };
    this.#busy.set(key, lane);
    for (let message = take(lane); message !== undefined; message = take(lane)) {
      await this.#work(key, message);
    }
    this.#busy.delete(key);
    if (this.#busy.size > 0) return;
    for (const listener of this.#onIdle.splice(0)) listener();
  }
}

function take<T>(lane: Lane<T>): T | undefined {
  const { waiting } = lane;
  lane.waiting = undefined;
  return waiting;
}

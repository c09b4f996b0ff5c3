/** INVARIANTS: a retained path is in flight at most once, so its values arrive in order and the latest wins. */

export interface Outgoing {
  readonly path: string;
  /** Empty clears a retained topic. */
  readonly payload: string;
  readonly retain: boolean;
}

/** What is still to be published. Retained values are kept, events are a bounded queue. In memory: no promise rests on it. */
export class Outbox {
  readonly #eventCountMax: number;
  readonly #values = new Map<string, string>();
  readonly #due = new Set<string>();
  readonly #flyingPaths = new Set<string>();
  #events: Outgoing[] = [];
  #flyingEvents: Outgoing[] = [];
  #droppedCount = 0;
  #isEventNext = false;

  constructor(eventCountMax: number) {
    this.#eventCountMax = eventCountMax;
  }

  retain(path: string, payload: string): void {
    if (this.#values.get(path) === payload && !this.#due.has(path)) return;
    this.#values.set(path, payload);
    this.#due.add(path);
  }

  /** The oldest event gives way when the queue is full. */
  emit(path: string, payload: string): void {
    this.#events.push({ path, payload, retain: false });
    this.#trim();
  }

  /** Goes before everything that waits, and takes no event's place. */
  emitFirst(path: string, payload: string): void {
    this.#events.unshift({ path, payload, retain: false });
  }

  /** A new connection: every retained value is due again, `last` after all others, and no event was acknowledged. */
  restart(last: Outgoing): void {
    this.#values.delete(last.path);
    this.#values.set(last.path, last.payload);
    this.#flyingPaths.clear();
    this.#due.clear();
    for (const path of this.#values.keys()) this.#due.add(path);
    this.#events = [...this.#flyingEvents, ...this.#events];
    this.#flyingEvents = [];
    this.#trim();
  }

  /** The next message to publish, retained and events in turn; `settle` it when it is acknowledged. */
  take(): Outgoing | undefined {
    this.#isEventNext = !this.#isEventNext;
    return this.#isEventNext
      ? (this.#takeEvent() ?? this.#takeRetained())
      : (this.#takeRetained() ?? this.#takeEvent());
  }

  settle(message: Outgoing): void {
    if (!message.retain) {
      this.#flyingEvents = this.#flyingEvents.filter((each) => each !== message);
      return;
    }
    this.#flyingPaths.delete(message.path);
    const isCleared = this.#values.get(message.path) === '' && !this.#due.has(message.path);
    if (isCleared) this.#values.delete(message.path);
  }

  /** Events lost since the last call. */
  takeDropped(): number {
    const count = this.#droppedCount;
    this.#droppedCount = 0;
    return count;
  }

  get isIdle(): boolean {
    const flying = this.#flyingPaths.size + this.#flyingEvents.length;
    return flying + this.#due.size + this.#events.length === 0;
  }

  #takeRetained(): Outgoing | undefined {
    for (const path of this.#due) {
      if (this.#flyingPaths.has(path)) continue;
      this.#due.delete(path);
      this.#flyingPaths.add(path);
      return { path, payload: this.#values.get(path) ?? '', retain: true };
    }
    return undefined;
  }

  #takeEvent(): Outgoing | undefined {
    const event = this.#events.shift();
    if (event !== undefined) this.#flyingEvents.push(event);
    return event;
  }

  #trim(): void {
    const excess = this.#events.length - this.#eventCountMax;
    if (excess <= 0) return;
    this.#events.splice(0, excess);
    this.#droppedCount += excess;
  }
}

import type { Json, StatusBroker } from '../../src/ports/status-broker.ts';

export interface FakeEvent {
  readonly path: string;
  readonly body: Json;
}

/** A broker in memory: `away` loses the connection, `back` mends it and publishes again what is retained. */
export class FakeStatusBroker implements StatusBroker {
  /** What the centre has retained now, by path. */
  readonly topics = new Map<string, Json>();
  /** Every retained value that reached the centre, oldest first. */
  readonly published: FakeEvent[] = [];
  /** Every event that reached the centre, oldest first. */
  readonly events: FakeEvent[] = [];
  /** Somebody at the centre who hears every retained value. */
  onPublish: (path: string, body: Json) => void = () => undefined;
  #values = new Map<string, Json>();
  #waiting: FakeEvent[] = [];
  #listeners: ((connected: boolean) => void)[] = [];
  #connected = false;
  #isAway = false;
  readonly #ears = new Map<string, (payload: Uint8Array) => void>();
  readonly #spoken = new Map<string, Uint8Array>();

  get connected(): boolean {
    return this.#connected;
  }

  async start(): Promise<void> {
    if (!this.#isAway) this.#connect();
  }

  retain(path: string, body: Json): void {
    if (path === 'availability') return;
    this.#values.set(path, body);
    if (this.#connected) this.#publish(path, body);
  }

  emit(path: string, body: Json): void {
    if (this.#connected) this.events.push({ path, body });
    else this.#waiting.push({ path, body });
  }

  listen(path: string, listener: (payload: Uint8Array) => void): void {
    this.#ears.set(path, listener);
  }

  /** Somebody else publishes below this dock's topics; a text goes as it is. */
  say(path: string, body: Json, isRetained = false): void {
    const payload = new TextEncoder().encode(
      typeof body === 'string' ? body : JSON.stringify(body),
    );
    if (isRetained) this.#spoken.set(path, payload);
    if (this.#connected) this.#ears.get(path)?.(payload);
  }

  onConnectedChange(listener: (connected: boolean) => void): void {
    this.#listeners.push(listener);
  }

  async stop(): Promise<void> {
    if (this.#connected) this.#publish('availability', 'disconnected');
    this.#set(false);
  }

  away(): void {
    this.#isAway = true;
    if (!this.#connected) return;
    this.topics.set('availability', 'offline');
    this.#set(false);
  }

  /** The centre may have lost its memory meanwhile. */
  back(isMemoryLost = false): void {
    this.#isAway = false;
    if (isMemoryLost) this.topics.clear();
    this.#connect();
  }

  #connect(): void {
    if (this.#connected) return;
    this.#set(true);
    for (const [path, payload] of this.#spoken) this.#ears.get(path)?.(payload);
    for (const [path, body] of this.#values) this.#publish(path, body);
    this.#publish('availability', 'online');
    this.events.push(...this.#waiting.splice(0));
  }

  #publish(path: string, body: Json): void {
    this.published.push({ path, body });
    if (body === null) this.topics.delete(path);
    else this.topics.set(path, body);
    this.onPublish(path, body);
  }

  #set(connected: boolean): void {
    if (this.#connected === connected) return;
    this.#connected = connected;
    for (const listener of this.#listeners) listener(connected);
  }
}

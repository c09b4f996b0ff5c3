import { isDeepStrictEqual } from 'node:util';
import { connectAsync, type MqttClient } from 'mqtt';
import type { Json } from '../../../src/ports/status-broker.ts';

export interface SeenMessage {
  readonly path: string;
  readonly text: string;
  readonly isRetained: boolean;
}

function parseBody(text: string): Json | undefined {
  if (text === '') return undefined;
  return /^[[{"0-9]/.test(text) ? (JSON.parse(text) as Json) : text;
}

/** Someone at the centre who subscribes to everything of one dock. */
export class Observer {
  readonly messages: SeenMessage[] = [];
  readonly #client: MqttClient;
  readonly #prefix: string;
  #onMessage: (() => void)[] = [];

  private constructor(client: MqttClient, prefix: string) {
    this.#client = client;
    this.#prefix = prefix;
    client.on('error', () => undefined);
    client.on('message', (topic, payload, packet) => {
      const path = topic.slice(prefix.length);
      this.messages.push({ path, text: payload.toString('utf8'), isRetained: packet.retain });
      for (const listener of this.#onMessage.splice(0)) listener();
    });
  }

  static async open(url: string, dock: string, version: 4 | 5 = 4): Promise<Observer> {
    const options = { reconnectPeriod: 0, protocolVersion: version } as const;
    const client = await connectAsync(url, options);
    const prefix = `docket/1/${dock}/`;
    const observer = new Observer(client, prefix);
    await client.subscribeAsync(`${prefix}#`, { qos: 1 });
    return observer;
  }

  bodiesOf(path: string): readonly (Json | undefined)[] {
    return this.messages.filter((each) => each.path === path).map((each) => parseBody(each.text));
  }

  /** The bodies of what is not retained by nature. */
  get events(): readonly Json[] {
    const events = this.messages.filter((each) => each.path.startsWith('event/'));
    return events.map((each) => parseBody(each.text) ?? null);
  }

  async until(isDone: () => boolean): Promise<void> {
    while (!isDone()) await new Promise<void>((resolve) => this.#onMessage.push(resolve));
  }

  async untilLast(path: string, body: Json | undefined): Promise<void> {
    await this.until(() => isDeepStrictEqual(this.bodiesOf(path).at(-1), body));
  }

  /** Publishes on the dock's path as anybody could whom the broker lets. */
  async say(path: string, text: string, isRetained = false): Promise<void> {
    await this.#client.publishAsync(this.#prefix + path, text, { qos: 1, retain: isRetained });
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true);
  }
}

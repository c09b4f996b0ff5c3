import { formatHex } from '../../core/bytes.ts';
import { DockError } from '../../core/errors.ts';
import type { DockId } from '../../core/evidence/clip.ts';
import type { OrderLine } from '../../ports/order-line.ts';
import type { Random } from '../../ports/random.ts';
import type { Json } from '../../ports/status-broker.ts';
import { type Connection, openConnection, type TlsFiles } from './connection.ts';

export interface MqttOrderLineOptions {
  readonly url: string;
  readonly dock: DockId;
  readonly random: Random;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: TlsFiles;
}

const PACKET_BYTES_MAX = 64 * 1_024;

/** One connection at a time: whoever sends an order waits at the terminal and sees it fail. */
export class MqttOrderLine implements OrderLine {
  readonly #options: MqttOrderLineOptions;
  #connection: Connection | undefined;

  constructor(options: MqttOrderLineOptions) {
    this.#options = options;
  }

  get dock(): DockId {
    return this.#options.dock;
  }

  async open(
    paths: readonly string[],
    onMessage: (path: string, payload: Uint8Array) => void,
  ): Promise<void> {
    const { random, dock, ...options } = this.#options;
    const connection = {
      ...options,
      clientId: `docket_orders_${formatHex(random.bytes(4))}`,
      topicPrefix: `docket/1/${dock}/`,
      packetBytesMax: PACKET_BYTES_MAX,
    };
    // openConnection has a deadline of its own.
    const { signal } = new AbortController();
    let result = await openConnection(connection, 5, signal);
    if ('failure' in result && result.failure.kind === 'version') {
      result = await openConnection(connection, 4, signal);
    }
    if ('failure' in result) {
      const { kind, reason } = result.failure;
      const code = kind === 'unreachable' ? 'BROKER_UNREACHABLE' : 'BROKER_REFUSED';
      throw new DockError(code, `the broker ${options.url} cannot be used: ${reason}`, {
        action: 'Check its address, that it runs, and what it lets this account do.',
      });
    }
    this.#connection = result.connection;
    this.#connection.listen(paths, ({ path, payload }) => {
      if (payload.length <= PACKET_BYTES_MAX) onMessage(path, payload);
    });
  }

  say(path: string, body: Json): void {
    const payload = JSON.stringify(body);
    // What is lost is said again.
    this.#connection?.publish({ path, payload, retain: false }, () => undefined);
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.end();
    connection?.destroy();
  }
}

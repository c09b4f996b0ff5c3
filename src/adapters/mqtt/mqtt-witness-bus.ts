import { type DockId, parseDockId } from '../../core/evidence/clip.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import type { WitnessBus } from '../../ports/witness.ts';
import { backoffMs } from './backoff.ts';
import {
  type Connection,
  type Incoming,
  type OpenResult,
  openConnection,
  type ProtocolVersion,
  type TlsFiles,
} from './connection.ts';

export interface MqttWitnessBusOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: TlsFiles;
}

type OnCheckpoint = (dock: DockId, payload: Uint8Array) => void;

const TOPIC_PREFIX = 'docket/1/';
const CHECKPOINTS = '+/+/checkpoint';
const PACKET_BYTES_MAX = 128 * 1_024;
const STOP_MS_MAX = 2_000;

/** The witness's connection to the broker of all docks, kept for as long as it takes. */
export class MqttWitnessBus implements WitnessBus {
  readonly #options: MqttWitnessBusOptions;
  readonly #clientId: string;
  readonly #listeners: ((connected: boolean) => void)[] = [];
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #connection: Connection | undefined;
  #version: ProtocolVersion = 5;
  #lastReason = '';
  #isEnding = false;

  constructor(options: MqttWitnessBusOptions) {
    this.#options = options;
    const suffix = [...options.random.bytes(4)].map((byte) => byte.toString(16).padStart(2, '0'));
    this.#clientId = `docket_witness_${suffix.join('')}`;
  }

  get connected(): boolean {
    return this.#connection !== undefined;
  }

  async start(onCheckpoint: OnCheckpoint): Promise<void> {
    this.#running ??= this.#run(onCheckpoint);
  }

  say({ dock, path, body, retain }: Parameters<WitnessBus['say']>[0]): void {
    const payload = body === null ? '' : JSON.stringify(body);
    const message = { path: `${dock}/${path}`, payload, retain };
    this.#connection?.publish(message, (error) => {
      if (error !== undefined) {
        this.#options.logger.warn('answer-refused', { dock, path, why: error.message });
      }
    });
  }

  onConnectedChange(listener: (connected: boolean) => void): void {
    this.#listeners.push(listener);
  }

  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#isEnding = true;
    const connection = this.#connection;
    const late = new AbortController();
    if (connection !== undefined) {
      const deadline = this.#options.clock.delay(STOP_MS_MAX, late.signal).catch(() => undefined);
      await Promise.race([connection.end(), deadline]);
    }
    late.abort();
    this.#stopping.abort();
    connection?.destroy();
    await this.#running;
  }

  async #run(onCheckpoint: OnCheckpoint): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#stopping;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const result = await this.#open();
      if ('connection' in result) {
        await this.#serve(result.connection, onCheckpoint);
        attempt = 0;
      } else {
        this.#report(result.failure.reason);
      }
      await clock.delay(backoffMs(attempt, random), signal).catch(() => undefined);
    }
  }

  async #open(): Promise<OpenResult> {
    const { url, tls, username, password } = this.#options;
    const options = {
      ...{ url, clientId: this.#clientId, topicPrefix: TOPIC_PREFIX },
      packetBytesMax: PACKET_BYTES_MAX,
      ...(tls === undefined ? {} : { tls }),
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    };
    const { signal } = this.#stopping;
    const result = await openConnection(options, this.#version, signal);
    const isOld = 'failure' in result && result.failure.kind === 'version' && this.#version === 5;
    if (!isOld || signal.aborted) return result;
    const older = await openConnection(options, 4, signal);
    if ('connection' in older) this.#version = 4;
    return older;
  }

  async #serve(connection: Connection, onCheckpoint: OnCheckpoint): Promise<void> {
    if (this.#stopping.signal.aborted) {
      connection.destroy();
      return;
    }
    this.#connection = connection;
    this.#lastReason = '';
    const { logger } = this.#options;
    logger.info('broker-connected', { mqtt: connection.version === 5 ? '5' : '3.1.1' });
    connection.listen([CHECKPOINTS], (message) => hear(message, onCheckpoint));
    this.#announce(true);
    await connection.closed;
    this.#connection = undefined;
    connection.destroy();
    if (!this.#isEnding) logger.warn('broker-connection-lost');
    this.#announce(false);
  }

  #announce(connected: boolean): void {
    for (const listener of this.#listeners) listener(connected);
  }

  #report(reason: string): void {
    if (reason === this.#lastReason) return;
    this.#lastReason = reason;
    this.#options.logger.warn('broker-away', { code: 'BROKER_UNREACHABLE', reason });
  }
}

function hear({ path, payload }: Incoming, onCheckpoint: OnCheckpoint): void {
  const [site = '', name = '', last, ...rest] = path.split('/');
  const dock = parseDockId(`${site}/${name}`);
  const isEmpty = payload.length === 0 || payload.length > PACKET_BYTES_MAX;
  if (dock === undefined || last !== 'checkpoint' || rest.length > 0 || isEmpty) return;
  onCheckpoint(dock, payload);
}

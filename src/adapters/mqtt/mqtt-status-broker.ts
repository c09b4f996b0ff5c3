import { DockError } from '../../core/errors.ts';
import type { DockId } from '../../core/evidence/clip.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import type { Json, StatusBroker } from '../../ports/status-broker.ts';
import { backoffMs, randomFraction } from './backoff.ts';
import {
  type ConnectFailure,
  type Connection,
  type ConnectionOptions,
  type Incoming,
  type OpenResult,
  openConnection,
  type ProtocolVersion,
  type TlsFiles,
} from './connection.ts';
import { Outbox, type Outgoing } from './outbox.ts';

export interface MqttStatusBrokerOptions {
  /** `mqtt://host:port`, `mqtts:`, `ws:` or `wss:`. */
  readonly url: string;
  readonly dock: DockId;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: TlsFiles;
  /** The first connection waits a random part of this; 0 connects at once. */
  readonly firstDelayMsMax?: number;
  readonly eventCountMax?: number;
}

const SCHEMA_MAJOR = 1;
const AVAILABILITY = 'availability';
const FIRST_DELAY_MS_MAX = 2_000;
const EVENT_COUNT_MAX = 1_000;
const BODY_BYTES_MAX = 64 * 1024;
const IN_FLIGHT_MAX = 16;
const STABLE_MS = 60_000;
const STOP_MS_MAX = 2_000;
const PATH = /^[a-z0-9-]{1,64}(\/[a-z0-9-]{1,64}){0,5}$/;
/** MQTT 5: server busy, quota exceeded, connection rate exceeded. */
const BUSY_CODES: readonly number[] = [0x89, 0x97, 0x9f];
const LONG_ATTEMPT = 16;

const ACTIONS = {
  version: 'The broker must speak MQTT 5 or 3.1.1.',
  refused: "Check the dock's certificate or password, its id, and what the broker lets it do.",
  unreachable: 'Check the network, the name and port of the broker, and that it runs.',
} as const satisfies Record<ConnectFailure['kind'], string>;

function availability(payload: string): Outgoing {
  return { path: AVAILABILITY, payload, retain: true };
}

/** Keeps one connection to the centre's broker, for as long as it takes. */
export class MqttStatusBroker implements StatusBroker {
  readonly #options: MqttStatusBrokerOptions;
  readonly #outbox: Outbox;
  readonly #listeners: ((connected: boolean) => void)[] = [];
  readonly #ears = new Map<string, (payload: Uint8Array) => void>();
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #connection: Connection | undefined;
  #version: ProtocolVersion | undefined;
  #inFlightCount = 0;
  #onIdle: () => void = () => undefined;
  #lastReason = '';

  constructor(options: MqttStatusBrokerOptions) {
    this.#options = options;
    this.#outbox = new Outbox(options.eventCountMax ?? EVENT_COUNT_MAX);
  }

  get connected(): boolean {
    return this.#connection !== undefined;
  }

  /** Returns at once: a broker that is away is no reason for the dock to wait. CONFIG_INVALID for a bad URL. */
  async start(): Promise<void> {
    const scheme = URL.canParse(this.#options.url) ? new URL(this.#options.url).protocol : '';
    if (!['mqtt:', 'mqtts:', 'ws:', 'wss:'].includes(scheme)) {
      throw new DockError('CONFIG_INVALID', 'the broker URL is not an MQTT address', {
        action: 'Write mqtt://host:port, or mqtts://host:port for TLS.',
      });
    }
    this.#running ??= this.#run();
  }

  retain(path: string, body: Json): void {
    const payload = body === null ? '' : this.#encode(path, body);
    if (payload === undefined) return;
    this.#outbox.retain(path, payload);
    this.#pump();
  }

  emit(path: string, body: Json): void {
    const payload = this.#encode(path, body);
    if (payload === undefined) return;
    this.#outbox.emit(path, payload);
    this.#pump();
  }

  listen(path: string, listener: (payload: Uint8Array) => void): void {
    this.#ears.set(path, listener);
  }

  onConnectedChange(listener: (connected: boolean) => void): void {
    this.#listeners.push(listener);
  }

  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const connection = this.#connection;
    if (connection !== undefined) await this.#sayGoodbye(connection);
    this.#stopping.abort();
    connection?.destroy();
    await this.#running;
  }

  #encode(path: string, body: Json): string | undefined {
    if (!PATH.test(path) || path === AVAILABILITY) {
      this.#options.logger.error('status-path-refused', { path });
      return undefined;
    }
    try {
      const payload = JSON.stringify(body);
      const sizeBytes = new TextEncoder().encode(payload).length;
      if (sizeBytes <= BODY_BYTES_MAX) return payload;
      this.#options.logger.error('status-body-refused', { path, sizeBytes });
    } catch (error) {
      this.#options.logger.error('status-body-refused', { path, reason: String(error) });
    }
    return undefined;
  }

  async #run(): Promise<void> {
    const { clock, random, firstDelayMsMax } = this.#options;
    const signal = this.#stopping.signal;
    let waitMs = (firstDelayMsMax ?? FIRST_DELAY_MS_MAX) * randomFraction(random);
    for (let attempt = 0; !signal.aborted; attempt++) {
      const isAborted = await clock.delay(waitMs, signal).then(
        () => false,
        () => true,
      );
      if (isAborted) return;
      attempt = await this.#attempt(attempt);
      waitMs = backoffMs(attempt, random);
    }
  }

  /** One connection or one failure; the attempt to count on from. */
  async #attempt(attempt: number): Promise<number> {
    const result = await this.#open();
    if ('connection' in result) return (await this.#serve(result.connection)) ? 0 : attempt;
    return BUSY_CODES.includes(result.failure.connackCode ?? 0) ? LONG_ATTEMPT : attempt;
  }

  async #open(): Promise<OpenResult> {
    const { url, dock, tls, username, password } = this.#options;
    const options: ConnectionOptions = {
      url,
      clientId: `docket_${dock.replace('/', '_')}`,
      topicPrefix: `docket/${SCHEMA_MAJOR}/${dock}/`,
      will: availability('offline'),
      packetBytesMax: BODY_BYTES_MAX,
      ...(tls === undefined ? {} : { tls }),
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    };
    const signal = this.#stopping.signal;
    let result = await openConnection(options, this.#version ?? 5, signal);
    if ('failure' in result && result.failure.kind === 'version' && !signal.aborted) {
      result = await openConnection(options, 4, signal);
    }
    if ('connection' in result) this.#version = result.connection.version;
    else this.#report(result.failure);
    return result;
  }

  /** Until the connection ends; true when it was up long enough to call it good. */
  async #serve(connection: Connection): Promise<boolean> {
    const { clock, logger } = this.#options;
    if (this.#stopping.signal.aborted) {
      connection.destroy();
      return true;
    }
    const upFromMs = clock.monotonicMs();
    this.#inFlightCount = 0;
    this.#outbox.restart(availability('online'));
    this.#connection = connection;
    connection.listen([...this.#ears.keys()], (message) => this.#hear(message));
    this.#lastReason = '';
    logger.info('broker-connected', { mqtt: connection.version === 5 ? '5' : '3.1.1' });
    this.#reportDropped();
    this.#announce(true);
    this.#pump();
    await connection.closed;
    this.#connection = undefined;
    connection.destroy();
    this.#onIdle();
    if (!this.#stopping.signal.aborted) logger.warn('broker-connection-lost');
    this.#announce(false);
    return clock.monotonicMs() - upFromMs >= STABLE_MS;
  }

  #hear({ path, payload }: Incoming): void {
    if (payload.length > BODY_BYTES_MAX) {
      this.#options.logger.warn('message-refused', { path, sizeBytes: payload.length });
      return;
    }
    this.#ears.get(path)?.(payload);
  }

  #pump(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    while (this.#inFlightCount < IN_FLIGHT_MAX) {
      const message = this.#outbox.take();
      if (message === undefined) break;
      this.#inFlightCount++;
      connection.publish(message, (error) => {
        if (this.#connection !== connection) return;
        this.#inFlightCount--;
        this.#outbox.settle(message);
        if (error !== undefined) this.#reportRefused(message, error);
        this.#pump();
      });
    }
    if (this.#outbox.isIdle) this.#onIdle();
  }

  /** Sends what is left and `disconnected`, then ends cleanly, all within a deadline. */
  async #sayGoodbye(connection: Connection): Promise<void> {
    const farewell = async () => {
      const idle = new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
      this.#outbox.retain(AVAILABILITY, 'disconnected');
      this.#pump();
      await idle;
      await connection.end();
    };
    const deadline = new AbortController();
    const late = this.#options.clock.delay(STOP_MS_MAX, deadline.signal).catch(() => undefined);
    await Promise.race([farewell(), late]);
    deadline.abort();
  }

  #announce(connected: boolean): void {
    for (const listener of this.#listeners) {
      try {
        listener(connected);
      } catch (error) {
        this.#options.logger.error('broker-listener-failed', { reason: String(error) });
      }
    }
  }

  #report(failure: ConnectFailure): void {
    const code = failure.kind === 'unreachable' ? 'BROKER_UNREACHABLE' : 'BROKER_REFUSED';
    const fields = { code, reason: failure.reason, action: ACTIONS[failure.kind] };
    if (failure.reason === this.#lastReason) this.#options.logger.debug('broker-away', fields);
    else this.#options.logger.warn('broker-away', fields);
    this.#lastReason = failure.reason;
  }

  #reportRefused(message: Outgoing, error: Error): void {
    const fields = { path: message.path, reason: error.message, code: 'BROKER_REFUSED' };
    this.#options.logger.warn('status-refused', fields);
  }

  #reportDropped(): void {
    const count = this.#outbox.takeDropped();
    if (count === 0) return;
    this.#options.logger.warn('events-dropped', { count });
    this.#outbox.emitFirst('event/dropped', JSON.stringify({ count }));
  }
}

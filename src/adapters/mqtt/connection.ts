import { connect as connectMqtt, type IClientOptions, type MqttClient } from 'mqtt';
import type { Outgoing } from './outbox.ts';

export type ProtocolVersion = 4 | 5;

export interface TlsFiles {
  readonly ca?: string | Uint8Array;
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
}

export interface ConnectionOptions {
  /** `mqtt:`, `mqtts:`, `ws:` or `wss:`. */
  readonly url: string;
  readonly clientId: string;
  /** Before every path, with its slash. */
  readonly topicPrefix: string;
  readonly will?: Outgoing;
  readonly packetBytesMax: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: TlsFiles;
}

export interface Incoming {
  /** Without the prefix. */
  readonly path: string;
  readonly payload: Uint8Array;
}

export interface ConnectFailure {
  readonly kind: 'version' | 'refused' | 'unreachable';
  readonly reason: string;
  /** CONNACK code, when the broker gave one. */
  readonly connackCode: number | undefined;
}

/** One connection, from CONNACK to its end. */
export interface Connection {
  readonly version: ProtocolVersion;
  /** Settles, never rejects. */
  readonly closed: Promise<void>;
  /** Once, with an error when the broker refused this message; never when the connection is lost first. */
  publish(message: Outgoing, onSettled: (error: Error | undefined) => void): void;
  /** Messages on these paths, which may hold `+`; once a connection. */
  listen(paths: readonly string[], onMessage: (message: Incoming) => void): void;
  /** A clean DISCONNECT: the last will is not published. */
  end(): Promise<void>;
  destroy(): void;
}

export type OpenResult = { readonly connection: Connection } | { readonly failure: ConnectFailure };

const CONNECT_MS_MAX = 10_000;
const KEEPALIVE_SECONDS = 30;
/** MQTT 3.1.1 table 3.1 and MQTT 5 table 3.2.2.2: the broker does not speak this version. */
const VERSION_CODES: readonly number[] = [1, 0x84];
const JSON_PROPERTIES = { payloadFormatIndicator: true, contentType: 'application/json' } as const;

function clientOptions(options: ConnectionOptions, version: ProtocolVersion): IClientOptions {
  const { will, tls } = options;
  return {
    clientId: options.clientId,
    protocolVersion: version,
    // No session outlives the connection, so the broker publishes the will as soon as it misses the dock:
    // a delay would hide a dead dock for as long as a flapping line.
    clean: true,
    keepalive: KEEPALIVE_SECONDS,
    connectTimeout: CONNECT_MS_MAX,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    ...(will === undefined
      ? {}
      : { will: { ...will, topic: options.topicPrefix + will.path, qos: 1 as const } }),
    ...(version === 5 ? { properties: { maximumPacketSize: options.packetBytesMax } } : {}),
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(tls?.ca === undefined ? {} : { ca: toPem(tls.ca) }),
    ...(tls?.cert === undefined ? {} : { cert: toPem(tls.cert) }),
    ...(tls?.key === undefined ? {} : { key: toPem(tls.key) }),
  };
}

function toPem(file: string | Uint8Array): string {
  return typeof file === 'string' ? file : new TextDecoder().decode(file);
}

function failureOf(error: unknown, version: ProtocolVersion): ConnectFailure {
  const code: unknown = (error as { code?: unknown } | undefined)?.code;
  // Node's error for a name with several addresses has a code and no message.
  const text = error instanceof Error ? error.message || String(code) : '';
  const reason = text || 'closed before CONNACK';
  if (typeof code === 'number') {
    const kind = version === 5 && VERSION_CODES.includes(code) ? 'version' : 'refused';
    return { kind, reason, connackCode: code };
  }
  // Some brokers close the line on a version that they do not know, without a word.
  const kind = error === undefined && version === 5 ? 'version' : 'unreachable';
  return { kind, reason, connackCode: undefined };
}

function wrap(
  client: MqttClient,
  version: ProtocolVersion,
  options: ConnectionOptions,
): Connection {
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
  return {
    version,
    closed,
    publish({ path, payload, retain }, onSettled) {
      const properties = version === 5 && payload.startsWith('{') ? JSON_PROPERTIES : undefined;
      client.publish(
        options.topicPrefix + path,
        payload,
        { qos: 1, retain, ...(properties === undefined ? {} : { properties }) },
        (error) => {
          if (client.connected) onSettled(error ?? undefined);
        },
      );
    },
    listen(paths, onMessage) {
      const { topicPrefix } = options;
      client.on('message', (topic, payload) => {
        if (topic.startsWith(topicPrefix)) {
          onMessage({ path: topic.slice(topicPrefix.length), payload });
        }
      });
      const topics = paths.map((path) => topicPrefix + path);
      // A connection that ends first rejects, and the next one subscribes anew.
      if (topics.length > 0) client.subscribe(topics, { qos: 1 }, () => undefined);
    },
    async end() {
      await client.endAsync();
    },
    destroy() {
      client.end(true);
    },
  };
}

/** Resolves with a connection or with why there is none; never rejects. */
export function openConnection(
  options: ConnectionOptions,
  version: ProtocolVersion,
  signal: AbortSignal,
): Promise<OpenResult> {
  return new Promise((resolve) => {
    let client: MqttClient;
    try {
      client = connectMqtt(options.url, clientOptions(options, version));
    } catch (error) {
      resolve({ failure: { ...failureOf(error, version), kind: 'refused' } });
      return;
    }
    let lastError: unknown;
    // Stays for the client's life: an 'error' without a listener would end the process.
    client.on('error', (error) => {
      lastError = error;
    });
    const onAbort = () => client.end(true);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const onClose = () => {
      signal.removeEventListener('abort', onAbort);
      // mqtt.js closes the stream before it emits the error that made it do so.
      setImmediate(() => resolve({ failure: failureOf(lastError, version) }));
    };
    client.once('close', onClose);
    client.once('connect', () => {
      signal.removeEventListener('abort', onAbort);
      client.off('close', onClose);
      resolve({ connection: wrap(client, version, options) });
    });
  });
}

import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { Aedes, type PublishPacket } from 'aedes';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { DockError } from '../../core/errors.ts';

export interface EmbeddedBrokerOptions {
  /** 0 takes a free port. */
  readonly mqttPort: number;
  /** MQTT over WebSocket and whatever `onRequest` answers; undefined for none, 0 for a free port. */
  readonly httpPort?: number | undefined;
  /** `127.0.0.1` when left out: this broker asks nobody for a password. */
  readonly host?: string;
  readonly onRequest?: RequestListener;
}

export interface EmbeddedBroker {
  readonly mqttPort: number;
  readonly httpPort: number | undefined;
  /** Ends every connection. May be called twice. */
  stop(): Promise<void>;
}

const MESSAGE_BYTES_MAX = 256 * 1024;
const CLIENT_COUNT_MAX = 200;
const CONNECT_MS_MAX = 10_000;
const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\])$/;

/**
 * The broker of the demo and of tests: MQTT 3.1.1, in memory, for a handful of docks on this machine (it does not survive
 * thousands of clients with a will that vanish at once). BROKER_REFUSED when a port cannot be had.
 */
export async function startEmbeddedBroker(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
  const host = options.host ?? '127.0.0.1';
  const core = await createCore();
  const tcp = createServer((socket) => core.accept(socket));
  const http = createHttpServer(options.onRequest ?? answerNotFound);
  serveWebSockets(http, (stream) => core.accept(stream, { mayPublish: false }));
  const stop = async () => {
    core.dropAll();
    http.closeAllConnections();
    await Promise.all([closeServer(tcp), closeServer(http)]);
    await core.close();
  };
  try {
    const mqttPort = await listen(tcp, host, options.mqttPort);
    const { httpPort } = options;
    if (httpPort === undefined) return { mqttPort, httpPort, stop };
    return { mqttPort, httpPort: await listen(http, host, httpPort), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Core {
  accept(stream: Duplex, rights?: { readonly mayPublish: boolean }): void;
  dropAll(): void;
  close(): Promise<void>;
}

async function createCore(): Promise<Core> {
  const streams = new Set<Duplex>();
  const readers = new WeakSet<object>();
  const aedes = await Aedes.createBroker({
    connectTimeout: CONNECT_MS_MAX,
    maxClientsIdLength: 256,
    authorizePublish: (client, packet, callback) => {
      const isReader = client !== null && readers.has(client.conn);
      callback(isReader || isRefused(packet) ? new Error('not allowed') : null);
    },
  });
  // A client's trouble is its own, and an 'error' without a listener would end the process.
  aedes.on('error' as 'clientError', () => undefined);
  return {
    accept(stream, rights = { mayPublish: true }) {
      stream.on('error', () => stream.destroy());
      if (streams.size >= CLIENT_COUNT_MAX) {
        stream.destroy();
        return;
      }
      streams.add(stream);
      stream.once('close', () => streams.delete(stream));
      if (!rights.mayPublish) readers.add(stream);
      aedes.handle(stream);
    },
    dropAll() {
      for (const stream of streams) stream.destroy();
    },
    close: () => new Promise((resolve) => aedes.close(resolve)),
  };
}

function isRefused(packet: PublishPacket): boolean {
  return packet.topic.startsWith('$SYS/') || packet.payload.length > MESSAGE_BYTES_MAX;
}

const answerNotFound: RequestListener = (_request, response) => {
  response.writeHead(404).end();
};

/** Whoever comes over WebSocket, a page in a browser, reads and does not publish. */
function serveWebSockets(http: Server, accept: (stream: Duplex) => void): void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_BYTES_MAX });
  http.on('upgrade', (request, socket: Duplex, head) => {
    socket.on('error', () => socket.destroy());
    if (!isSameOrigin(request.headers)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      accept(createWebSocketStream(webSocket));
    });
  });
}

/** A browser lets any page of any site open a WebSocket to this machine: only our own page may, by a name of this machine. */
function isSameOrigin(headers: { readonly origin?: string; readonly host?: string }): boolean {
  if (headers.origin === undefined) return true;
  if (!URL.canParse(headers.origin)) return false;
  const origin = new URL(headers.origin);
  return origin.host === headers.host && LOOPBACK.test(origin.hostname);
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isBusy = error.code === 'EADDRINUSE';
      const reason = isBusy ? 'is in use' : `cannot be opened (${error.code ?? error.message})`;
      reject(
        new DockError('BROKER_REFUSED', `port ${port} on ${host} ${reason}`, {
          cause: error,
          action: 'Stop the program that has the port, or choose another one (0 takes a free one).',
        }),
      );
    });
    server.listen(port, host, () => {
      // After this only accept() can fail (too many open files): the client tries again.
      server.on('error', () => undefined);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // Called back with an error when it never listened: closed either way.
    server.close(() => resolve());
  });
}

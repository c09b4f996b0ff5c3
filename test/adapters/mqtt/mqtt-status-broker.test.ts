import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmbeddedBroker } from '../../../src/adapters/mqtt/embedded-broker.ts';
import {
  MqttStatusBroker,
  type MqttStatusBrokerOptions,
} from '../../../src/adapters/mqtt/mqtt-status-broker.ts';
import { isDockError } from '../../../src/core/errors.ts';
import type { DockId } from '../../../src/core/evidence/clip.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { FakeLogger } from '../../fakes/fake-logger.ts';
import { FakeRandom } from '../../fakes/fake-random.ts';
import { Observer } from './observer.ts';

const DOCK = 'north/dock-1' as DockId;
const DOCK_PROCESS = fileURLToPath(new URL('dock-process.ts', import.meta.url));
const CONNACK_OK = Uint8Array.of(0x20, 2, 0, 0);

interface Rig {
  readonly broker: MqttStatusBroker;
  readonly clock: FakeClock;
  readonly logger: FakeLogger;
}

function rig(url: string, more: Partial<MqttStatusBrokerOptions> = {}): Rig {
  const clock = new FakeClock();
  const logger = new FakeLogger();
  const random = new FakeRandom();
  const common = { url, dock: DOCK, clock, logger, random, firstDelayMsMax: 0 };
  return { broker: new MqttStatusBroker({ ...common, ...more }), clock, logger };
}

/** A server that answers each connection's first bytes as it is told; counts the protocol versions it was offered. */
async function fakeServer(answer: (socket: Socket, version: number) => void) {
  const versions: number[] = [];
  const server: Server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (bytes) => {
      const version = bytes[8] ?? 0;
      versions.push(version);
      answer(socket, version);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () => new Promise((resolve) => server.close(resolve));
  return { url, versions, close };
}

function connectedOnce(broker: MqttStatusBroker): Promise<void> {
  return new Promise((resolve) => {
    broker.onConnectedChange((connected) => {
      if (connected) resolve();
    });
  });
}

const mqtt = suite('mqtt status broker');

mqtt('falls back to 3.1.1 when the broker refuses MQTT 5, and remembers it', async () => {
  const centre = await startEmbeddedBroker({ mqttPort: 0 });
  const { broker, logger } = rig(`mqtt://127.0.0.1:${centre.mqttPort}`);
  const connected = connectedOnce(broker);
  await broker.start();
  await connected;
  assert.equal(logger.of('broker-connected')[0]?.fields, { mqtt: '3.1.1' });
  await broker.stop();
  await centre.stop();
});

mqtt('falls back when the broker closes on MQTT 5 without a word', async () => {
  const server = await fakeServer((socket, version) => {
    if (version === 5) socket.end();
    else socket.write(CONNACK_OK, () => setImmediate(() => socket.destroy()));
  });
  const { broker, clock } = rig(server.url);
  const connected = connectedOnce(broker);
  await broker.start();
  await connected;
  await clock.untilWaiting();
  const again = connectedOnce(broker);
  await clock.advance(60_000);
  await again;
  assert.equal(server.versions.slice(0, 3), [5, 4, 4]);
  await broker.stop();
  await server.close();
});

mqtt('waits longer and longer, with jitter, and says once why', async () => {
  const server = await fakeServer((socket) => socket.end(Uint8Array.of(0x20, 2, 0, 5)));
  const { broker, clock, logger } = rig(server.url);
  await broker.start();
  const waits: number[] = [];
  for (let attempt = 0; attempt < 8; attempt++) {
    await clock.untilWaiting();
    waits.push(clock.waitingMs[0] ?? 0);
    await clock.advance(60_000);
  }
  assert.ok(waits.every((wait, attempt) => wait <= Math.min(60_000, 1000 * 2 ** (attempt + 1))));
  assert.ok(Math.max(...waits) > 2_000, waits.join(' '));
  const away = logger.of('broker-away');
  assert.is(away[0]?.fields.code, 'BROKER_REFUSED');
  assert.match(String(away[0]?.fields.action), 'certificate');
  assert.equal(away.filter((line) => line.level === 'warn').length, 1);
  await broker.stop();
  await server.close();
});

mqtt('survives a server that talks garbage', async () => {
  const server = await fakeServer((socket) => socket.end(new Uint8Array(4096).fill(0xff)));
  const { broker, clock, logger } = rig(server.url);
  await broker.start();
  for (let attempt = 0; attempt < 3; attempt++) {
    await clock.untilWaiting();
    await clock.advance(60_000);
  }
  assert.ok(logger.of('broker-away').length > 0);
  assert.is(broker.connected, false);
  await broker.stop();
  await server.close();
});

mqtt('keeps trying while nothing listens, and says what to do', async () => {
  const gone = await fakeServer((socket) => socket.end());
  await gone.close();
  const { broker, clock, logger } = rig(gone.url);
  broker.retain('state', { state: 'ready' });
  await broker.start();
  await clock.untilWaiting();
  const line = logger.of('broker-away')[0];
  assert.is(line?.fields.code, 'BROKER_UNREACHABLE');
  assert.match(String(line?.fields.reason), 'ECONNREFUSED');
  await broker.stop();
});

mqtt('refuses an address that is not MQTT, by code', async () => {
  for (const url of ['http://127.0.0.1', 'broker.example', '']) {
    const failure = await rig(url)
      .broker.start()
      .catch((error: unknown) => error);
    assert.ok(isDockError(failure, 'CONFIG_INVALID'), url);
  }
});

mqtt('never throws for a path or a body that cannot be sent', async () => {
  const { broker, logger } = rig('mqtt://127.0.0.1:1');
  const circular: { self?: unknown } = {};
  circular.self = circular;
  broker.retain('../other-dock/state', {});
  broker.retain('state/#', {});
  broker.retain('availability', 'online');
  broker.emit('event/big', { text: 'x'.repeat(70_000) });
  broker.emit('event/round', circular as never);
  assert.is(logger.of('status-path-refused').length, 3);
  assert.is(logger.of('status-body-refused').length, 2);
});

mqtt('keeps the newest events when the queue is full, and reports how many were lost', async () => {
  const centre = await startEmbeddedBroker({ mqttPort: 0 });
  const url = `mqtt://127.0.0.1:${centre.mqttPort}`;
  const observer = await Observer.open(url, DOCK);
  const { broker, logger } = rig(url, { eventCountMax: 3 });
  for (let seq = 1; seq <= 10; seq++) broker.emit('event/docked', { seq });
  await broker.start();
  await observer.until(() => observer.events.length >= 4);
  assert.is(logger.of('events-dropped')[0]?.fields.count, 7);
  assert.equal(observer.events, [{ count: 7 }, { seq: 8 }, { seq: 9 }, { seq: 10 }]);
  await broker.stop();
  await observer.close();
  await centre.stop();
});

mqtt(
  'leaves offline by last will when it is killed, and disconnected when it is stopped',
  async () => {
    const centre = await startEmbeddedBroker({ mqttPort: 0 });
    const url = `mqtt://127.0.0.1:${centre.mqttPort}`;
    const observer = await Observer.open(url, DOCK);
    for (const [signal, last] of [
      ['SIGKILL', 'offline'],
      ['SIGTERM', 'disconnected'],
    ] as const) {
      const args = ['--import', import.meta.resolve('tsx'), DOCK_PROCESS, url, DOCK];
      const child = spawn(process.execPath, args, { stdio: 'ignore' });
      await observer.untilLast('availability', 'online');
      await observer.untilLast('state', { state: 'ready' });
      child.kill(signal);
      await observer.untilLast('availability', last);
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    await observer.close();
    await centre.stop();
  },
);

mqtt('tells a later subscriber too that the dock is offline', async () => {
  const centre = await startEmbeddedBroker({ mqttPort: 0 });
  const url = `mqtt://127.0.0.1:${centre.mqttPort}`;
  const observer = await Observer.open(url, DOCK);
  const args = ['--import', import.meta.resolve('tsx'), DOCK_PROCESS, url, DOCK];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  await observer.untilLast('availability', 'online');
  child.kill('SIGKILL');
  await observer.untilLast('availability', 'offline');
  const late = await Observer.open(url, DOCK);
  await late.untilLast('availability', 'offline');
  assert.is(late.messages.find((each) => each.path === 'availability')?.isRetained, true);
  await Promise.all([observer.close(), late.close()]);
  await centre.stop();
});

mqtt('stops at once while it waits to connect', async () => {
  const hold = createServer(() => undefined);
  hold.listen(0, '127.0.0.1');
  await once(hold, 'listening');
  const { broker } = rig(`mqtt://127.0.0.1:${(hold.address() as AddressInfo).port}`);
  const arrived = once(hold, 'connection');
  await broker.start();
  const [socket] = (await arrived) as [Socket];
  await broker.stop();
  socket.destroy();
  await new Promise((resolve) => hold.close(resolve));
});

mqtt.run();

const embedded = suite('embedded broker');

embedded('says which port is taken, and what to do', async () => {
  const first = await startEmbeddedBroker({ mqttPort: 0, httpPort: 0 });
  for (const options of [{ mqttPort: first.mqttPort }, { mqttPort: 0, httpPort: first.httpPort }]) {
    const failure = await startEmbeddedBroker(options).catch((error: unknown) => error);
    assert.ok(isDockError(failure, 'BROKER_REFUSED'));
    assert.match(failure.message, 'is in use');
    assert.ok(failure.action);
  }
  await first.stop();
  await first.stop();
});

embedded('lives on when clients talk garbage or vanish', async () => {
  const centre = await startEmbeddedBroker({ mqttPort: 0, httpPort: 0 });
  const bad = [
    Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
    Uint8Array.of(0x10, 0x0c, 0, 4, 0x4d, 0x51, 0x54, 0x54, 9, 2, 0, 1, 0, 0),
    Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f),
    new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n'),
  ];
  for (const bytes of bad) {
    const socket = createConnection(centre.mqttPort, '127.0.0.1');
    socket.on('error', () => socket.destroy());
    socket.write(bytes);
    await once(socket, 'connect');
    socket.destroy();
  }
  const url = `mqtt://127.0.0.1:${centre.mqttPort}`;
  const { broker } = rig(url);
  const observer = await Observer.open(url, DOCK);
  await broker.start();
  await observer.untilLast('availability', 'online');
  await broker.stop();
  await observer.close();
  await centre.stop();
});

embedded(
  'lets a page of its own read over WebSocket, and a page from elsewhere nothing',
  async () => {
    const centre = await startEmbeddedBroker({ mqttPort: 0, httpPort: 0 });
    const { broker } = rig(`mqtt://127.0.0.1:${centre.mqttPort}`);
    await broker.start();
    const observer = await Observer.open(`ws://127.0.0.1:${centre.httpPort}`, DOCK);
    await observer.untilLast('availability', 'online');
    const page = `http://127.0.0.1:${centre.httpPort}`;
    const upgrade = async (origin: string) => {
      const socket = createConnection(centre.httpPort ?? 0, '127.0.0.1');
      socket.write(
        `GET / HTTP/1.1\r\nHost: 127.0.0.1:${centre.httpPort}\r\nOrigin: ${origin}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
      );
      const [bytes] = (await once(socket, 'data')) as [Uint8Array];
      socket.destroy();
      return new TextDecoder().decode(bytes).split('\r\n')[0];
    };
    assert.is(await upgrade(page), 'HTTP/1.1 101 Switching Protocols');
    assert.is(await upgrade('http://elsewhere.example'), 'HTTP/1.1 403 Forbidden');
    assert.is(await upgrade('null'), 'HTTP/1.1 403 Forbidden');
    await observer.close();
    await broker.stop();
    await centre.stop();
  },
);

embedded('closes a WebSocket client that tries to publish', async () => {
  const centre = await startEmbeddedBroker({ mqttPort: 0, httpPort: 0 });
  const watcher = await Observer.open(`mqtt://127.0.0.1:${centre.mqttPort}`, DOCK);
  const { broker } = rig(`ws://127.0.0.1:${centre.httpPort}`);
  const lost = new Promise<void>((resolve) => {
    broker.onConnectedChange((connected) => {
      if (!connected) resolve();
    });
  });
  broker.retain('state', { state: 'forged' });
  await broker.start();
  await lost;
  assert.equal(watcher.messages, []);
  await broker.stop();
  await watcher.close();
  await centre.stop();
});

embedded.run();

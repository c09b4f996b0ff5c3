import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  MqttStatusBroker,
  type MqttStatusBrokerOptions,
} from '../../src/adapters/mqtt/mqtt-status-broker.ts';
import type { DockId } from '../../src/core/evidence/clip.ts';
import { Observer } from '../adapters/mqtt/observer.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeLogger } from '../fakes/fake-logger.ts';
import { FakeRandom } from '../fakes/fake-random.ts';

const DOCK = 'north/dock-1' as DockId;
const DOCK_PROCESS = fileURLToPath(new URL('../adapters/mqtt/dock-process.ts', import.meta.url));

interface Mosquitto {
  readonly folder: string;
  readonly port: number;
  start(): Promise<void>;
  kill(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Debian's broker, without memory, so that a restart forgets everything. */
async function mosquitto(lines: (folder: string) => readonly string[]): Promise<Mosquitto> {
  const folder = mkdtempSync(path.join(tmpdir(), 'docket-mosquitto-'));
  const port = await freePort();
  const config = path.join(folder, 'mosquitto.conf');
  const common = ['persistence false', 'log_dest none', 'user root', `listener ${port} 127.0.0.1`];
  writeFileSync(config, [...common, ...lines(folder), ''].join('\n'));
  let child: ChildProcess | undefined;
  return {
    folder,
    port,
    async start() {
      child = spawn('mosquitto', ['-c', config], {
        stdio: 'ignore',
        env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
      });
      child.once('error', () => undefined);
      while (!(await isListening(port))) {
        assert.is(child.exitCode, null, 'mosquitto runs');
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    async kill() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

function rig(url: string, more: Partial<MqttStatusBrokerOptions> = {}) {
  const clock = new FakeClock();
  const logger = new FakeLogger();
  const common = { url, dock: DOCK, clock, logger, random: new FakeRandom(), firstDelayMsMax: 0 };
  return { broker: new MqttStatusBroker({ ...common, ...more }), clock, logger };
}

function openssl(folder: string, ...args: string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
}

/** An authority, the broker's certificate and the dock's, whose common name is its id. */
function makeCertificates(folder: string): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    folder,
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=test ca',
  );
  writeFileSync(path.join(folder, 'names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  for (const [name, subject] of [
    ['broker', '/CN=localhost'],
    ['dock', `/CN=${DOCK.replace('/', '\\/')}`],
  ] as const) {
    openssl(
      folder,
      'req',
      ...key,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      subject,
    );
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names'];
    openssl(folder, 'x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.pem`);
  }
}

const system = suite('mosquitto');

system('speaks MQTT 5, and publishes everything again after the broker forgot it', async () => {
  const centre = await mosquitto(() => ['allow_anonymous true']);
  await centre.start();
  const url = `mqtt://127.0.0.1:${centre.port}`;
  const { broker, clock, logger } = rig(url);
  broker.retain('state', { state: 'ready' });
  await broker.start();
  const before = await Observer.open(url, DOCK, 5);
  await before.untilLast('availability', 'online');
  assert.equal(logger.of('broker-connected')[0]?.fields, { mqtt: '5' });
  await before.close();
  const lost = new Promise<void>((resolve) => {
    broker.onConnectedChange((connected) => {
      if (!connected) resolve();
    });
  });
  await centre.kill();
  await lost;
  broker.retain('state', { state: 'working' });
  broker.retain('state', { state: 'waiting' });
  await centre.start();
  const after = await Observer.open(url, DOCK, 5);
  await clock.untilWaiting();
  await clock.advance(60_000);
  await after.untilLast('availability', 'online');
  assert.equal(after.bodiesOf('state'), [{ state: 'waiting' }]);
  await broker.stop();
  await after.untilLast('availability', 'disconnected');
  await after.close();
  await centre.kill();
  rmSync(centre.folder, { recursive: true });
});

system('leaves offline by last will when the dock is killed', async () => {
  const centre = await mosquitto(() => ['allow_anonymous true']);
  await centre.start();
  const url = `mqtt://127.0.0.1:${centre.port}`;
  const observer = await Observer.open(url, DOCK, 5);
  const args = ['--import', import.meta.resolve('tsx'), DOCK_PROCESS, url, DOCK];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  await observer.untilLast('availability', 'online');
  child.kill('SIGKILL');
  await observer.untilLast('availability', 'offline');
  const text = execFileSync('mosquitto_sub', [
    ...['-h', '127.0.0.1', '-p', String(centre.port), '-t', 'docket/#', '-v', '-C', '2'],
  ]).toString();
  assert.match(text, `docket/1/${DOCK}/availability offline\n`);
  assert.match(text, `docket/1/${DOCK}/state {"state":"ready"}\n`);
  await observer.close();
  await centre.kill();
  rmSync(centre.folder, { recursive: true });
});

system('proves itself with a certificate whose name binds its topics', async () => {
  const centre = await mosquitto((folder) => {
    makeCertificates(folder);
    const acl = ['pattern write docket/1/%u/#', 'topic read docket/#'];
    writeFileSync(path.join(folder, 'acl'), `${acl.join('\n')}\n`);
    return [
      ...[
        `cafile ${folder}/ca.pem`,
        `certfile ${folder}/broker.pem`,
        `keyfile ${folder}/broker.key`,
      ],
      ...['require_certificate true', 'use_identity_as_username true', `acl_file ${folder}/acl`],
    ];
  });
  await centre.start();
  const url = `mqtts://127.0.0.1:${centre.port}`;
  const file = (name: string) => readFileSync(path.join(centre.folder, name));
  const tls = { ca: file('ca.pem'), cert: file('dock.pem'), key: file('dock.key') };

  const own = rig(url, { tls });
  const isUp = new Promise<void>((resolve) => {
    own.broker.onConnectedChange((connected) => connected && resolve());
  });
  await own.broker.start();
  await isUp;
  await own.broker.stop();
  assert.equal(own.logger.of('status-refused'), []);

  const other = rig(url, { tls, dock: 'south/dock-2' as DockId });
  await other.broker.start();
  other.broker.retain('state', { state: 'forged' });
  assert.match(String((await other.logger.until('status-refused')).fields.reason), /authorized/i);
  await other.broker.stop();

  const stranger = rig(url, { tls: { ca: tls.ca } });
  await stranger.broker.start();
  await stranger.clock.untilWaiting();
  assert.is(stranger.broker.connected, false);
  await stranger.broker.stop();

  const fooled = rig(url, { tls: { cert: tls.cert, key: tls.key } });
  await fooled.broker.start();
  await fooled.clock.untilWaiting();
  assert.match(String(fooled.logger.of('broker-away')[0]?.fields.reason), /certificate|issuer/i);
  await fooled.broker.stop();

  await centre.kill();
  rmSync(centre.folder, { recursive: true });
});

system.run();

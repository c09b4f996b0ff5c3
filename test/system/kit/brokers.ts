import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const EMBEDDED = fileURLToPath(new URL('broker-process.ts', import.meta.url));

/** A broker as a process on a port that stays its own; a restart forgets everything. */
export interface BrokerProcess {
  readonly folder: string;
  readonly port: number;
  readonly url: string;
  /** Returns when it listens. */
  start(): Promise<void>;
  kill(): Promise<void>;
  /** Killed, and its folder removed. */
  end(): Promise<void>;
}

/** Debian's mosquitto, without persistence. `lines` are added to its configuration. */
export async function mosquitto(
  lines: (folder: string) => readonly string[] = () => ['allow_anonymous true'],
): Promise<BrokerProcess> {
  const folder = mkdtempSync(path.join(tmpdir(), 'docket-mosquitto-'));
  const port = await freePort();
  const config = path.join(folder, 'mosquitto.conf');
  const common = ['persistence false', 'log_dest none', 'user root', `listener ${port} 127.0.0.1`];
  writeFileSync(config, [...common, ...lines(folder), ''].join('\n'));
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  return brokerProcess({ folder, port }, () =>
    spawn('mosquitto', ['-c', config], { stdio: 'ignore', env }),
  );
}

/** The embedded broker of the demo. */
export async function embedded(): Promise<BrokerProcess> {
  const folder = mkdtempSync(path.join(tmpdir(), 'docket-embedded-'));
  const port = await freePort();
  const args = ['--import', import.meta.resolve('tsx'), EMBEDDED, String(port)];
  return brokerProcess({ folder, port }, () =>
    spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] }),
  );
}

function brokerProcess(
  { folder, port }: { readonly folder: string; readonly port: number },
  launch: () => ChildProcess,
): BrokerProcess {
  let child: ChildProcess | undefined;
  let failure: Error | undefined;
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return {
    ...{ folder, port, kill },
    url: `mqtt://127.0.0.1:${port}`,
    async start() {
      child = launch();
      child.once('error', (error) => {
        failure = error;
      });
      while (!(await isListening(port))) {
        if (failure !== undefined) throw failure;
        if (child.exitCode !== null) throw new Error(`the broker ended with ${child.exitCode}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    async end() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
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

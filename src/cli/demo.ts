import { createWriteStream } from 'node:fs';
import { appendFile, mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type ResolvedDockConfig, readBoardFile } from '../adapters/fs/config-file.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../adapters/mqtt/embedded-broker.ts';
import { packageRoot } from '../adapters/native/package-info.ts';
import { PinoLogger } from '../adapters/node/pino-logger.ts';
import { SimulatedBoard } from '../adapters/simulated/simulated-board.ts';
import { createStatusPage } from '../adapters/web/status-page.ts';
import type { Dock } from '../app/dock.ts';
import type { BoardConfig } from '../core/config/board.ts';
import { DockError, isDockError } from '../core/errors.ts';
import { parseDockId } from '../core/evidence/clip.ts';
import { MIB } from '../core/evidence/naming.ts';
import { composeDock, verifierKeyOf } from '../main.ts';
import {
  createCouncilKeys,
  hasCouncilKeys,
  loadWitnessSigner,
  ROLES_NOTE,
  ROOT_KEY,
  readRecipients,
  VERIFY_POLICY,
  witnessKeyOf,
} from './council-keys.ts';
import { type DemoCamera, findClipFiles, makeCameras, startCameras } from './demo-cameras.ts';
import { DemoControls } from './demo-controls.ts';
import { DemoTally } from './demo-tally.ts';
import { DemoTerminal } from './demo-terminal.ts';
import { DemoWitness } from './demo-witness.ts';
import { printJson } from './output.ts';
import { untilSignal } from './until-signal.ts';

interface DemoOptions {
  readonly clips: string;
  readonly cameras: number;
  readonly data: string;
  readonly keys: string;
  readonly port?: number;
  readonly mqttPort?: number;
  readonly once?: boolean;
}

const SITE = 'demo';
const DOCK = 'dock-1';
const DEFAULT_PORT = 8080;
const DEFAULT_MQTT_PORT = 1883;

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('A whole dock on this machine: simulated cameras and board, all else real.')
    .option('--clips <dir>', 'files to put on the cameras', join(packageRoot, CLIPS))
    .option('--cameras <n>', 'cameras, one a bay', parseCameraCount, 4)
    .option('--data <dir>', "the dock's data folder", 'docket-demo/data')
    .option('--keys <dir>', "the council's keys, made if missing", 'docket-demo/keys')
    .option('--port <p>', 'status page and MQTT over WebSocket (8080, or a free one)', parsePort)
    .option('--mqtt-port <q>', 'MQTT (1883, or a free one)', parsePort)
    .option('--once', 'end when every clip is vaulted and released')
    .action(runDemo);
}

const CLIPS = 'firmware-bridge/sim/clips';

async function runDemo(options: DemoOptions): Promise<void> {
  const dataDir = resolve(options.data);
  const keysDir = resolve(options.keys);
  refuseInside(keysDir, dataDir);
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  await prepareKeys(keysDir, say);
  const folder = `${dataDir}-cameras`;
  const clips = await findClipFiles(options.clips);
  say(`Putting ${clips.length} files on ${options.cameras} cameras (their storage: ${folder}).`);
  const cameras = await makeCameras({ folder, count: options.cameras, clips });
  const broker = await startBroker(options);
  const terminal = new DemoTerminal(
    cameras.map(({ bay }) => bay),
    process.stdout.isTTY === true,
  );
  const tally = new DemoTally(cameras, terminal);
  const board = new SimulatedBoard({
    name: 'simulated',
    bays: cameras.map(({ bay }) => bay),
    onLight: (bay, light) => terminal.onLight(bay, light),
  });
  const config = await configOf({ dataDir, keysDir, cameras, mqttPort: broker.mqttPort });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const logger = new PinoLogger({
    level: 'info',
    stream: createWriteStream(join(folder, 'dock.log'), { flags: 'a' }),
  });
  const { dock, keys } = await composeDock(config, {
    ...{ board, observer: tally, logger, brokerDelayMsMax: 0 },
  });
  await trust(keysDir, `witness ${config.witness?.key}`);
  await trust(keysDir, `log ${verifierKeyOf(keys.log)}`);
  const witness = new DemoWitness({
    ...{ broker: `mqtt://127.0.0.1:${broker.mqttPort}`, keys: keysDir, folder },
    data: `${dataDir}-witness`,
  });
  say(`Status page: http://127.0.0.1:${broker.httpPort}/`);
  say(`MQTT:        mosquitto_sub -p ${broker.mqttPort} -v -t 'docket/#'`);
  say('');
  await dock.start();
  const running = await startCameras(cameras, { folder, dock: config.dockId, keys });
  terminal.start();
  const controls = new DemoControls(running, board, terminal);
  try {
    await (options.once
      ? runOnce(dock, tally)
      : runUntilStopped({ tally, terminal, dataDir, keysDir, controls }));
  } finally {
    controls.stop();
    terminal.stop();
    await Promise.all(running.map((camera) => camera.stop()));
    await dock.stop();
    await witness.stop();
    await broker.stop();
    for (const { link } of cameras) await rm(dirname(link), { recursive: true, force: true });
  }
  if (!options.once) return;
  printJson({ ...tally.summary(), dataDir, keysDir });
  if (!tally.isAllReleased) process.exitCode = 1;
}

async function runOnce(dock: Dock, tally: DemoTally): Promise<void> {
  await Promise.race([tally.done(() => dock.halted), untilSignal()]);
}

async function runUntilStopped(demo: {
  readonly tally: DemoTally;
  readonly terminal: DemoTerminal;
  readonly controls: DemoControls;
  readonly dataDir: string;
  readonly keysDir: string;
}): Promise<void> {
  const stopped = untilSignal();
  demo.controls.start();
  await Promise.race([demo.tally.done(() => undefined), stopped]);
  for (const line of whatToTry(demo)) demo.terminal.say(line);
  await stopped;
}

function whatToTry({
  tally,
  dataDir,
  keysDir,
  controls,
}: Parameters<typeof runUntilStopped>[0]): string[] {
  const data = shortPath(dataDir);
  const keys = shortPath(keysDir);
  const clip = tally.lastClip ?? 'CLIP';
  return [
    '',
    'Every clip is in the vault, and the cameras have erased theirs. In another terminal:',
    `  npm run docket -- list --data ${data}`,
    `  npm run docket -- show ${clip.slice(0, 8)} --data ${data}`,
    `  npm run docket -- open ${clip.slice(0, 8)} --data ${data} --identity ${keys}/evidence.identity.txt --out clip.mp4`,
    `  age -d -i ${keys}/evidence.identity.txt ${data}/vault/${clip}/0000.age > clip.mp4`,
    controls.help,
    'Ctrl-C ends the demo.',
    '',
  ];
}

function shortPath(path: string): string {
  const short = relative('', path);
  return short === '' || short.startsWith('..') ? path : short;
}

async function prepareKeys(keysDir: string, say: (text: string) => void): Promise<void> {
  if (await hasCouncilKeys(keysDir)) {
    say(`Council keys: ${keysDir}`);
    return;
  }
  await createCouncilKeys(keysDir);
  say(`Council keys were made in ${keysDir}.`);
  say(
    'A council makes them on its own computer: the dock gets the recipients, never the identities.',
  );
}

async function configOf({
  dataDir,
  keysDir,
  cameras,
  mqttPort,
}: {
  readonly dataDir: string;
  readonly keysDir: string;
  readonly cameras: readonly DemoCamera[];
  readonly mqttPort: number;
}): Promise<ResolvedDockConfig> {
  const dockId = parseDockId(`${SITE}/${DOCK}`);
  if (dockId === undefined) throw new DockError('CONFIG_INVALID', 'the demo has no dock id');
  return {
    ...{ site: SITE, dock: DOCK, dockId, dataDir },
    board: await boardOf(cameras),
    recipients: [...(await readRecipients(keysDir))],
    cameras: cameras.map(({ registered }) => registered),
    allowKeylessCameras: false,
    broker: { url: `mqtt://127.0.0.1:${mqttPort}` },
    witness: { key: witnessKeyOf(await loadWitnessSigner(keysDir)), jumpDays: 3_650 },
    orders: {
      rootKey: (await readFile(join(keysDir, ROOT_KEY), 'utf8')).trim(),
      rolesFile: join(keysDir, ROLES_NOTE),
    },
    segmentBytes: 64 * MIB,
    reserveBytes: 256 * MIB,
    retentionDays: 60,
    logLevel: 'info',
  };
}

async function boardOf(cameras: readonly DemoCamera[]): Promise<BoardConfig> {
  const board = await readBoardFile(join(packageRoot, 'boards/simulated.json'));
  const [first] = board.bays;
  if (first === undefined) throw new DockError('BOARD_INVALID', 'boards/simulated.json has no bay');
  return { ...board, bays: cameras.map(({ bay, link }) => ({ ...first, bay, serial: link })) };
}

/** A port that was asked for is used or refused; one that was not gives way to whoever has it. */
async function startBroker({ port, mqttPort }: DemoOptions): Promise<EmbeddedBroker> {
  const onRequest = createStatusPage({ folder: join(packageRoot, 'src/dashboard') });
  const ports = { httpPort: port ?? DEFAULT_PORT, mqttPort: mqttPort ?? DEFAULT_MQTT_PORT };
  try {
    return await startEmbeddedBroker({ ...ports, onRequest });
  } catch (error) {
    const isChosen = port !== undefined && mqttPort !== undefined;
    if (!isDockError(error, 'BROKER_REFUSED') || isChosen) throw error;
    const free = { httpPort: port ?? 0, mqttPort: mqttPort ?? 0 };
    return await startEmbeddedBroker({ ...free, onRequest });
  }
}

/** Stands for the engineer who carries the dock's key to the council by hand. */
async function trust(keysDir: string, line: string): Promise<void> {
  const path = join(keysDir, VERIFY_POLICY);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (!text.split('\n').includes(line)) await appendFile(path, `${line}\n`);
}

function refuseInside(keysDir: string, dataDir: string): void {
  const path = relative(dataDir, keysDir);
  if (path === '..' || path.startsWith('../')) return;
  throw new DockError('ARGUMENT_INVALID', `the keys would lie in the dock's data, ${dataDir}`, {
    action: 'Give --keys a folder apart from --data: what opens clips is never on the dock.',
  });
}

function parseCameraCount(text: string): number {
  const count = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > 16) throw new InvalidArgumentError('give a number from 1 to 16');
  return count;
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port < 0 || port > 65_535) throw new InvalidArgumentError('give a port from 0 to 65535');
  return port;
}

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { provisionCamera, startCamera } from '../../../firmware-bridge/sim/provision.ts';
import { formatHex } from '../../../src/core/bytes.ts';
import { type Cell, deadlineSeconds, type Outcome } from './cells.ts';
import type { ReadMessage, ReadSetting } from './dock-process.ts';
import { startRelay } from './tools.ts';
import { appeared, isDirect, isIntact, type Scene } from './transfer.ts';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const PROGRAM = fileURLToPath(new URL(`./dock-process.${extension}`, import.meta.url));
const DOCK = 'bench/dock-1';
const SERIAL = 'CAM-0001';
/** What a line that nothing paces is said to do. */
const UNTHROTTLED_BAUD = 4_000_000;

export interface DockOutcome extends Outcome {
  /** From the first byte to a camera that has proved itself. */
  readonly sessionSeconds: number;
}

async function hear(dock: ChildProcess): Promise<ReadMessage> {
  const ended = once(dock, 'exit').then(() => undefined);
  const heard = await Promise.race([once(dock, 'message'), ended]);
  const [message] = (heard ?? []) as [ReadMessage?];
  return message ?? { kind: 'failed', message: 'the dock ended early' };
}

interface Place {
  readonly folder: string;
  readonly store: string;
  readonly camera: string;
  readonly bay: string;
  readonly out: string;
}

function makePlace(folder: string): Place {
  const own = mkdtempSync(join(folder, 'docket-'));
  const at = (name: string) => join(own, name);
  mkdirSync(at('store'));
  return { folder: own, store: at('store'), camera: at('cam'), bay: at('bay'), out: at('out') };
}

async function readThrough(scene: Scene, cell: Cell, place: Place): Promise<DockOutcome> {
  const { publicKey } = await provisionCamera({
    store: place.store,
    serial: SERIAL,
    clips: [scene.clip],
  });
  const setting: ReadSetting = {
    link: isDirect(cell) ? place.camera : place.bay,
    baudRate: cell.baud === 0 ? UNTHROTTLED_BAUD : cell.baud,
    publicKey: formatHex(publicKey ?? new Uint8Array()),
    out: place.out,
    deadlineSeconds: deadlineSeconds(cell),
  };
  const dock = fork(PROGRAM, [JSON.stringify(setting)]);
  const keys = await hear(dock);
  if (keys.kind !== 'keys') throw new Error('the dock did not say its keys');
  const docks = join(place.folder, 'docks.json');
  const paired = { dock: DOCK, linkKey: keys.link, receiptKey: keys.receipt };
  writeFileSync(docks, JSON.stringify([paired]));
  const camera = startCamera({ store: place.store, serial: SERIAL, link: place.camera, docks });
  await camera.next('ready');
  await appeared(place.camera);
  const ends = [`tty:${place.camera}`, `new:${place.bay}`] as const;
  const relay = isDirect(cell) ? undefined : await startRelay(scene.tools.relay, { ...cell, ends });
  dock.send('go');
  const answer = await hear(dock);
  const traffic = await relay?.stop();
  await camera.stop();
  const flippedBits = (traffic?.there.flippedBits ?? 0) + (traffic?.back.flippedBits ?? 0);
  if (answer.kind !== 'read') return { ...FAILED, flippedBits, how: reasonOf(answer) };
  return { ...answer, flippedBits, intact: await isIntact(scene, cell, place.out) };
}

const FAILED = { seconds: Number.NaN, cpuSeconds: Number.NaN, sessionSeconds: 0, intact: false };

function reasonOf(answer: ReadMessage): string {
  return answer.kind === 'failed' ? (answer.message.split('\n')[0] ?? '') : answer.kind;
}

/** The real dock's link and the simulated camera, whose C library is the one of the firmware. */
export async function transferToDock(scene: Scene, cell: Cell): Promise<DockOutcome> {
  const place = makePlace(scene.folder);
  try {
    return await readThrough(scene, cell, place);
  } finally {
    rmSync(place.folder, { recursive: true });
  }
}

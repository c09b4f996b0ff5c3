import { fork } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { provisionCamera, startCamera } from '../../../firmware-bridge/sim/provision.ts';
import { formatHex } from '../../../src/core/bytes.ts';
import { Rounds, type Subject } from '../measure/rounds.ts';
import { pairedRatio, type Row, type Sample } from '../measure/sample.ts';
import { writeRandomFile } from '../seal/source.ts';
import type { Workshop } from '../seal/workshop.ts';
import type { DockCamera, DockMessage, DockSetting } from './dock-process.ts';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const PROGRAM = fileURLToPath(new URL(`./dock-process.${extension}`, import.meta.url));
const BAY_COUNTS = [1, 2, 4, 8];
const DOCK = 'bench/dock-1';
const MIB = 1024 * 1024;

export interface IngestPlan {
  readonly rounds: number;
  /** Of the one clip on each camera. */
  readonly bayBytes: number;
  readonly say: (line: string) => void;
}

interface Scene {
  readonly folder: string;
  readonly cameras: readonly (DockCamera & { readonly store: string })[];
}

/** Cameras with one clip each, whose storage is in memory: it is not the dock's. */
async function setScene(workshop: Workshop, clip: string, bays: number): Promise<Scene> {
  const folder = mkdtempSync(join(workshop.memory, 'cameras-'));
  const cameras: Scene['cameras'][number][] = [];
  for (let bay = 1; bay <= bays; bay++) {
    const serial = `CAM-${String(bay).padStart(4, '0')}`;
    const store = join(folder, serial);
    const own = join(folder, `${serial}.mp4`);
    mkdirSync(store);
    linkSync(clip, own);
    const { publicKey } = await provisionCamera({ store, serial, clips: [own] });
    if (publicKey === undefined) throw new Error(`${serial} has no key`);
    const link = join(folder, `bay-${bay}`);
    cameras.push({ bay, serial, store, link, publicKey: formatHex(publicKey) });
  }
  return { folder, cameras };
}

/** Everything is ready before the dock starts: from there to the last receipt is what is measured. */
async function ingestOnce(scene: Scene, setting: DockSetting): Promise<Sample> {
  const dock = fork(PROGRAM, [JSON.stringify(setting)]);
  const ended = once(dock, 'exit').then(() => undefined);
  const hear = async (): Promise<DockMessage> => {
    const heard = await Promise.race([once(dock, 'message'), ended]);
    const [message] = (heard ?? []) as [DockMessage?];
    if (message === undefined) throw new Error('the dock ended early');
    if (message.kind === 'failed') throw new Error(message.message);
    return message;
  };
  const keys = await hear();
  if (keys.kind !== 'keys') throw new Error('the dock did not say its keys');
  const docks = join(scene.folder, 'docks.json');
  const paired = { dock: DOCK, linkKey: keys.link, receiptKey: keys.receipt };
  writeFileSync(docks, JSON.stringify([paired]));
  const started = scene.cameras.map((camera) => startCamera({ ...camera, docks }));
  try {
    await Promise.all(started.map((camera) => camera.next('ready')));
    dock.send('go');
    const answer = await hear();
    if (answer.kind !== 'sample') throw new Error('the dock did not say what it cost');
    await ended;
    return answer.sample;
  } finally {
    if (dock.connected) dock.disconnect();
    await Promise.all(started.map((camera) => camera.stop()));
  }
}

/** One dock and its cameras, from plugging in to the last receipt. */
export async function runScene(
  workshop: Workshop,
  clip: string,
  what: { readonly bays: number; readonly bytes: number; readonly watch: boolean },
): Promise<Sample> {
  const { bays, bytes, watch } = what;
  const scene = await setScene(workshop, clip, bays);
  const dataDir = mkdtempSync(join(workshop.disk, 'dock-'));
  const { recipients } = workshop;
  const cameras = scene.cameras.map(({ bay, serial, publicKey, link }) => {
    return { bay, serial, publicKey, link };
  });
  try {
    return await ingestOnce(scene, { dataDir, recipients, cameras, bytes: bytes * bays, watch });
  } finally {
    for (const folder of [scene.folder, dataDir]) rmSync(folder, { recursive: true });
  }
}

function nameOf(bays: number): string {
  return `ingest, ${bays} bays`;
}

/** From the camera to the receipt over ptys. The cameras run on the same CPUs as the dock; what is counted is the dock's. */
export async function benchIngest(
  workshop: Workshop,
  { rounds, bayBytes: bytes, say }: IngestPlan,
): Promise<{ readonly rows: readonly Row[]; readonly ratios: Readonly<Record<string, number>> }> {
  const clip = join(workshop.memory, 'clip.mp4');
  writeRandomFile(clip, bytes);
  const subjects: Subject[] = BAY_COUNTS.map((bays) => ({
    name: nameOf(bays),
    run: async () => {
      say(`ingest, ${bays} bays, ${bytes / MIB} MiB each`);
      const sample = await runScene(workshop, clip, { bays, bytes, watch: false });
      const { eventLoopP99Ms } = await runScene(workshop, clip, { bays, bytes, watch: true });
      return eventLoopP99Ms === undefined ? sample : { ...sample, eventLoopP99Ms };
    },
  }));
  const all = new Rounds();
  await all.run(subjects, rounds);
  rmSync(clip);
  const eightVsOne = pairedRatio(all.rates(nameOf(8)), all.rates(nameOf(1)));
  const smallestShare = all.rows.find(({ name }) => name === nameOf(8))?.smallestShare;
  return {
    rows: all.rows,
    ratios: { eightVsOne, ...(smallestShare === undefined ? {} : { smallestShare }) },
  };
}

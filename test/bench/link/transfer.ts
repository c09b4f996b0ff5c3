import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type Cell, deadlineSeconds, type Outcome } from './cells.ts';
import type { Way } from './programs.ts';
import { type Launched, type LineTools, launch, startRelay } from './tools.ts';

/** A receiver that idles once it has everything is not waited for. */
const FAREWELL_MS = 1500;
const LOOK_MS = 5;

export interface Scene {
  readonly tools: LineTools;
  /** In memory; the way's own folders are below it. */
  readonly folder: string;
  readonly clip: string;
  readonly sha256: string;
}

export async function sha256OfFile(path: string): Promise<string> {
  const digest = createHash('sha256');
  await pipeline(createReadStream(path), digest);
  return digest.digest('hex');
}

export async function isIntact(scene: Scene, cell: Cell, path: string): Promise<boolean> {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  return size === cell.bytes && (await sha256OfFile(path)) === scene.sha256;
}

/** Nothing lies between two programs where the line has neither pace nor errors. */
export function isDirect({ baud, ber }: Cell): boolean {
  return baud === 0 && ber === 0;
}

export async function appeared(path: string): Promise<void> {
  while (!existsSync(path)) await delay(LOOK_MS);
}

interface Pair {
  readonly sender: Launched;
  readonly receiver: Launched;
}

async function startPair(scene: Scene, cell: Cell, way: Way): Promise<Pair> {
  const { tools, folder, clip } = scene;
  const here = join(folder, 'here');
  const there = join(folder, 'there');
  const out = join(folder, 'out');
  const argv = { send: way.send(clip, folder), receive: way.receive(cell, folder) };
  const send = (end: string) => launch(tools.launch, { end, argv: argv.send, cwd: folder });
  const receive = (end: string) => launch(tools.launch, { end, argv: argv.receive, cwd: out });
  if (!isDirect(cell)) {
    const receiver = receive(`tty:${there}`);
    return { sender: send(`tty:${here}`), receiver };
  }
  const sender = send(`new:${here}`);
  await appeared(here);
  return { sender, receiver: receive(`tty:${here}`) };
}

/** Stopped when it takes too long. */
async function inTime(sender: Launched, seconds: number) {
  const stop = new AbortController();
  const late = delay(seconds * 1000, undefined, { signal: stop.signal }).then(
    () => sender.stop(),
    () => undefined,
  );
  const ended = await sender.ended;
  stop.abort();
  await late;
  return ended;
}

/** From the sender's start to its end: some receivers idle when all is done. */
export async function transfer(scene: Scene, cell: Cell, way: Way): Promise<Outcome> {
  const { tools, folder } = scene;
  for (const name of ['here', 'there', 'out']) {
    rmSync(join(folder, name), { recursive: true, force: true });
  }
  mkdirSync(join(folder, 'out'));
  const ends = [`new:${join(folder, 'here')}`, `new:${join(folder, 'there')}`] as const;
  const relay = isDirect(cell) ? undefined : await startRelay(tools.relay, { ...cell, ends });
  const { sender, receiver } = await startPair(scene, cell, way);
  const sent = await inTime(sender, deadlineSeconds(cell));
  await Promise.race([receiver.ended, delay(FAREWELL_MS)]);
  await receiver.stop();
  await sender.stop();
  const received = await receiver.ended;
  const traffic = await relay?.stop();
  const intact = await isIntact(scene, cell, join(folder, 'out', basename(scene.clip)));
  return {
    seconds: sent?.seconds ?? Number.NaN,
    cpuSeconds: received?.cpuSeconds ?? Number.NaN,
    intact: intact && sent?.code === 0,
    flippedBits: (traffic?.there.flippedBits ?? 0) + (traffic?.back.flippedBits ?? 0),
    how: way.how,
  };
}

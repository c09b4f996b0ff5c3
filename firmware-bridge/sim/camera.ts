#!/usr/bin/env node
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { loadAddon } from './addon.ts';
import { parseFault, parseFaults } from './faults.ts';
import { RunningCamera } from './running-camera.ts';

const USAGE =
  'camera --link PATH --store DIR --serial SERIAL --docks FILE [--clips DIR_OR_FILE ...] [--wearer TEXT] [--keyless] [--fault SPEC ...] [--seed N] [--once-released]';

/** Whoever started the camera may be killed: the camera stays on its line, and talks to nobody. */
function outliveListener(): void {
  const silent = () => process.stdout.destroy();
  process.stdout.on('error', silent);
}

function say(event: Readonly<Record<string, unknown>>): void {
  if (process.stdout.writable) process.stdout.write(`${JSON.stringify(event)}\n`);
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      link: { type: 'string' },
      store: { type: 'string' },
      serial: { type: 'string' },
      docks: { type: 'string' },
      clips: { type: 'string', multiple: true, default: [] },
      wearer: { type: 'string', default: '' },
      keyless: { type: 'boolean', default: false },
      fault: { type: 'string', multiple: true, default: [] },
      seed: { type: 'string', default: '1' },
      'once-released': { type: 'boolean', default: false },
    },
  });
  const { link, store, serial, docks } = values;
  if (!link || !store || !serial || !docks) throw new Error(`usage: ${USAGE}`);
  if (!/^\d{1,9}$/.test(values.seed))
    throw new Error(`--seed is not a whole number: ${values.seed}`);
  return { ...values, link, store, serial, docks, faults: parseFaults(values.fault) };
}

/** A folder stands for the files in it, in the order of their names. */
function clipFiles(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path)
      .sort()
      .filter((name) => !name.startsWith('.'));
    return names.map((name) => join(path, name)).filter((file) => statSync(file).isFile());
  });
}

async function obey(camera: RunningCamera, line: string): Promise<void> {
  const [word = ''] = line.split(' ', 1);
  const rest = line.slice(word.length + 1);
  if (word === 'unplug' || word === 'plug') camera.plug(word === 'plug');
  else if (word === 'fault') camera.addFaults(rest === 'none' ? undefined : parseFault(rest));
  else if (word === 'record') await camera.record(rest);
  else throw new Error(`not an order: ${word}`);
}

function listen(camera: RunningCamera): void {
  let orders = Promise.resolve();
  createInterface({ input: process.stdin }).on('line', (line) => {
    orders = orders
      .then(() => obey(camera, line.trim()))
      .catch((error: Error) => {
        say({ event: 'order-failed', message: error.message });
      });
  });
}

async function main(): Promise<void> {
  const given = readArguments();
  outliveListener();
  const camera = new RunningCamera(loadAddon(), {
    link: given.link,
    folder: given.store,
    serial: given.serial,
    keyless: given.keyless,
    wearer: given.wearer,
    faults: given.faults,
    seed: Number(given.seed),
    readDocks: () => readFileSync(given.docks, 'utf8'),
    say,
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => camera.stop());
  await camera.start(clipFiles(given.clips));
  listen(camera);
  const ending = await camera.ended(given['once-released']);
  process.stdin.destroy();
  process.exitCode = ending === 'power-loss' ? 137 : 0;
}

main().catch((error: Error) => {
  process.stderr.write(`camera: ${error.message}\n`);
  process.exitCode = 2;
});

#!/usr/bin/env node
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { loadAddon } from './addon.ts';
import { parseFault, parseFaults } from './faults.ts';
import { type LineRates, RunningCamera } from './running-camera.ts';

const USAGE =
  'camera --link PATH [--device] --store DIR --serial SERIAL --docks FILE [--clips DIR_OR_FILE ...] [--wearer TEXT] [--keyless] [--fault SPEC ...] [--seed N] [--rates BASE,N,...] [--strict-rate] [--dead-rate N] [--once-released]';

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
      rates: { type: 'string' },
      'strict-rate': { type: 'boolean', default: false },
      'dead-rate': { type: 'string' },
      'once-released': { type: 'boolean', default: false },
      device: { type: 'boolean', default: false },
    },
  });
  const { link, store, serial, docks } = values;
  if (!link || !store || !serial || !docks) throw new Error(`usage: ${USAGE}`);
  const line = lineRates(values.rates, values['strict-rate'], values['dead-rate']);
  if (!/^\d{1,9}$/.test(values.seed))
    throw new Error(`--seed is not a whole number: ${values.seed}`);
  return { ...values, link, store, serial, docks, faults: parseFaults(values.fault), line };
}

const RATES = '115200,230400,460800,921600,1000000,1500000,2000000,3000000';

function parseRate(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`not a rate in baud: ${text}`);
  return Number(text);
}

/** SPEC 9. A line is strict about rates only when it has some. */
function lineRates(rates: string | undefined, strictRate: boolean, dead?: string): LineRates {
  const list = rates ?? (strictRate || dead !== undefined ? RATES : undefined);
  return {
    strictRate,
    ...(list === undefined ? {} : { rates: list.split(',').map(parseRate) }),
    ...(dead === undefined ? {} : { deadRate: parseRate(dead) }),
  };
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
    isDevice: given.device,
    folder: given.store,
    serial: given.serial,
    keyless: given.keyless,
    wearer: given.wearer,
    faults: given.faults,
    seed: Number(given.seed),
    line: given.line,
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

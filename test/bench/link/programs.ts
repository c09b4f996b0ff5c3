import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cell } from './cells.ts';

/** How one program sends and another receives. */
export interface Way {
  readonly how: string;
  readonly send: (clip: string, folder: string) => readonly string[];
  /** Writes into its working directory, under the clip's own name. */
  readonly receive: (cell: Cell, folder: string) => readonly string[];
}

export interface Peer {
  readonly name: string;
  readonly program: string;
  /** Ordered, so that a better one lies beside a good one. */
  readonly ways: (cell: Cell) => readonly Way[];
  /** Where the search for the best begins. */
  readonly start: (cell: Cell) => number;
}

export function hasCommand(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' }).status === 0;
}

const RECEIVE_ZMODEM = () => ['rz', '-b', '-q', '-y'];
const WINDOWS = [1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];

/** Larger frames cost less on a clean line, smaller windows on a dirty one, where all in flight is sent again. */
function zmodemWays(cell: Cell): Way[] {
  const windows = WINDOWS.map((window) => ({
    how: `-w ${window}`,
    send: (clip: string) => ['sz', '-b', '-q', '-w', String(window), clip],
    receive: RECEIVE_ZMODEM,
  }));
  if (cell.ber > 0) return windows;
  const frames = { how: '-l 8192', send: (clip: string) => ['sz', '-b', '-q', '-l', '8192', clip] };
  return [...windows, { ...frames, receive: RECEIVE_ZMODEM }];
}

function byRate<T>(ber: number, values: readonly [clean: T, low: T, middle: T, high: T]): T {
  if (ber === 0) return values[0];
  if (ber <= 1e-6) return values[1];
  return ber <= 1e-5 ? values[2] : values[3];
}

interface KermitSetting {
  readonly sizeBytes: number;
  readonly window: number;
  readonly isStreaming: boolean;
}

const KERMIT: readonly KermitSetting[] = [
  { sizeBytes: 250, window: 31, isStreaming: false },
  { sizeBytes: 500, window: 20, isStreaming: false },
  { sizeBytes: 1000, window: 10, isStreaming: false },
  { sizeBytes: 4000, window: 10, isStreaming: false },
  { sizeBytes: 4000, window: 30, isStreaming: false },
  { sizeBytes: 9000, window: 1, isStreaming: true },
];

/** C-Kermit takes its orders from a file. */
function kermit(folder: string, name: string, setting: KermitSetting, act: string): string[] {
  const script = join(folder, name);
  const { sizeBytes, window, isStreaming } = setting;
  const orders = [
    'set quiet on',
    'set delay 0',
    'set file type binary',
    'set transfer mode manual',
    'set file names literal',
    'set file collision overwrite',
    'set file display none',
    'set parity none',
    'set flow none',
    `set streaming ${isStreaming ? 'on' : 'off'}`,
    `set reliable ${isStreaming ? 'on' : 'off'}`,
    // With every control character bare, C-Kermit 10 loses bytes on a line with errors.
    `set prefixing ${isStreaming ? 'none' : 'minimal'}`,
    'set block-check 3',
    `set window ${window}`,
    `set receive packet-length ${sizeBytes}`,
    `set send packet-length ${sizeBytes}`,
    'set retry-limit 200',
    act,
    'exit',
  ];
  writeFileSync(script, `${orders.join('\n')}\n`);
  return ['kermit', script, '-Y', '-H'];
}

function kermitWays(): Way[] {
  return KERMIT.map((setting) => ({
    how: setting.isStreaming
      ? `streaming, ${setting.sizeBytes}`
      : `window ${setting.window}, ${setting.sizeBytes}`,
    send: (clip, folder) => kermit(folder, 'send.ksc', setting, `send ${clip}`),
    receive: (_cell, folder) => kermit(folder, 'receive.ksc', setting, 'receive'),
  }));
}

/** It has no windows: it streams, which ends with the first error, or waits for each packet's answer. */
function gkermitWays({ ber }: Cell): Way[] {
  const common = ['-q', '-i', '-P', ...(ber === 0 ? [] : ['-S'])];
  const sizeBytes = String(byRate(ber, [9000, 4000, 1000, 250]));
  return [
    {
      how: ber === 0 ? `-e ${sizeBytes}` : `-S -e ${sizeBytes}`,
      send: (clip) => ['gkermit', ...common, '-s', clip],
      receive: () => ['gkermit', ...common, '-w', '-e', sizeBytes, '-r'],
    },
  ];
}

const first = () => 0;

export const PEERS: readonly Peer[] = [
  {
    name: 'zmodem',
    program: 'sz',
    ways: () => [{ how: '', send: (clip) => ['sz', '-b', '-q', clip], receive: RECEIVE_ZMODEM }],
    start: first,
  },
  {
    name: 'zmodem-tuned',
    program: 'sz',
    ways: zmodemWays,
    start: ({ ber }) => byRate(ber, [7, 3, 2, 0]),
  },
  {
    name: 'ymodem',
    program: 'sb',
    ways: () => [
      {
        how: '-k',
        send: (clip) => ['sb', '-b', '-q', '-k', clip],
        receive: () => ['rb', '-b', '-q', '-y'],
      },
    ],
    start: first,
  },
  { name: 'gkermit', program: 'gkermit', ways: gkermitWays, start: first },
  {
    name: 'ckermit',
    program: 'kermit',
    ways: kermitWays,
    start: ({ ber }) => byRate(ber, [5, 3, 2, 0]),
  },
];

/** No protocol at all: what a line that nothing paces gives at best. */
export const RAW: Way = {
  how: 'cat',
  send: (clip) => ['cat', clip],
  receive: ({ bytes }) => ['sh', '-c', `exec head -c ${bytes} > clip.mp4`],
};

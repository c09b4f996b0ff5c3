import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measureCommand } from '../measure/command.ts';
import type { Subject } from '../measure/rounds.ts';
import type { Workshop } from './workshop.ts';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const SEAL_FILE = fileURLToPath(new URL(`./seal-file.${extension}`, import.meta.url));
const NODE = [process.execPath, ...process.execArgv, SEAL_FILE];
const MIB = 1024 * 1024;
/** Peers that need many seconds a GiB are not asked for more than this. */
const SLOW_BYTES_MAX = 1024 * MIB;

export interface CommandInput {
  readonly workshop: Workshop;
  readonly input: string;
  readonly bytes: number;
}

export function hasProgram(name: string): boolean {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined;
}

function shell(script: string, ...args: readonly string[]): string[] {
  return ['/bin/sh', '-ec', script, 'sh', ...args];
}

/** Outputs of the run before are gone, and their writing is over, before the clock starts. */
function clear(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  spawnSync('sync', ['-f', join(folder, '..')]);
  mkdirSync(folder);
}

interface Candidate {
  readonly name: string;
  readonly program: string;
  readonly argv: (output: string) => readonly string[];
  readonly isSlow?: boolean;
}

function toSubjects(
  place: string,
  given: CommandInput,
  candidates: readonly Candidate[],
): Subject[] {
  const { bytes } = given;
  const folder = join(place, 'out');
  return candidates
    .filter(({ program, isSlow }) => hasProgram(program) && !(isSlow && bytes > SLOW_BYTES_MAX))
    .map(({ name, argv }) => ({
      name,
      run: async () => {
        clear(folder);
        const sample = await measureCommand({ bytes, argv: argv(join(folder, 'sealed')) });
        rmSync(folder, { recursive: true });
        return sample;
      },
    }));
}

function nodeSealer(given: CommandInput, how: string): (output: string) => readonly string[] {
  return (output) => [...NODE, how, given.input, output, ...given.workshop.recipients];
}

const AGE = 'age -r "$3" -r "$4" -o "$2" "$1"';
const CHAIN = `openssl dgst -sha256 "$1"; ${AGE}; sync "$2"; openssl dgst -sha256 "$2"`;

export const DISK_READ_BACK = 'docket seal, fsync, read-back (process, disk)';
export const DISK_WRITTEN = 'docket seal, fsync (process, disk)';
export const DISK_AGE = 'age, fsync: no digest (process, disk)';
export const DISK_CHAIN = 'openssl dgst, age, fsync, openssl dgst (process, disk)';

/** Whole processes that write to a disk and make it durable. */
export function diskSubjects(given: CommandInput): Subject[] {
  const { input, workshop } = given;
  const withAge = (script: string) => (output: string) =>
    shell(script, input, output, ...workshop.recipients);
  const node = process.execPath;
  return toSubjects(workshop.disk, given, [
    { name: DISK_READ_BACK, program: node, argv: nodeSealer(given, 'docket') },
    { name: DISK_WRITTEN, program: node, argv: nodeSealer(given, 'docket-no-read-back') },
    { name: DISK_AGE, program: 'age', argv: withAge(`${AGE}; sync "$2"`) },
    { name: DISK_CHAIN, program: 'age', argv: withAge(CHAIN) },
    {
      name: 'node:crypto, fsync (process, disk)',
      program: node,
      argv: nodeSealer(given, 'script'),
      isSlow: true,
    },
  ]);
}

/** Whole processes that write to memory. */
export function memorySubjects(given: CommandInput): Subject[] {
  const { input, workshop } = given;
  const node = process.execPath;
  return toSubjects(workshop.memory, given, [
    {
      name: 'docket seal, fsync, read-back (process, tmpfs)',
      program: node,
      argv: nodeSealer(given, 'docket'),
    },
    {
      name: 'age: no digest (process, tmpfs)',
      program: 'age',
      argv: (output) => shell(`exec ${AGE}`, input, output, ...workshop.recipients),
    },
    {
      name: 'node:crypto (process, tmpfs)',
      program: node,
      argv: nodeSealer(given, 'script'),
      isSlow: true,
    },
    {
      name: 'node:crypto in streams (process, tmpfs)',
      program: node,
      argv: nodeSealer(given, 'streams'),
      isSlow: true,
    },
    {
      name: 'openssl dgst -sha256, one digest only (process, tmpfs)',
      program: 'openssl',
      argv: () => ['openssl', 'dgst', '-sha256', input],
    },
    {
      name: 'sha256sum, one digest only (process, tmpfs)',
      program: 'sha256sum',
      argv: () => ['sha256sum', input],
      isSlow: true,
    },
  ]);
}

const SPEED_BYTES = '65536';

/** What `openssl speed` says of a primitive: the system's OpenSSL, one thread, 64 KiB at a time. */
export function opensslSpeed(algorithm: string, seconds: number): Subject {
  return {
    name: `openssl speed ${algorithm}`,
    run: async () => {
      const args = ['speed', '-mr', '-elapsed', '-seconds', String(seconds), '-bytes', SPEED_BYTES];
      const { stdout } = spawnSync('openssl', [...args, '-evp', algorithm], { encoding: 'utf8' });
      const rate = Number(/^\+F:\d+:[^:]+:([\d.]+)/m.exec(stdout)?.[1]);
      return { bytes: Math.round(rate * seconds), seconds, cpuSeconds: seconds, peakMiB: 0 };
    },
  };
}

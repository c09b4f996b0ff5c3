import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { packageRoot } from '../../../src/adapters/native/package-info.ts';

const FOLDER = join(packageRoot, 'test/bench/link/line');
const FLAGS = ['-std=c11', '-O2', '-Wall', '-Wextra', '-Werror', '-Wconversion'];

export interface LineTools {
  readonly relay: string;
  readonly launch: string;
}

/** Compiles the two programs of the line into a folder. */
export function buildLineTools(folder: string): LineTools {
  const build = (name: string): string => {
    const program = join(folder, name);
    const args = [...FLAGS, join(FOLDER, `${name}.c`), '-lm', '-o', program];
    const { status } = spawnSync(process.env.CC ?? 'cc', args, { stdio: ['ignore', 2, 2] });
    if (status !== 0) throw new Error(`${name}.c did not compile; the reason is above`);
    return program;
  };
  return { relay: build('relay'), launch: build('launch') };
}

export interface RelaySetting {
  /** 0: no pace. */
  readonly baud: number;
  readonly ber: number;
  readonly seed: number;
  /** `new:LINK` or `tty:PATH`; `there` is from the first to the second. */
  readonly ends: readonly [string, string];
}

export interface Traffic {
  readonly bytes: number;
  readonly flippedBits: number;
}

export interface Relay {
  /** What went over the line. The line is gone then. */
  stop(): Promise<{ readonly there: Traffic; readonly back: Traffic }>;
}

/** Settles when both ends are there. */
export async function startRelay(program: string, setting: RelaySetting): Promise<Relay> {
  const { baud, ber, seed, ends } = setting;
  const child = spawn(program, [baud, ber, seed, ...ends].map(String), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  const ready = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      if (said.startsWith('ready\n')) resolve();
    });
    child.once('close', () => reject(new Error('the relay ended early')));
  });
  const closed = once(child, 'close');
  await ready;
  const trafficOf = (name: string): Traffic => {
    const [, bytes, flipped] = new RegExp(`^${name} (\\d+) (\\d+)$`, 'm').exec(said) ?? [];
    return { bytes: Number(bytes), flippedBits: Number(flipped) };
  };
  return {
    stop: async () => {
      child.kill('SIGTERM');
      await closed;
      return { there: trafficOf('there'), back: trafficOf('back') };
    },
  };
}

export interface Launched {
  /** Ends the program, and a new pty with it. */
  stop(): Promise<void>;
  /** Undefined when the program did not even start. */
  readonly ended: Promise<Ended | undefined>;
}

export interface Ended {
  readonly code: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** A program whose standard input and output is one end of a line. */
export function launch(
  program: string,
  options: { readonly end: string; readonly argv: readonly string[]; readonly cwd: string },
): Launched {
  const { end, argv, cwd } = options;
  const child = spawn(program, [end, ...argv], { cwd, stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  const ended = once(child.stdout, 'close').then(() => {
    const [code, seconds, cpuSeconds] = said.trim().split(' ').map(Number);
    if (code === undefined || seconds === undefined || cpuSeconds === undefined) return undefined;
    return { code, seconds, cpuSeconds };
  });
  const gone = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await gone;
  };
  return { ended, stop };
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { loadPrimitives } from '../primitives/primitives.ts';
import { peakMiBOf } from './gauge.ts';
import type { Sample } from './sample.ts';

const LOOK_MS = 10;

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    // It has ended between two looks.
    return [];
  }
}

export interface CommandOptions {
  readonly argv: readonly string[];
  /** What it works through. */
  readonly bytes: number;
}

/** A whole process, from its start to its end. Several of these must not run at once: the processor time is that of all children. */
export async function measureCommand({ argv, bytes }: CommandOptions): Promise<Sample> {
  const addon = loadPrimitives();
  const cpu = addon.childrenCpuSeconds();
  const [program = '', ...args] = argv;
  let peakMiB = 0;
  const started = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const look = () => {
    if (child.pid === undefined) return;
    for (const pid of [child.pid, ...childrenOf(child.pid)]) {
      peakMiB = Math.max(peakMiB, peakMiBOf(pid) ?? 0);
    }
  };
  const timer = setInterval(look, LOOK_MS);
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    const seconds = (performance.now() - started) / 1000;
    if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}`);
    return { bytes, seconds, cpuSeconds: addon.childrenCpuSeconds() - cpu, peakMiB };
  } finally {
    clearInterval(timer);
  }
}

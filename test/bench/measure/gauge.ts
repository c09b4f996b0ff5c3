import { readFileSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Sample } from './sample.ts';

const MIB = 1024 * 1024;

/** Highest resident memory of a process, in MiB; undefined when it has ended. */
export function peakMiBOf(pid: number | 'self'): number | undefined {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? undefined : Number(kib) / 1024;
  } catch {
    // A process that has just ended has no status; its last look counts.
    return undefined;
  }
}

function mainThreadSeconds(): number {
  const stat = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8');
  return Number(stat.split(' ')[0]) / 1e9;
}

export interface GaugeOptions {
  /** What the work is measured by. */
  readonly bytes: number;
  /**
   * Watch the event loop too. The watch wakes the main thread a thousand times a second, so that a watched run's times are not the
   * work's alone.
   */
  readonly watch: boolean;
}

/** Measures work of this process: its time, its processor time, its memory, and what its event loop felt. */
export async function gauge(options: GaugeOptions, work: () => Promise<void>): Promise<Sample> {
  const { bytes, watch } = options;
  // proc(5): 5 sets the peak of this process back to what it holds now.
  writeFileSync('/proc/self/clear_refs', '5');
  const delay = monitorEventLoopDelay({ resolution: 1 });
  if (watch) delay.enable();
  const cpu = process.cpuUsage();
  const main = mainThreadSeconds();
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1000;
  const mainSeconds = mainThreadSeconds() - main;
  const { user, system } = process.cpuUsage(cpu);
  delay.disable();
  return {
    bytes,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    peakMiB: peakMiBOf('self') ?? 0,
    ...(delay.count > 0 ? { eventLoopP99Ms: delay.percentile(99) / 1e6 } : {}),
    mainThreadMsPerMiB: (mainSeconds * 1000) / (bytes / MIB),
  };
}

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';

const PINNED = 'DOCKET_BENCH_CPUS';
const CPU_COUNT = 2;

/** `0-1,4` as numbers. */
export function parseCpuList(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split('-').map(Number);
    if (!Number.isInteger(first) || !Number.isInteger(last)) throw new Error(`not CPUs: ${text}`);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

function allowedCpus(): number[] {
  const list = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return parseCpuList(list ?? '0');
}

/** Starts this program again on the CPUs that are asked for, or on the first two; false when it already is there. */
export function pinnedElsewhere(cpus: string | undefined): boolean {
  if (process.env[PINNED] !== undefined) return false;
  const wanted = cpus ?? allowedCpus().slice(0, CPU_COUNT).join(',');
  const argv = ['-c', wanted, process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const ended = spawnSync('taskset', argv, {
    stdio: 'inherit',
    env: { ...process.env, [PINNED]: wanted },
  });
  if (ended.error !== undefined) {
    throw new Error(`taskset cannot be run (Debian: util-linux): ${ended.error.message}`);
  }
  process.exitCode = ended.status ?? 1;
  return true;
}

export function pinnedCpus(): number[] {
  return parseCpuList(process.env[PINNED] ?? '0');
}

export function describeMachine(): string {
  const [cpu] = os.cpus();
  const flags = /^(?:flags|Features)\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
  const hasSha = /\b(sha_ni|sha2)\b/.test(flags ?? '');
  const memory = `${Math.round(os.totalmem() / 2 ** 30)} GiB`;
  return [
    `${cpu?.model.trim() || os.machine()}${hasSha ? ' with SHA instructions' : ''}`,
    `CPUs ${process.env[PINNED] ?? 'unpinned'} of ${os.cpus().length}, ${memory}`,
    `Linux ${os.release()} ${os.machine()}`,
    `Node ${process.version}, OpenSSL ${process.versions.openssl}`,
  ].join('; ');
}

const TICKS_A_SECOND = 100;

/** Seconds that the pinned CPUs were not idle, and that the host took from them. */
export function busySeconds(): number {
  const text = readFileSync('/proc/stat', 'utf8');
  return pinnedCpus().reduce((sum, cpu) => {
    const fields =
      new RegExp(`^cpu${cpu} (.+)$`, 'm').exec(text)?.[1]?.split(' ').map(Number) ?? [];
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
    return sum + (user + nice + system + irq + softirq + steal) / TICKS_A_SECOND;
  }, 0);
}

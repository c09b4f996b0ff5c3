import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CLI = `${ROOT}dist/src/cli/docket.js`;
/** What the program's own first line gives to Node. */
const AS_ITS_FIRST_LINE = ['--max-semi-space-size=4'];
const PERIOD_MS = 50;
const DEADLINE_MS = 90_000;
const TAIL_LINES = 25;

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/** A process that must not outlive this one. */
export function track(child: ChildProcess): void {
  alive.add(child);
  child.once('close', () => alive.delete(child));
}

/** The built `docket` with these arguments, as somebody starts it in a shell. */
export class Program {
  readonly lines: string[] = [];
  /** Standard error: the dock's log, one JSON object a line. */
  readonly log: string[] = [];
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #words: string;

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#words = `docket ${args.join(' ')}`;
    const child = spawn(process.execPath, [...AS_ITS_FIRST_LINE, CLI, ...args], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    track(child);
    createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(line));
    createInterface({ input: child.stderr }).on('line', (line) => this.log.push(line));
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        resolve({ code, signal, stdout: this.lines.join('\n'), stderr: this.log.join('\n') });
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isAlive(): boolean {
    return alive.has(this.#child);
  }

  kill(signal: NodeJS.Signals): Promise<Ended> {
    this.#child.kill(signal);
    return this.end();
  }

  /** Its end, which is brought about when it does not come by itself. */
  async end(deadlineMs = DEADLINE_MS): Promise<Ended> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), deadlineMs);
    try {
      return await this.ended;
    } finally {
      clearTimeout(timer);
    }
  }

  /** What `look` finds when it finds it; fails with the last words of the program when it ends or takes too long. */
  async until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
    return await until(what, async () => {
      const found = await look();
      if (found === undefined && !this.isAlive) throw this.#failure(`ended before ${what}`);
      return found;
    }).catch((error: unknown) => {
      throw this.#failure(String(error));
    });
  }

  untilLogged(pattern: RegExp): Promise<string> {
    return this.until(String(pattern), () => this.log.find((line) => pattern.test(line)));
  }

  #failure(why: string): Error {
    const tail = [...this.lines.slice(-TAIL_LINES), ...this.log.slice(-TAIL_LINES)];
    return new Error(`${this.#words}: ${why}\n${tail.join('\n')}`);
  }
}

export async function docket(...args: string[]): Promise<Ended> {
  return await new Program(args).end();
}

export async function until<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  deadlineMs = DEADLINE_MS,
): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > endMs) throw new Error(`waited ${deadlineMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
  }
}

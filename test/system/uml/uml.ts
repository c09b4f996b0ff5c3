import { spawn, spawnSync } from 'node:child_process';
import { access, chmod, constants, mkdtemp, open, rm } from 'node:fs/promises';
import { availableParallelism, homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const CACHED = path.join(homedir(), '.cache', 'docket', 'linux-uml');
const BUILD_PACKAGES =
  'linux-source-6.12 gcc make flex bison bc libc6-dev libelf-dev libssl-dev xz-utils'.split(' ');

export interface Guest {
  readonly exitCode: number;
  readonly output: string;
}

export interface Uml {
  /** Runs a script of this folder as root in a fresh guest. 125 when the guest never got to its end. */
  run(
    script: string,
    options?: { readonly argument?: string; readonly seconds?: number },
  ): Promise<Guest>;
  close(): Promise<void>;
}

/**
 * User-Mode Linux, from DOCKET_UML_KERNEL (a binary, or one packed with xz), else from the cache, where it is built when it is
 * not there: some ten minutes, once.
 */
export async function openUml(): Promise<Uml> {
  const folder = await mkdtemp(path.join(tmpdir(), 'docket-uml-'));
  const kernel = await findKernel(folder);
  return {
    run: (script, options = {}) =>
      runGuest([kernel, path.join(HERE, script), options.argument ?? ''], options.seconds ?? 120),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

async function findKernel(folder: string): Promise<string> {
  const given = process.env.DOCKET_UML_KERNEL;
  if (given === undefined || given === '') return (await isThere(CACHED)) ? CACHED : build();
  if (!(await isThere(given))) throw new Error(`DOCKET_UML_KERNEL: there is no ${given}`);
  return given.endsWith('.xz')
    ? unpack(given, path.join(folder, 'linux-uml'))
    : path.resolve(given);
}

async function unpack(packed: string, kernel: string): Promise<string> {
  const file = await open(kernel, 'w');
  try {
    must(spawnSync('xz', ['-dc', packed], { stdio: ['ignore', file.fd, 'inherit'] }).status, 'xz');
  } finally {
    await file.close();
  }
  await chmod(kernel, 0o755);
  return kernel;
}

function build(): string {
  const stdio = ['ignore', 'inherit', 'inherit'] as ['ignore', 'inherit', 'inherit'];
  const env = {
    ...process.env,
    DEBIAN_FRONTEND: 'noninteractive',
    DOCKET_UML_JOBS: String(availableParallelism()),
  };
  if (process.getuid?.() === 0) {
    const install = ['install', '-y', '--no-install-recommends', ...BUILD_PACKAGES];
    must(spawnSync('apt-get', install, { stdio, env }).status, `apt-get ${install.join(' ')}`);
  }
  const script = path.join(HERE, 'build-kernel.sh');
  must(spawnSync('nice', [script, CACHED], { stdio, env }).status, script);
  return CACHED;
}

function runGuest(args: readonly string[], seconds: number): Promise<Guest> {
  // The kernel's command line carries the path, so only what a guest needs is in it.
  const PATH = [path.dirname(process.execPath), '/usr/bin', '/bin', '/usr/sbin', '/sbin'].join(':');
  const child = spawn(path.join(HERE, 'run.sh'), args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH, TMPDIR: tmpdir(), UML_SECONDS: String(seconds) },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ exitCode: code ?? 125, output }));
  });
}

async function isThere(file: string): Promise<boolean> {
  try {
    await access(file, constants.R_OK);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function must(status: number | null, what: string): void {
  if (status !== 0) throw new Error(`${what} failed`);
}

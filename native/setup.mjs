/*
 * Makes a clone ready to run: packages, native addons, compiled TypeScript. Quick when nothing is to do, and needs no
 * network then. Prints to stderr only, because the last line of stdout belongs to the command that follows.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { prebuildsMatch } from './sources.mjs';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const LOCKFILE = path.join(ROOT, 'package-lock.json');
const INSTALLED = path.join(ROOT, 'node_modules', '.package-lock.json');
const BUILT = path.join(ROOT, 'dist', '.built');
const NODE_MINIMUM = [20, 19];
const LOCK_POLL_MS = 200;
const SKIPPED_FOLDERS = new Set(['build', 'prebuilds', 'node_modules', 'dist']);
const TYPESCRIPT_FOLDERS = ['src', 'native', 'firmware-bridge', 'test'];

/** Each addon and what it is compiled from. */
const ADDONS = [
  { folder: 'native', sources: ['native/binding.gyp', 'native/src'] },
  {
    folder: 'firmware-bridge/sim',
    sources: [
      'firmware-bridge/sim/binding.gyp',
      'firmware-bridge/sim',
      'firmware-bridge/src',
      'firmware-bridge/include',
    ],
  },
];

class SetupError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

function mtimeOf(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}

function filesBelow(start, extensions) {
  const stat = fs.statSync(start, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (!stat.isDirectory()) return [start];
  return fs.readdirSync(start, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(start, entry.name);
    if (entry.isDirectory())
      return SKIPPED_FOLDERS.has(entry.name) ? [] : filesBelow(file, extensions);
    return extensions.includes(path.extname(entry.name)) ? [file] : [];
  });
}

function newestMtime(starts, extensions) {
  const files = starts.flatMap((start) => filesBelow(path.join(ROOT, start), extensions));
  return files.reduce((newest, file) => Math.max(newest, mtimeOf(file) ?? 0), 0);
}

function readPackages(file) {
  const { packages } = JSON.parse(fs.readFileSync(file, 'utf8'));
  return packages;
}

/** A checkout makes the lock file newer without changing it, so the contents decide. */
function packagesMissing() {
  const installedAt = mtimeOf(INSTALLED);
  if (installedAt === undefined) return true;
  if (installedAt >= (mtimeOf(LOCKFILE) ?? 0)) return false;
  const wanted = readPackages(LOCKFILE);
  const installed = readPackages(INSTALLED);
  const differs = Object.entries(wanted).some(
    ([name, entry]) =>
      name !== '' && entry.optional !== true && installed[name]?.version !== entry.version,
  );
  if (!differs) fs.utimesSync(INSTALLED, new Date(), new Date());
  return differs;
}

function isOlderThanSources(binary, addon) {
  // A checkout gives a prebuild and its sources any times, so their recorded digest decides.
  if (binary.includes(`${path.sep}prebuilds${path.sep}`)) {
    return !prebuildsMatch(path.join(ROOT, addon.folder));
  }
  return newestMtime(addon.sources, ['.c', '.h', '.gyp']) > (mtimeOf(binary) ?? 0);
}

function addonMissing(addon) {
  const folder = path.join(ROOT, addon.folder);
  if (!fs.existsSync(path.join(folder, 'binding.gyp'))) return false;
  try {
    const nodeGypBuild = createRequire(path.join(ROOT, 'package.json'))('node-gyp-build');
    const binary = nodeGypBuild.resolve(folder);
    if (isOlderThanSources(binary, addon)) return true;
    nodeGypBuild(folder);
    return false;
  } catch {
    // Not built, or built for another machine or another Node: both are mended by building.
    return true;
  }
}

function typescriptBehind() {
  const built = mtimeOf(BUILT);
  if (built === undefined || (mtimeOf(path.join(ROOT, 'tsconfig.json')) ?? 0) > built) return true;
  const pageAt = newestMtime(['src/verifier/page'], ['.html', '.css', '.js', '.mjs']);
  return Math.max(newestMtime(TYPESCRIPT_FOLDERS, ['.ts']), pageAt) > built;
}

function findProgram(...names) {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return names.find((name) =>
    name.includes('/')
      ? fs.existsSync(name)
      : folders.some((at) => fs.existsSync(path.join(at, name))),
  );
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2], ...options });
  if (result.error !== undefined) throw result.error;
  return result.status === 0;
}

function needTools() {
  const missing = [];
  const compiler = process.env.CC ?? findProgram('cc', 'gcc', 'clang');
  if (compiler === undefined) missing.push('a C compiler');
  if (findProgram('make') === undefined) missing.push('make');
  if (findProgram(process.env.PYTHON ?? 'python3', 'python3', 'python') === undefined)
    missing.push('Python 3');
  if (missing.length === 0) return compiler;
  throw new SetupError(
    'SETUP_TOOLS_MISSING',
    `${missing.join(', ')} not found. On Debian: sudo apt-get install gcc libc6-dev make python3`,
  );
}

/** The headers that came with this Node, where its package has them: nothing is fetched then. */
function headerArguments() {
  const prefix = path.resolve(path.dirname(fs.realpathSync(process.execPath)), '..');
  const header = path.join(prefix, 'include', 'node', 'node_version.h');
  if (!fs.existsSync(header)) return [];
  const text = fs.readFileSync(header, 'utf8');
  const major = /^#define NODE_MAJOR_VERSION (\d+)$/m.exec(text)?.[1];
  return major === process.versions.node.split('.')[0] ? [`--nodedir=${prefix}`] : [];
}

function runNodeGyp(folder, environment) {
  const nodeGyp = path.join(ROOT, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const args = [nodeGyp, 'rebuild', '--loglevel=error', ...headerArguments()];
  return run(process.execPath, args, {
    cwd: path.join(ROOT, folder),
    env: { ...process.env, ...environment },
  });
}

function buildAddon(addon) {
  const compiler = needTools();
  say(`building ${addon.folder}`);
  // Our addons are C: linking with the C compiler spares the machine a C++ one.
  if (!runNodeGyp(addon.folder, { CC: compiler, CXX: compiler, LINK: compiler })) {
    throw new SetupError(
      'SETUP_BUILD_FAILED',
      `${addon.folder} did not compile; the reason is above`,
    );
  }
}

/** Only real GPIO lines need it, so a machine that cannot compile it still runs everything else. */
function buildGpio() {
  const folder = 'node_modules/epoll';
  if (!fs.existsSync(path.join(ROOT, folder, 'binding.gyp'))) return;
  if (fs.existsSync(path.join(ROOT, folder, 'build', 'Release', 'epoll.node'))) return;
  if (
    findProgram(process.env.CXX ?? 'c++', 'c++', 'g++', 'clang++') === undefined ||
    !runNodeGyp(folder, {})
  ) {
    say(
      'GPIO buttons are not available: epoll needs a C++ compiler (g++). The demo does not use it.',
    );
  }
}

function installPackages() {
  say('installing packages');
  const npm = process.env.npm_execpath;
  const [command, first] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  // Not `npm ci`: it refuses a lock file that leaves out packages for other platforms. What the lock file names is
  // installed as it says, and it stays as it is. Of all install scripts one compiles what we use: buildGpio runs that.
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const args = [...first, 'install', '--no-save', '--ignore-scripts', ...quiet];
  if (!run(command, args)) {
    throw new SetupError(
      'SETUP_INSTALL_FAILED',
      'npm could not install the packages; the reason is above',
    );
  }
  buildGpio();
}

function buildTypescript() {
  const startedAt = new Date();
  say('compiling TypeScript');
  const tsc = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  if (!run(process.execPath, [tsc, '-p', 'tsconfig.json'])) {
    throw new SetupError('SETUP_COMPILE_FAILED', 'TypeScript did not compile; the reason is above');
  }
  const page = path.join(ROOT, 'src/verifier/page/build.mjs');
  if (fs.existsSync(page) && !run(process.execPath, [page])) {
    throw new SetupError('SETUP_COMPILE_FAILED', 'verify.html was not made; the reason is above');
  }
  fs.mkdirSync(path.dirname(BUILT), { recursive: true });
  fs.writeFileSync(BUILT, '');
  // A source that was saved while the compiler ran counts as newer.
  fs.utimesSync(BUILT, startedAt, startedAt);
}

function isReady() {
  return !packagesMissing() && !ADDONS.some(addonMissing) && !typescriptBehind();
}

/** Held by a socket name, which the kernel frees when this process ends in any way. */
async function lock() {
  const name = createHash('sha256').update(ROOT).digest('hex').slice(0, 32);
  const server = createServer();
  const tryOnce = () =>
    new Promise((resolve, reject) => {
      server.once('error', (error) =>
        error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
      );
      server.listen(`\0docket-setup-${name}`, () => resolve(true));
    });
  let held = await tryOnce();
  if (!held) say('waiting for another setup of this folder');
  while (!held) {
    await delay(LOCK_POLL_MS);
    server.removeAllListeners();
    held = await tryOnce();
  }
  return server;
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [wantMajor, wantMinor] = NODE_MINIMUM;
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return;
  throw new SetupError(
    'SETUP_NODE_TOO_OLD',
    `Node ${NODE_MINIMUM.join('.')} or later is needed, this is ${process.version}`,
  );
}

async function setup() {
  checkNode();
  if (isReady()) return;
  const held = await lock();
  try {
    if (packagesMissing()) installPackages();
    for (const addon of ADDONS) if (addonMissing(addon)) buildAddon(addon);
    if (typescriptBehind()) buildTypescript();
  } finally {
    held.close();
  }
}

try {
  await setup();
} catch (error) {
  say(`${error.code ?? 'SETUP_FAILED'}: ${error.message}`);
  process.exitCode = 1;
}

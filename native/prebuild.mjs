/*
 * Makes prebuilds/ for the machines that docks and councils have, both from the same sources, whose digest
 * is put beside them. On Debian: apt-get install gcc libc6-dev make python3 gcc-aarch64-linux-gnu libc6-dev-arm64-cross
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DIGEST_NAME, digestSources } from './sources.mjs';

const NATIVE = path.dirname(fileURLToPath(import.meta.url));
const NODE_GYP = path.resolve(NATIVE, '../node_modules/node-gyp/bin/node-gyp.js');
const TARGETS = [
  { name: 'linux-x64', arch: 'x64', triplet: 'x86_64-linux-gnu' },
  { name: 'linux-arm64', arch: 'arm64', triplet: 'aarch64-linux-gnu' },
];

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { stdio: ['ignore', 2, 2], ...options });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
}

/** The headers that came with this Node serve both machines. */
function headerArguments() {
  const prefix = path.resolve(path.dirname(fs.realpathSync(process.execPath)), '..');
  const has = fs.existsSync(path.join(prefix, 'include', 'node', 'node_api.h'));
  return has ? [`--nodedir=${prefix}`] : [];
}

function build({ name, arch, triplet }, folder) {
  const compiler = `${triplet}-gcc`;
  const tools = { CC: compiler, CXX: compiler, LINK: compiler, AR: `${triplet}-ar` };
  const args = [NODE_GYP, 'rebuild', `--arch=${arch}`, '--loglevel=error', ...headerArguments()];
  run(process.execPath, args, { cwd: folder, env: { ...process.env, ...tools } });
  const made = path.join(folder, 'build', 'Release', 'docket_native.node');
  const target = path.join(NATIVE, 'prebuilds', name, 'docket.napi.node');
  fs.mkdirSync(path.dirname(target), { recursive: true });
  run(`${triplet}-strip`, ['--strip-all', '-o', target, made]);
  process.stderr.write(`${name}: ${fs.statSync(target).size} bytes\n`);
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'docket-prebuild-'));
try {
  for (const name of ['binding.gyp', 'src']) {
    fs.cpSync(path.join(NATIVE, name), path.join(folder, name), { recursive: true });
  }
  for (const target of TARGETS) build(target, folder);
  const record = path.join(NATIVE, 'prebuilds', DIGEST_NAME);
  fs.writeFileSync(record, `${digestSources(folder)}\n`);
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}

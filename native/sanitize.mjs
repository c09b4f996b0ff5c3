/*
 * The native tests of Node with an addon that was built with the address and undefined-behaviour sanitizers, in a copy of
 * this clone, so that the addon in use stays as it is. Leaks are not looked for here, because Node has its own: test/drive.c
 * looks for those of the plain C.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const FLAGS = '-fsanitize=address,undefined -fno-sanitize-recover=all -O1 -g';
const TESTS = ['stream', 'abuse', 'life', 'reader', 'reader-life'];
const SKIPPED = new Set(['build', 'prebuilds', 'system']);

function copyClone(clone) {
  for (const name of ['package.json', 'src', 'native', 'test']) {
    fs.cpSync(path.join(ROOT, name), path.join(clone, name), {
      recursive: true,
      filter: (file) => !SKIPPED.has(path.basename(file)),
    });
  }
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(clone, 'node_modules'));
}

function buildAddon(clone) {
  const nodeGyp = path.join(ROOT, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const prefix = path.resolve(path.dirname(fs.realpathSync(process.execPath)), '..');
  const hasHeaders = fs.existsSync(path.join(prefix, 'include', 'node', 'node_api.h'));
  const args = ['rebuild', '--loglevel=error', ...(hasHeaders ? [`--nodedir=${prefix}`] : [])];
  const tools = { CC: 'gcc', CXX: 'gcc', LINK: 'gcc', CFLAGS: FLAGS, LDFLAGS: FLAGS };
  execFileSync(process.execPath, [nodeGyp, ...args], {
    cwd: path.join(clone, 'native'),
    env: { ...process.env, ...tools },
    stdio: ['ignore', 2, 2],
  });
}

function runTest(clone, name) {
  const library = (file) =>
    execFileSync('gcc', [`-print-file-name=${file}`], { encoding: 'utf8' }).trim();
  return spawnSync(process.execPath, ['--import', 'tsx', `test/native/${name}.test.ts`], {
    cwd: clone,
    stdio: 'inherit',
    env: {
      ...process.env,
      LD_PRELOAD: `${library('libasan.so')} ${library('libubsan.so')}`,
      // What was freed is kept for a while; with its default of 256 MiB a test of memory would measure that.
      ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1:quarantine_size_mb=8',
      UBSAN_OPTIONS: 'print_stacktrace=1',
    },
  }).status;
}

const clone = fs.mkdtempSync(path.join(os.tmpdir(), 'docket-sanitize-'));
try {
  copyClone(clone);
  buildAddon(clone);
  const failed = TESTS.filter((name) => runTest(clone, name) !== 0);
  console.log(`${TESTS.length - failed.length} passed, ${failed.length} failed`);
  process.exitCode = failed.length === 0 ? 0 : 1;
} finally {
  fs.rmSync(clone, { recursive: true, force: true });
}

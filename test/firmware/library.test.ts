import { execFileSync } from 'node:child_process';
import {
  accessSync,
  constants,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { corpusFiles } from '../vectors/link/corpus.ts';
import { vectorFiles } from '../vectors/link/write.ts';

const FIRMWARE = fileURLToPath(new URL('../../firmware-bridge', import.meta.url));
/** All that a camera maker's computer must have: make, a C compiler with its binutils, and the shell's own commands. */
const TOOLS = ['make', 'cc', 'as', 'ld', 'ar', 'mkdir', 'rm'];
const library = suite('the camera library');
const folder = mkdtempSync(join(tmpdir(), 'docket-fwb-'));

library.after(() => rmSync(folder, { recursive: true, force: true }));

function findProgram(name: string): string {
  for (const place of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(place, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this place: the next one may have it.
    }
  }
  throw new Error(`${name} is not on this computer`);
}

/** A folder of programs that holds the tools and nothing else. */
function toolsAlone(): string {
  const tools = join(folder, 'tools');
  mkdirSync(tools);
  for (const name of TOOLS) symlinkSync(findProgram(name), join(tools, name));
  return tools;
}

library('builds alone, without a warning, from a copy, and agrees with every vector', () => {
  const copy = join(folder, 'copy');
  for (const part of ['Makefile', 'include', 'src', 'test', 'examples']) {
    cpSync(join(FIRMWARE, part), join(copy, part), { recursive: true });
  }
  const said = execFileSync(findProgram('make'), ['all', 'test', 'example', 'mutate'], {
    cwd: copy,
    env: { PATH: toolsAlone() },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  assert.match(said, /fwb: \d{4,} checks, 0 failed/);
  assert.is(said.match(/20000 changed ones, no failure/g)?.length, 2);
});

library('shows a port in about sixty lines', () => {
  const lines = readFileSync(join(FIRMWARE, 'examples', 'minimal.c'), 'utf8').split('\n').length;
  assert.ok(lines <= 70, `${lines} lines`);
});

library('has vectors that are what the reference computes', () => {
  for (const [name, { url, text }] of vectorFiles()) {
    assert.ok(readFileSync(url, 'utf8') === text, `${name} differs`);
  }
});

library('has seeds for its fuzzers that are made from the vectors', () => {
  const seeds = corpusFiles();
  assert.ok(seeds.length > 40);
  for (const { url, bytes } of seeds) assert.ok(readFileSync(url).equals(bytes), url.pathname);
});

library.run();

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findPackageRoot } from '../../src/adapters/native/loader.ts';

const NATIVE = path.join(findPackageRoot(fileURLToPath(import.meta.url)), 'native');
const sanitize = suite('native under sanitizers');

for (const [target, what] of [
  ['address', 'never reads or writes beside its memory, leaks nothing, does nothing undefined'],
  ['thread', 'never touches from two threads what one of them changes'],
  ['valgrind', 'is clean under valgrind, where it runs without the lanes'],
] as const) {
  sanitize(what, () => {
    const { status, stdout, stderr } = spawnSync('make', ['-s', '-C', NATIVE, target], {
      encoding: 'utf8',
    });
    assert.is(status, 0, stdout + stderr);
    assert.match(stdout, /^\d+ passed, 0 failed$/m);
  });
}

sanitize('the tests of the module in Node pass with sanitizers in it', () => {
  const { status, stdout, stderr } = spawnSync('node', [path.join(NATIVE, 'sanitize.mjs')], {
    encoding: 'utf8',
  });
  assert.is(status, 0, stdout + stderr);
  assert.match(stdout, /^5 passed, 0 failed$/m);
});

sanitize.run();

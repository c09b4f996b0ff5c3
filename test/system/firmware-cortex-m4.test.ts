import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const FIRMWARE = fileURLToPath(new URL('../../firmware-bridge', import.meta.url));
const MEMORY_MAX = 24 * 1024;
const cortex = suite('the camera library on a Cortex-M4');
const build = mkdtempSync(join(tmpdir(), 'docket-m4-'));

cortex.after(() => rmSync(build, { recursive: true, force: true }));

function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  assert.is(status, 0, `${stdout}${stderr}${error ?? ''}`);
  return stdout;
}

const sizeRow = () =>
  run('make', '-s', '-C', FIRMWARE, `BUILD=${build}`, 'size')
    .split('\n')
    .find((line) => line.startsWith('| Cortex-M4')) ?? '';

cortex('compiles without a C library and without a warning, and asks for four functions', () => {
  run('make', '-s', '-C', FIRMWARE, `BUILD=${build}`, 'cortex-m4');
  const folder = join(build, 'cortex-m4');
  const objects = readdirSync(folder).filter((name) => name.endsWith('.o'));
  const symbols = run('arm-none-eabi-nm', ...objects.map((name) => join(folder, name)));
  const of = (kinds: string) =>
    new Set(
      [...symbols.matchAll(new RegExp(`^ *[0-9a-f]* [${kinds}] (\\S+)$`, 'gm'))].map(
        ([, name]) => name,
      ),
    );
  const defined = of('TtRrDdBb');
  const missing = [...of('U')].filter((name) => !defined.has(name)).sort();
  assert.equal(missing, ['memcmp', 'memcpy', 'memmove', 'memset']);
  assert.equal([...of('DdBbC')], [], 'no variables of its own');
});

cortex('takes less than 24 KiB of memory, stack included', () => {
  const [, , , initialised, zeroed, camera, stack] = sizeRow().split('|').map(Number);
  const total = [initialised, zeroed, camera, stack]
    .map(Number)
    .reduce((sum, size) => sum + size, 0);
  assert.ok(total > 9_000 && total < MEMORY_MAX, `${total} bytes`);
});

cortex('takes what the README says', () => {
  assert.ok(readFileSync(join(FIRMWARE, 'README.md'), 'utf8').includes(sizeRow()), sizeRow());
});

cortex.run();

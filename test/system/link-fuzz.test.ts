// timeout: 900
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fuzzByMutation, fuzzByProperty } from '../fuzz/link.ts';

const FIRMWARE = fileURLToPath(new URL('../../firmware-bridge', import.meta.url));
const fuzz = suite('fuzzing of the link, at length');
const build = mkdtempSync(join(tmpdir(), 'docket-fuzz-'));

fuzz.after(() => rmSync(build, { recursive: true, force: true }));

function make(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(
    'make',
    ['-s', '-C', FIRMWARE, `BUILD=${build}`, ...args],
    { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  assert.is(status, 0, `${stdout}${stderr}`.slice(-4_000));
  return `${stdout}${stderr}`;
}

fuzz('the library agrees with its vectors and its kept inputs under sanitizers', () => {
  const said = make('sanitize');
  assert.match(said, /checks, 0 failed/);
  assert.is(said.match(/kept inputs, 0 changed ones, no failure/g)?.length, 2);
});

fuzz('a million inputs break nothing in the decoder of the camera library', () => {
  assert.match(make('fuzz-decoder', 'FUZZ_RUNS=1000000'), /^Done 1000000 runs/m);
});

fuzz('a hundred thousand conversations break nothing in the camera library', () => {
  assert.match(make('fuzz-camera', 'FUZZ_RUNS=100000'), /^Done 100000 runs/m);
});

fuzz(
  'a million inputs break no decoder and no parser of the dock, and leave nothing behind',
  () => {
    const tally = fuzzByMutation(1_000_000, 2);
    assert.ok(tally.executions >= 1_000_000);
    assert.ok(tally.parsed > 50_000);
    // What one input left behind, a million times; the heap itself is a few MB more or less.
    assert.ok(tally.growthBytes < 16_000_000, `${tally.growthBytes} bytes more`);
  },
);

fuzz('a hundred thousand built lines come out as the reference reads them', () => {
  assert.is(fuzzByProperty(100_000, 2).executions, 100_000);
});

fuzz.run();

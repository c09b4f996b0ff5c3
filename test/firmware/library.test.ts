import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { vectorFiles } from '../vectors/link/write.ts';

const FIRMWARE = fileURLToPath(new URL('../../firmware-bridge', import.meta.url));
const library = suite('the camera library');

library('builds without a warning and agrees with every vector', () => {
  const build = mkdtempSync(join(tmpdir(), 'docket-fwb-'));
  try {
    const said = execFileSync('make', ['-C', FIRMWARE, `BUILD=${build}`, 'test', 'example'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    assert.match(said, /fwb: \d{4,} checks, 0 failed/);
  } finally {
    rmSync(build, { recursive: true, force: true });
  }
});

library('has vectors that are what the reference computes', () => {
  for (const [name, { url, text }] of vectorFiles()) {
    assert.ok(readFileSync(url, 'utf8') === text, `${name} differs`);
  }
});

library.run();

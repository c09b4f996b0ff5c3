import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { randomBlock } from '../seal/source.ts';
import {
  bestOf,
  climb,
  deadlineSeconds,
  idealSeconds,
  type Outcome,
  planCells,
  shareOf,
  toLinkRow,
} from './cells.ts';
import { unthrottledRatio } from './link.ts';
import { RAW } from './programs.ts';
import { buildLineTools, type LineTools } from './tools.ts';
import { type Scene, sha256OfFile, transfer } from './transfer.ts';

const bench = suite('link bench');
const CLIP_BYTES = 60_000;
let scene: Scene;
let tools: LineTools;
let folder = '';

function outcome(seconds: number, intact = true): Outcome {
  return { seconds, cpuSeconds: 0.5, intact, flippedBits: 3 };
}

bench.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'docket-link-bench-'));
  tools = buildLineTools(folder);
  const clip = join(folder, 'clip.mp4');
  writeFileSync(clip, randomBlock(CLIP_BYTES));
  const own = join(folder, 'scene');
  mkdirSync(own);
  scene = { tools, folder: own, clip, sha256: await sha256OfFile(clip) };
});

bench.after(() => rmSync(folder, { recursive: true, force: true }));

bench('makes every clip as long as its line needs for the seconds asked for', () => {
  const plan = {
    bauds: [115_200, 0],
    bers: [0, 1e-4],
    seconds: 10,
    unthrottledBytes: 800,
    seed: 5,
  };
  assert.equal(
    planCells(plan).map(({ baud, ber, bytes }) => [baud, ber, bytes]),
    [
      [115_200, 0, 115_200],
      [115_200, 1e-4, 115_200],
      [0, 0, 800],
      [0, 1e-4, 100],
    ],
  );
});

bench('counts ten bits a byte, and nothing for a clip that is not intact', () => {
  const cell = { baud: 100_000, ber: 0, seed: 1, bytes: 10_000 };
  assert.is(idealSeconds(cell), 1);
  assert.is(shareOf(cell, outcome(2), undefined), 0.5);
  assert.is(shareOf(cell, outcome(2, false), undefined), 0);
  assert.is(shareOf({ ...cell, baud: 0 }, outcome(2), 1), 0.5);
  assert.is(deadlineSeconds(cell), 9);
  const row = toLinkRow('x', cell, { outcome: outcome(2), rawSeconds: undefined });
  assert.is(row.cpuSecondsPerGB, 50_000);
  assert.is(row.megabytesPerSecond, 0.005);
});

bench('searches among neighbours for as long as they are better', async () => {
  const seconds = [9, 5, 4, 3, 6, 1];
  const asked: number[] = [];
  const outcomes = await climb(seconds.length, 2, async (index) => {
    asked.push(index);
    return outcome(seconds[index] ?? 0);
  });
  assert.equal(asked, [2, 3, 4, 1]);
  assert.is(bestOf(outcomes)?.seconds, 3);
  assert.is(bestOf([outcome(1, false), outcome(7)])?.seconds, 7);
  assert.is(bestOf([outcome(1, false)])?.intact, false);
});

bench('compares with the fastest of the others that kept the clip intact', () => {
  const cell = { baud: 0, ber: 0, seed: 1, bytes: 30_000_000 };
  const row = (peer: string, seconds: number, intact = true) =>
    toLinkRow(peer, cell, { outcome: outcome(seconds, intact), rawSeconds: 1 });
  const others = [row('raw copy', 0.5), row('a', 2), row('b', 3), row('c', 1, false)];
  assert.is(unthrottledRatio([row('docket', 1), ...others]), 2);
  assert.is(unthrottledRatio(others), undefined);
});

bench('brings the bytes over a clean line as they are', async () => {
  const cell = { baud: 3_000_000, ber: 0, seed: 1, bytes: CLIP_BYTES };
  const copied = await transfer(scene, cell, RAW);
  assert.is(copied.intact, true);
  assert.is(copied.flippedBits, 0);
});

bench('brings them over a pty with nothing between', async () => {
  const cell = { baud: 0, ber: 0, seed: 1, bytes: CLIP_BYTES };
  assert.is((await transfer(scene, cell, RAW)).intact, true);
});

bench('flips the same bits for the same seed, and others for another', async () => {
  const flips: number[] = [];
  const digests: string[] = [];
  for (const seed of [1, 1, 2]) {
    const cell = { baud: 0, ber: 1e-3, seed, bytes: CLIP_BYTES };
    const copied = await transfer(scene, cell, RAW);
    assert.is(copied.intact, false);
    flips.push(copied.flippedBits);
    digests.push(await sha256OfFile(join(scene.folder, 'out', 'clip.mp4')));
  }
  assert.is(flips[0], flips[1]);
  assert.is(digests[0], digests[1]);
  assert.is.not(digests[0], digests[2]);
  const expected = CLIP_BYTES * 8 * 1e-3;
  const spread = 5 * Math.sqrt(expected);
  for (const count of flips) assert.ok(Math.abs(count - expected) < spread, `${count}`);
});

bench.run();

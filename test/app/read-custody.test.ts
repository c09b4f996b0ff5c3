import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkCustody } from '../../src/app/read-custody.ts';
import { ed25519Key } from '../../src/core/custody/note.ts';
import { isDockError } from '../../src/core/errors.ts';
import { testCrypto } from '../core/custody/keys.ts';
import { FakeCamera } from '../fakes/fake-link.ts';
import { Bench, bytesOf, DOCK, KEYS, until } from './bench.ts';

const readers = suite('read custody');
const logKey = ed25519Key(KEYS.log.name, KEYS.log.publicKey);

async function writtenLog() {
  const bench = new Bench();
  const run = await bench.start();
  const camera = new FakeCamera({ clips: [{ bytes: bytesOf(10) }, { bytes: bytesOf(20) }] });
  run.link.plug(1, camera);
  await until(run, () => camera.erased.length === 2);
  await bench.stop(run);
  bench.dispose();
  const { leaves, checkpoints } = bench.custody;
  return { leaves, checkpoint: checkpoints.at(-1), checkpoints, tornBytes: 0 };
}

function flip(leaf: Uint8Array | undefined, at: number): Uint8Array {
  const flipped = (leaf ?? new Uint8Array(0)).slice();
  flipped[at] = (flipped[at] ?? 0) ^ 1;
  return flipped;
}

readers('a sound log has no findings, and the newest checkpoint is over all of it', async () => {
  const log = await writtenLog();
  const { findings, checkpointSize, state, opened } = checkCustody(log, logKey, testCrypto);
  assert.equal(findings, []);
  assert.is(checkpointSize, log.leaves.length);
  assert.is(state.counts.released, 2);
  assert.is(opened.dock, DOCK);
});

readers('any flipped bit of an entry is found', async () => {
  const log = await writtenLog();
  for (const [index, leaf] of log.leaves.entries()) {
    for (let at = 0; at < leaf.length; at += 7) {
      const leaves = log.leaves.with(index, flip(leaf, at));
      try {
        const { findings } = checkCustody({ ...log, leaves }, logKey, testCrypto);
        assert.is(findings[0]?.name, 'custody/entries');
      } catch (error) {
        assert.ok(isDockError(error, 'CUSTODY_CORRUPT'), String(error));
      }
    }
  }
});

readers(
  'a missing entry, and a log that goes on without its checkpoint, are told apart',
  async () => {
    const log = await writtenLog();
    const shorter = checkCustody({ ...log, leaves: log.leaves.slice(0, -1) }, logKey, testCrypto);
    assert.match(shorter.findings[0]?.problem ?? '', 'were signed');
    const older = { ...log, checkpoint: log.checkpoints[1] };
    const { findings, checkpointSize } = checkCustody(older, logKey, testCrypto);
    assert.equal(findings, []);
    assert.ok(checkpointSize < log.leaves.length);
  },
);

readers('a checkpoint of another key, and none at all, are findings', async () => {
  const log = await writtenLog();
  const other = ed25519Key(KEYS.log.name, KEYS.receipt.publicKey);
  for (const [contents, key] of [
    [log, other],
    [{ ...log, checkpoint: undefined }, logKey],
  ] as const) {
    const { findings, checkpointSize } = checkCustody(contents, key, testCrypto);
    assert.is(findings[0]?.name, 'custody/checkpoint');
    assert.is(checkpointSize, 0);
  }
});

readers('entries that were swapped are refused', async () => {
  const log = await writtenLog();
  const [first, second, ...rest] = log.leaves;
  const leaves = [first, rest[0], second, ...rest.slice(1)].filter((leaf) => leaf !== undefined);
  try {
    checkCustody({ ...log, leaves }, logKey, testCrypto);
    assert.unreachable('it was taken');
  } catch (error) {
    assert.ok(isDockError(error, 'CUSTODY_CORRUPT'), String(error));
  }
});

readers.run();

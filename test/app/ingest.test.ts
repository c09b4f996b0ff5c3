import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatHex } from '../../src/core/bytes.ts';
import { FakeCamera, type FakeClip } from '../fakes/fake-link.ts';
import { type Bench, bytesOf, type Run, SEGMENT_BYTES, settle, until } from './bench.ts';
import { openVault, stateOf } from './oracles.ts';
import { promisesOf, watchedCamera } from './promise.ts';

const ingest = suite('ingest');

const promise = promisesOf(ingest);

async function dockCamera(bench: Bench, clips: readonly FakeClip[]) {
  const camera = watchedCamera(bench, clips);
  const run = await bench.start();
  run.link.plug(1, camera);
  return { camera, run };
}

const isIdle = (run: Run) => run.board.lightOf(1) === 'steady-green';

promise(
  'vaults clips of 0 bytes, 1 byte and whole segments, and the camera erases them',
  async (bench) => {
    const sizes = [0, 1, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 3 * SEGMENT_BYTES];
    const clips = sizes.map((size) => ({ bytes: bytesOf(size, size) }));
    const { camera, run } = await dockCamera(bench, clips);
    await until(run, () => isIdle(run), 'the light is green');
    assert.equal(camera.erased, [1, 2, 3, 4, 5, 6]);
    const vaulted = openVault(bench.vault).sort((a, b) => a.manifest.counter - b.manifest.counter);
    for (const [index, { manifest, bytes }] of vaulted.entries()) {
      assert.is(manifest.sizeBytes, sizes[index]);
      assert.is(formatHex(bytes), formatHex(bytesOf(sizes[index] ?? 0, sizes[index])));
    }
    assert.equal(
      vaulted.map(({ manifest }) => manifest.segments.length),
      [1, 1, 1, 1, 2, 3],
    );
    await bench.stop(run);
    assert.equal(stateOf(bench).counts, {
      ...{ vaulted: 0, released: 6, quarantined: 0, missing: 0, held: 0, incidents: 0 },
      ...{ disposing: 0, disposed: 0 },
    });
  },
);

promise(
  'keeps a clip whose digest is a lie in quarantine, and never releases it',
  async (bench) => {
    const { camera, run } = await dockCamera(bench, [
      { bytes: bytesOf(1_000), lieDigest: true },
      { bytes: bytesOf(2_000) },
      { bytes: bytesOf(3_000), flipByteAt: 7 },
    ]);
    await until(run, () => camera.erased.length === 1);
    await until(run, () => run.board.lightOf(1) === 'fast-red', 'the light is red');
    await run.clock.advance(60_000);
    assert.equal([...camera.clips.keys()], [1, 3]);
    assert.equal(camera.receipts.length, 1);
    assert.equal(
      bench.entriesOf('clip-quarantined').map((entry) => entry.reason),
      ['CLIP_DIGEST_MISMATCH', 'CLIP_DIGEST_MISMATCH'],
    );
    assert.ok(run.broker.topics.has('alarm/clip-quarantined'));
    await bench.stop(run);
  },
);

promise('says again after a restart what is in quarantine', async (bench) => {
  const { camera, run } = await dockCamera(bench, [{ bytes: bytesOf(1_000), lieDigest: true }]);
  await until(run, () => run.board.lightOf(1) === 'fast-red');
  await bench.stop(run);
  const next = await bench.start();
  assert.ok(next.broker.topics.has('alarm/clip-quarantined'));
  next.link.plug(2, camera);
  await until(next, () => next.board.lightOf(2) === 'fast-red');
  assert.is(bench.vault.stored.size, 1);
  assert.is(bench.entriesOf('clip-quarantined').length, 1);
  await bench.stop(next);
});

promise('never releases a lie that a power cut left without its entry', async (bench) => {
  const camera = new FakeCamera({ clips: [{ bytes: bytesOf(1_000), lieDigest: true }] });
  const run = await bench.start();
  camera.faults.onRange = () => {
    run.store.failAppend = true;
  };
  run.link.plug(1, camera);
  await until(run, () => run.dock.halted !== undefined);
  bench.crash(run);
  const next = await bench.start();
  assert.is(bench.entriesOf('clip-recovered').length, 1);
  assert.is([...bench.vault.stored.values()][0]?.receipt, undefined);
  next.link.plug(1, camera);
  await until(next, () => next.board.lightOf(1) === 'fast-red');
  assert.equal([...camera.clips.keys()], [1]);
  assert.equal(camera.receipts, []);
  assert.is(stateOf(bench).counts.quarantined, 1);
  await bench.stop(next);
});

promise('leaves a clip on the camera when its segment reads back differently', async (bench) => {
  const { camera, run } = await dockCamera(bench, []);
  run.sealerFaults.rotted = true;
  run.link.unplug(1);
  camera.recordClip({ bytes: bytesOf(500) });
  camera.recordClip({ bytes: bytesOf(600) });
  await settle();
  run.link.plug(1, camera);
  await until(run, () => run.board.lightOf(1) === 'fast-red', 'the light is red');
  assert.equal([...camera.clips.keys()], [1, 2]);
  assert.is(bench.vault.stored.size, 0);
  assert.equal(
    bench.entriesOf('clip-refused').map((entry) => entry.reason),
    ['SEGMENT_DIGEST_MISMATCH', 'SEGMENT_DIGEST_MISMATCH'],
  );
  assert.is(run.logger.of('clip-failed').length, 6);
  await bench.stop(run);
});

promise('takes the other clips when the camera cannot read one of them', async (bench) => {
  const { camera, run } = await dockCamera(bench, []);
  run.link.unplug(1);
  for (const size of [10, 20, 30]) camera.recordClip({ bytes: bytesOf(size) });
  camera.faults.refuseReadOf = 1;
  await settle();
  run.link.plug(1, camera);
  await until(run, () => run.board.lightOf(1) === 'fast-red');
  assert.equal(camera.erased, [2, 3]);
  assert.equal([...camera.clips.keys()], [1]);
  assert.ok(run.broker.topics.has('alarm/camera-full-of-errors'));
  await bench.stop(run);
});

promise(
  'vaults everything from a camera that refuses the receipts, and erases nothing',
  async (bench) => {
    const { camera, run } = await dockCamera(bench, [
      { bytes: bytesOf(10) },
      { bytes: bytesOf(20) },
    ]);
    camera.faults.refuseReceipt = true;
    await until(run, () => run.board.lightOf(1) === 'fast-red');
    assert.equal(camera.erased, []);
    assert.is(bench.vault.stored.size, 2);
    assert.ok(run.broker.topics.has('alarm/receipt-refused'));
    run.link.unplug(1);
    await settle();
    assert.is(run.board.lightOf(1), 'off');
    camera.faults.refuseReceipt = false;
    run.link.plug(2, camera);
    await until(run, () => run.board.lightOf(2) === 'steady-green');
    assert.equal(camera.erased, [1, 2]);
    assert.is(bench.vault.stored.size, 2);
    await bench.stop(run);
  },
);

promise('releases once more, and logs it once, when the answer was lost', async (bench) => {
  const { camera, run } = await dockCamera(bench, [{ bytes: bytesOf(10) }, { bytes: bytesOf(20) }]);
  camera.faults.loseReleased = true;
  await until(run, () => camera.erased.length === 1);
  await settle();
  assert.is(bench.entriesOf('clip-released').length, 0);
  run.link.plug(3, camera);
  await until(run, () => run.board.lightOf(3) === 'steady-green');
  assert.equal(camera.erased, [1, 2]);
  assert.is(bench.entriesOf('clip-released').length, 2);
  assert.is(bench.entriesOf('clip-vaulted').length, 2);
  await bench.stop(run);
});

promise('does not trust a copy in the vault that has decayed since', async (bench) => {
  const { camera, run } = await dockCamera(bench, [{ bytes: bytesOf(10) }]);
  camera.faults.refuseReceipt = true;
  await until(run, () => run.board.lightOf(1) === 'fast-red');
  run.link.unplug(1);
  await settle();
  camera.faults.refuseReceipt = false;
  run.sealerFaults.rotted = true;
  run.link.plug(1, camera);
  await until(run, () => run.board.lightOf(1) === 'fast-red');
  assert.equal([...camera.clips.keys()], [1]);
  assert.equal(
    bench.entriesOf('clip-quarantined').map((entry) => entry.reason),
    ['SEGMENT_DIGEST_MISMATCH'],
  );
  await bench.stop(run);
});

promise(
  'refuses another recording under a counter that was used, and says so once',
  async (bench) => {
    const { camera, run } = await dockCamera(bench, [{ bytes: bytesOf(10) }]);
    await until(run, () => isIdle(run));
    camera.recordClip({ counter: 1, bytes: bytesOf(99) });
    await until(run, () => run.board.lightOf(1) === 'fast-red');
    await run.clock.advance(120_000);
    assert.is(bench.vault.stored.size, 1);
    assert.equal([...camera.clips.keys()], [1]);
    assert.is(bench.entriesOf('clip-refused').length, 1);
    await bench.stop(run);
  },
);

promise('refuses a record whose times no manifest can say, and reads none of it', async (bench) => {
  const { camera, run } = await dockCamera(bench, [
    { bytes: bytesOf(10), startedAtMs: 8.64e15 - 10_000 },
    { bytes: bytesOf(20), startedAtMs: -8.64e15 },
    { bytes: bytesOf(30) },
  ]);
  await until(run, () => run.board.lightOf(1) === 'fast-red');
  await run.clock.advance(60_000);
  assert.equal([...camera.clips.keys()], [1, 2]);
  assert.is(camera.sentBytes, 30);
  assert.equal(
    bench.entriesOf('clip-refused').map(({ counter }) => counter),
    [1, 2],
  );
  await bench.stop(run);
});

promise(
  'does not take a clip again whose commit failed after it was in the vault',
  async (bench) => {
    const { camera, run } = await dockCamera(bench, [{ bytes: bytesOf(10) }]);
    bench.vault.faults.commitFailsLate = true;
    await until(run, () => run.dock.halted === 'VAULT_UNWRITABLE');
    bench.vault.faults.commitFailsLate = false;
    await run.clock.advance(60_000);
    await bench.stop(run);
    const next = await bench.start();
    next.link.plug(1, camera);
    await until(next, () => isIdle(next));
    assert.equal(camera.erased, [1]);
    assert.is(bench.vault.stored.size, 1);
    await bench.stop(next);
  },
);

promise('records what it removes of an ingest that power ended', async (bench) => {
  const { camera, run } = await dockCamera(bench, [{ bytes: bytesOf(3 * SEGMENT_BYTES) }]);
  camera.faults.onRange = (_, offset) => {
    if (offset > 0) run.power.cut();
  };
  await until(run, () => run.power.isOff);
  await settle();
  bench.crash(run);
  assert.is(bench.vault.draftCount, 1);
  await bench.stop(await bench.start());
  assert.equal(
    bench.entriesOf('draft-removed').map(({ reason }) => reason),
    ['INTERRUPTED'],
  );
});

promise('puts a hostile name nowhere but into the sealed details', async (bench) => {
  const name = '../../etc/passwd\n\u202egpj.\u0007"';
  const { run } = await dockCamera(bench, [{ bytes: bytesOf(10), name, wearer: 'CEO-117\u0000' }]);
  await until(run, () => isIdle(run));
  const [clip] = openVault(bench.vault);
  assert.ok(clip?.details.includes(JSON.stringify(name)));
  const [stored] = bench.vault.stored.values();
  const said = [
    stored?.manifest,
    stored?.receipt,
    ...bench.custody.leaves.map((leaf) => new TextDecoder().decode(leaf)),
    JSON.stringify([...run.broker.topics]),
    JSON.stringify(run.broker.events),
    JSON.stringify(run.logger.lines),
    bench.cache.text,
  ].join('\n');
  assert.not(/passwd|CEO-117|202e|gpj/.test(said));
  await bench.stop(run);
});

ingest.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf, SEGMENT_BYTES, settle, until } from './bench.ts';
import { openVault, stateOf } from './oracles.ts';
import { promisesOf, watchedCamera } from './promise.ts';

const halt = suite('halt');
const promise = promisesOf(halt);

for (const fault of ['failAppend', 'failCheckpoint'] as const) {
  promise(
    `stops the whole dock when the log gives ${fault}, and every bay waits`,
    async (bench) => {
      const cameras = [1, 2, 3].map((bay) =>
        watchedCamera(
          bench,
          [1, 2].map((seed) => ({ bytes: bytesOf(bay * 90_000, seed) })),
          `CAM-${bay}`,
        ),
      );
      const run = await bench.start();
      run.store[fault] = true;
      for (const [index, camera] of cameras.entries()) run.link.plug(index + 1, camera);
      await until(run, () => [1, 2, 3].every((bay) => run.board.lightOf(bay) === 'steady-amber'));
      await run.clock.advance(60_000);
      assert.is(run.dock.halted, 'CUSTODY_UNWRITABLE');
      assert.ok([1, 2, 3].every((bay) => run.board.lightOf(bay) === 'steady-amber'));
      assert.ok(cameras.every((camera) => camera.erased.length === 0));
      assert.is((run.broker.topics.get('state') as { state: string }).state, 'halted');
      assert.ok(run.broker.topics.has('alarm/custody-unwritable'));
      assert.is(run.logger.of('dock-halted').length, 1);
      run.store[fault] = false;
      await settle();
      assert.ok(
        cameras.every((camera) => camera.erased.length === 0),
        'it does not go on by itself',
      );
      await bench.stop(run);
      const next = await bench.start();
      for (const [index, camera] of cameras.entries()) next.link.plug(index + 1, camera);
      await until(next, () => cameras.every((camera) => camera.erased.length === 2));
      assert.is(openVault(bench.vault).length, 6);
      await bench.stop(next);
    },
  );
}

promise('begins no further clip once another bay has halted the dock', async (bench) => {
  const clips = Array.from({ length: 30 }, (_, seed) => ({ bytes: bytesOf(SEGMENT_BYTES, seed) }));
  const camera = watchedCamera(bench, clips);
  const other = watchedCamera(bench, [{ bytes: bytesOf(10) }], 'CAM-0002');
  const run = await bench.start();
  camera.faults.onRange = (counter) => {
    if (counter !== 2) return;
    camera.faults.onRange = undefined;
    other.faults.failNext = 'DURABLE_WRITE_FAILED';
    run.link.plug(2, other);
  };
  run.link.plug(1, camera);
  await until(run, () => run.dock.halted !== undefined);
  await until(run, () => run.board.lightOf(1) === 'steady-amber');
  assert.ok(camera.clips.size > 20);
  await bench.stop(run);
});

promise(
  'starts with an unwritable vault: no clip is taken, and lights and alarm say so',
  async (bench) => {
    const camera = watchedCamera(bench, [{ bytes: bytesOf(10) }]);
    bench.vault.faults.unwritable = true;
    const run = await bench.start();
    assert.is(run.dock.halted, 'VAULT_UNWRITABLE');
    run.link.plug(1, camera);
    run.link.plugBad(2, 'CAMERA_UNKNOWN');
    await until(run, () => run.board.lightOf(1) === 'steady-amber');
    await until(run, () => run.board.lightOf(2) === 'fast-red');
    assert.ok(run.broker.topics.has('alarm/vault-unwritable'));
    assert.is(camera.sentBytes, 0);
    await bench.stop(run);
    assert.equal(bench.kinds.slice(0, 2), ['log-opened', 'dock-started']);
    const next = await bench.start();
    next.link.plug(1, camera);
    await until(next, () => next.board.lightOf(1) === 'steady-green');
    await bench.stop(next);
  },
);

promise(
  'starts with a corrupt log: it takes no clip, and writes nothing to that log',
  async (bench) => {
    const camera = watchedCamera(bench, [{ bytes: bytesOf(10) }]);
    await bench.stop(await bench.start());
    const leaves = bench.custody.leaves.length;
    const checkpoints = bench.custody.checkpoints.length;
    const good = bench.custody.leaves[1];
    bench.custody.leaves[1] = new TextEncoder().encode(
      new TextDecoder().decode(good).replace('0.1.0', '0.1.1'),
    );
    const run = await bench.start();
    assert.is(run.dock.halted, 'CUSTODY_CORRUPT');
    run.link.plug(1, camera);
    run.link.plugBad(2, 'CAMERA_UNKNOWN');
    await until(run, () => run.board.lightOf(1) === 'steady-amber');
    await until(run, () => run.board.lightOf(2) === 'fast-red');
    assert.ok(run.broker.topics.has('alarm/custody-corrupt'));
    run.board.press(1, 'long');
    run.link.unplug(1);
    await until(run, () => run.board.lightOf(1) === 'off');
    await bench.stop(run);
    assert.is(bench.custody.leaves.length, leaves);
    assert.is(bench.custody.checkpoints.length, checkpoints);
    if (good !== undefined) bench.custody.leaves[1] = good;
  },
);

promise('stops while a camera waits in a halted dock', async (bench) => {
  const camera = watchedCamera(bench, [{ bytes: bytesOf(10) }]);
  bench.vault.faults.unwritable = true;
  const run = await bench.start();
  run.link.plug(1, camera);
  await until(run, () => run.board.lightOf(1) === 'steady-amber');
  await bench.stop(run);
  assert.is(run.broker.topics.get('availability'), 'disconnected');
});

promise('says at every start that a clip of the log is not in the vault', async (bench) => {
  const camera = watchedCamera(bench, [{ bytes: bytesOf(10) }]);
  const run = await bench.start();
  run.link.plug(1, camera);
  await until(run, () => run.board.lightOf(1) === 'steady-green');
  await bench.stop(run);
  for (const [clip] of bench.vault.stored) bench.vault.lose(clip);
  for (let start = 0; start < 2; start++) {
    const next = await bench.start();
    assert.ok(next.broker.topics.has('alarm/clip-missing'));
    assert.is(next.dock.halted, undefined);
    await bench.stop(next);
  }
  assert.is(bench.entriesOf('clip-missing').length, 1);
});

promise(
  'quarantines a clip whose manifest was changed, and takes the camera’s own copy',
  async (bench) => {
    const camera = watchedCamera(bench, [{ bytes: bytesOf(10) }]);
    camera.faults.refuseReceipt = true;
    const run = await bench.start();
    run.link.plug(1, camera);
    await until(run, () => run.board.lightOf(1) === 'fast-red');
    await bench.stop(run);
    for (const [clip, { manifest }] of bench.vault.stored) {
      bench.vault.replaceManifest(clip, (manifest ?? '').replace('counter 1', 'counter 7'));
    }
    camera.faults.refuseReceipt = false;
    const next = await bench.start();
    next.link.plug(1, camera);
    await until(next, () => camera.erased.length === 1);
    assert.equal(
      bench.entriesOf('clip-quarantined').map(({ reason }) => reason),
      ['SIGNATURE_INVALID'],
    );
    await settle();
    const { counts } = stateOf(bench);
    assert.equal([counts.quarantined, counts.released], [1, 1]);
    await bench.stop(next);
  },
);

promise('says that a torn record was cut off, and goes on', async (bench) => {
  await bench.stop(await bench.start());
  bench.custody.tornBytes = 17;
  const run = await bench.start();
  assert.is(run.dock.halted, undefined);
  assert.equal(
    bench.entriesOf('custody-repaired').map(({ tornBytes }) => tornBytes),
    [17],
  );
  assert.ok(run.broker.topics.has('alarm/custody-repaired'));
  await bench.stop(run);
});

promise('says in the log whether the run before ended well', async (bench) => {
  await bench.stop(await bench.start());
  const run = await bench.start();
  bench.crash(run);
  await bench.stop(await bench.start());
  assert.equal(
    bench.entriesOf('dock-started').map(({ clean }) => clean),
    [true, true, false],
  );
});

halt.run();

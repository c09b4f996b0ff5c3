import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseManifest } from '../../src/core/evidence/manifest.ts';
import type { Bench, Run } from './bench.ts';
import { bytesOf, SEGMENT_BYTES, until } from './bench.ts';
import { promisesOf, watchedCamera } from './promise.ts';

const clocks = suite('the camera’s clock');
const promise = promisesOf(clocks);

const HOUR_MS = 3_600_000;

/** By counter. */
function offsetsIn(bench: Bench): Record<number, number | undefined> {
  const manifests = [...bench.vault.stored.values()].map(({ manifest }) => {
    return parseManifest(`${(manifest ?? '').split('\n\n')[0]}\n`);
  });
  return Object.fromEntries(
    manifests.map(({ counter, cameraClockOffsetMs }) => [counter, cameraClockOffsetMs]),
  );
}

const entriesIn = (bench: Bench) =>
  bench.entriesOf('clock-offset').map(({ first, last, ms }) => [first, last, ms]);

const isDone = (run: Run, bay = 1) => until(run, () => run.board.lightOf(bay) === 'steady-green');

promise('is measured and entered before it is set', async (bench) => {
  const camera = watchedCamera(bench, [{ bytes: bytesOf(10) }, { bytes: bytesOf(20) }]);
  const run = await bench.start();
  camera.clockMs = run.clock.nowMs() + HOUR_MS;
  run.store.failAppend = true;
  run.link.plug(1, camera);
  await until(run, () => run.dock.halted !== undefined);
  assert.is(camera.clockMs - run.clock.nowMs() > HOUR_MS / 2, true, 'not set without its entry');
  await bench.stop(run);
  const next = await bench.start();
  camera.clockMs = next.clock.nowMs() + HOUR_MS;
  next.link.plug(1, camera);
  await isDone(next);
  assert.is(camera.clockMs, next.clock.nowMs());
  assert.equal(entriesIn(bench), [[1, 2, HOUR_MS]]);
  assert.equal(offsetsIn(bench), { 1: HOUR_MS, 2: HOUR_MS });
  await bench.stop(next);
});

promise(
  'was as wrong as at the first docking for each recording made before it, whatever came between',
  async (bench) => {
    const camera = watchedCamera(bench, [{ bytes: bytesOf(3 * SEGMENT_BYTES) }]);
    const run = await bench.start();
    camera.clockMs = run.clock.nowMs() - HOUR_MS;
    camera.faults.vanishAfterBytes = SEGMENT_BYTES;
    run.link.plug(1, camera);
    await until(run, () => run.link.cameraIn(1) === undefined);
    await bench.stop(run);
    const next = await bench.start();
    camera.recordClip({ bytes: bytesOf(10) });
    camera.clockMs = next.clock.nowMs() + 250;
    next.link.plug(2, camera);
    await isDone(next, 2);
    assert.equal(offsetsIn(bench), { 1: -HOUR_MS, 2: 250 });
    assert.equal(entriesIn(bench), [
      [1, 1, -HOUR_MS],
      [2, 2, 250],
    ]);
    await bench.stop(next);
  },
);

promise('is measured anew for what is recorded in the bay', async (bench) => {
  const camera = watchedCamera(bench, [{ bytes: bytesOf(10) }]);
  const run = await bench.start();
  camera.clockMs = run.clock.nowMs() + HOUR_MS;
  run.link.plug(1, camera);
  await isDone(run);
  camera.recordClip({ bytes: bytesOf(20) });
  camera.clockMs = run.clock.nowMs() + 10_000;
  await until(run, () => camera.erased.length === 2);
  assert.equal(offsetsIn(bench), { 1: HOUR_MS, 2: 0 });
  await bench.stop(run);
});

promise('is not entered again for a camera that recorded nothing since', async (bench) => {
  const camera = watchedCamera(bench, [{ bytes: bytesOf(10) }]);
  const run = await bench.start();
  for (let docking = 0; docking < 3; docking++) {
    run.link.plug(1, camera);
    await isDone(run);
    run.link.unplug(1);
    await until(run, () => run.board.lightOf(1) === 'off');
  }
  assert.is(entriesIn(bench).length, 1);
  await bench.stop(run);
});

promise(
  'raises an alarm when it was wrong by more than the limit, until it is right',
  async (bench) => {
    const camera = watchedCamera(bench, [{ bytes: bytesOf(10) }]);
    const run = await bench.start();
    const visit = async (aheadMs: number) => {
      camera.recordClip({ bytes: bytesOf(30) });
      camera.clockMs = run.clock.nowMs() + aheadMs;
      run.link.plug(1, camera);
      await isDone(run);
      run.link.unplug(1);
      await until(run, () => run.board.lightOf(1) === 'off');
    };
    await visit(300_000);
    assert.not(run.broker.topics.has('alarm/camera-clock-off'));
    await visit(-300_001);
    const alarm = run.broker.topics.get('alarm/camera-clock-off') as { action: string };
    assert.match(alarm.action, /^Check the time of the dock/);
    await visit(1_000);
    assert.not(run.broker.topics.has('alarm/camera-clock-off'));
    await bench.stop(run);
  },
);

promise('is left as it is by a dock that cannot record how wrong it was', async (bench) => {
  const camera = watchedCamera(bench, [{ bytes: bytesOf(10) }]);
  const empty = watchedCamera(bench, [], 'CAM-0002');
  bench.vault.faults.unwritable = true;
  const run = await bench.start();
  const wasMs = run.clock.nowMs() - HOUR_MS;
  camera.clockMs = wasMs;
  empty.clockMs = wasMs;
  run.link.plug(1, camera);
  run.link.plug(2, empty);
  await until(run, () => run.board.lightOf(1) === 'steady-amber');
  await isDone(run, 2);
  assert.is(camera.clockMs, wasMs);
  assert.ok(empty.clockMs > wasMs);
  await bench.stop(run);
});

clocks.run();

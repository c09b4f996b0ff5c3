import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Run } from './bench.ts';
import { bytesOf, DOCK, SEGMENT_BYTES, settle, until } from './bench.ts';
import { promisesOf, watchedCamera } from './promise.ts';

const status = suite('status');
const promise = promisesOf(status);

const bodyOf = (run: Run, path: string) => run.broker.topics.get(path) as Record<string, unknown>;

promise('tells of the dock and of each bay from the start', async (bench) => {
  const run = await bench.start();
  await run.clock.advance(500);
  assert.is(bodyOf(run, 'availability'), 'online');
  assert.is(bodyOf(run, 'description').dock, DOCK);
  assert.is(bodyOf(run, 'state').state, 'ready');
  assert.is(bodyOf(run, 'state').treeSize, 2);
  assert.is(bodyOf(run, 'checkpoint').note, bench.custody.checkpoints.at(-1));
  for (const bay of [1, 2, 3, 4]) assert.is(bodyOf(run, `bay/${bay}/state`).state, 'empty');
  await bench.stop(run);
  assert.is(bodyOf(run, 'availability'), 'disconnected');
});

promise('is starting until it has started', async (bench) => {
  const run = bench.compose();
  const opened = run.dock.start();
  assert.is(bodyOf(run, 'state') ?? 'nothing yet', 'nothing yet');
  await opened;
  const first = run.broker.published.find(({ path }) => path === 'state');
  assert.is((first?.body as { state?: string } | undefined)?.state, 'starting');
  await bench.stop(run);
});

promise('counts the clips, and shows the progress of the one that is read', async (bench) => {
  const camera = watchedCamera(bench, [
    { bytes: bytesOf(2 * SEGMENT_BYTES) },
    { bytes: bytesOf(5) },
  ]);
  const run = await bench.start();
  const seen: unknown[] = [];
  camera.faults.onRange = (counter, offset) => {
    if (counter === 1 && offset === SEGMENT_BYTES) seen.push(run.dock);
  };
  run.link.plug(1, camera);
  await until(run, () => run.board.lightOf(1) === 'steady-green');
  await run.clock.advance(1_000);
  const bay = bodyOf(run, 'bay/1/state');
  assert.equal(bay.clips, { waiting: 0, vaulted: 0, released: 2, quarantined: 0, held: 0 });
  assert.is(bay.percent, 100);
  assert.is(bay.camera, camera.serial);
  const { clips } = bodyOf(run, 'state');
  assert.equal(clips, { vaulted: 0, released: 2, quarantined: 0, missing: 0, held: 0 });
  assert.is(seen.length, 1);
  run.link.unplug(1);
  await settle();
  await run.clock.advance(500);
  assert.is(bodyOf(run, 'bay/1/state').state, 'empty');
  await bench.stop(run);
});

promise('gathers changes, so that fast bays do not flood the broker', async (bench) => {
  const camera = watchedCamera(bench, [{ bytes: bytesOf(60 * SEGMENT_BYTES) }]);
  const run = await bench.start();
  await run.clock.advance(500);
  const before = run.broker.published.length;
  camera.clockMs = run.clock.nowMs();
  run.link.plug(1, camera);
  await settle();
  assert.is(run.broker.published.length, before);
  await run.clock.advance(500);
  assert.ok(run.broker.published.length - before <= 3);
  await bench.stop(run);
});

promise('numbers its events, and names its run, so that a gap shows', async (bench) => {
  const camera = watchedCamera(bench, [{ bytes: bytesOf(5) }, { bytes: bytesOf(6) }]);
  const run = await bench.start();
  camera.clockMs = run.clock.nowMs();
  run.link.plug(1, camera);
  await until(run, () => run.board.lightOf(1) === 'steady-green');
  assert.equal(
    run.broker.events.map(({ path }) => path),
    [...['event/clip-vaulted', 'event/clip-released', 'event/clip-vaulted', 'event/clip-released']],
  );
  const bodies = run.broker.events.map(({ body }) => body as Record<string, unknown>);
  assert.equal(
    bodies.map(({ seq }) => seq),
    [1, 2, 3, 4],
  );
  assert.ok(bodies.every(({ boot }) => boot === run.evidence.boot));
  await bench.stop(run);
});

promise('clears what a run before it had raised and could not clear', async (bench) => {
  const run = bench.compose();
  run.broker.topics.set('alarm/vault-full', { code: 'VAULT_FULL' });
  await run.dock.start();
  assert.not(run.broker.topics.has('alarm/vault-full'));
  await bench.stop(run);
});

promise('raises an alarm for a broker that is away, and takes clips without it', async (bench) => {
  const camera = watchedCamera(bench, [{ bytes: bytesOf(5) }]);
  const run = bench.compose();
  run.broker.away();
  await run.dock.start();
  camera.clockMs = run.clock.nowMs();
  run.link.plug(1, camera);
  await until(run, () => run.board.lightOf(1) === 'steady-green');
  await run.clock.advance(30_000);
  assert.is(run.logger.of('alarm').at(-1)?.fields.code, 'BROKER_UNREACHABLE');
  run.broker.back();
  assert.not(run.broker.topics.has('alarm/broker-unreachable'));
  assert.is(bodyOf(run, 'bay/1/state').state, 'safe');
  run.broker.away();
  assert.is(run.logger.of('alarm').length, 2);
  await bench.stop(run);
});

promise('takes clips when status and board cannot even start', async (bench) => {
  const camera = watchedCamera(bench, [{ bytes: bytesOf(5) }]);
  const run = bench.compose();
  run.broker.start = () => Promise.reject(new Error('no such address'));
  run.board.start = () => Promise.reject(new Error('no such chip'));
  await run.dock.start();
  assert.equal(
    run.logger.of('alarm').map(({ fields }) => fields.code),
    ['GPIO_UNAVAILABLE', 'BROKER_REFUSED'],
  );
  run.link.plug(1, camera);
  await until(run, () => camera.erased.length === 1);
  await bench.stop(run);
});

promise('reports a faulty line of the board, and goes on', async (bench) => {
  const run = bench.compose();
  const fault = { code: 'GPIO_FAILED', message: 'line 17 is busy', action: 'Free it.' } as const;
  run.board.faultsAtStart = [fault];
  await run.dock.start();
  assert.is(run.dock.halted, undefined);
  assert.ok(run.broker.topics.has('alarm/gpio-failed'));
  await bench.stop(run);
});

promise('says when the disk’s copies for readers are no longer made', async (bench) => {
  const { DockError } = await import('../../src/core/errors.ts');
  const run = bench.compose();
  Object.defineProperty(run.store, 'tilesFault', {
    value: new DockError('DURABLE_WRITE_FAILED', 'no space for tiles'),
  });
  await run.dock.start();
  assert.is(run.logger.of('custody-tiles-stopped').length, 1);
  await bench.stop(run);
});

promise('tells what the camera says of itself, while it is there', async (bench) => {
  const camera = watchedCamera(bench, [{ bytes: bytesOf(5) }]);
  const run = await bench.start();
  camera.clockMs = run.clock.nowMs() - 90_000;
  run.link.plug(1, camera);
  await until(run, () => run.board.lightOf(1) === 'steady-green');
  await run.clock.advance(500);
  const { battery, storage, firmware, clock } = bodyOf(run, 'bay/1/state');
  assert.equal(battery, { percent: 80, charging: true, low: false });
  const totalBytes = 64 * 1024 ** 3;
  assert.equal(storage, { totalBytes, freeBytes: totalBytes - 5, full: false });
  assert.is(firmware, 'fake 1.0');
  assert.equal(clock, { quality: 'dock', offsetMs: -90_000 });
  await run.clock.advance(10_500);
  assert.equal(bodyOf(run, 'bay/1/state').storage, {
    totalBytes,
    freeBytes: totalBytes,
    full: false,
  });
  assert.equal(bodyOf(run, 'bay/1/state').clock, clock, 'as it was when the camera came');
  run.link.unplug(1);
  await settle();
  await run.clock.advance(500);
  assert.not('battery' in bodyOf(run, 'bay/1/state'));
  await bench.stop(run);
});

promise('takes the clips of a camera that does not tell of itself', async (bench) => {
  const camera = watchedCamera(bench, [{ bytes: bytesOf(5) }]);
  const run = await bench.start();
  camera.faults.failNext = 'CAMERA_REFUSED';
  run.link.plug(1, camera);
  await until(run, () => run.board.lightOf(1) === 'steady-green');
  assert.is(run.logger.of('camera-status-unknown').length, 1);
  await bench.stop(run);
});

status.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bench } from './bench.ts';
import { bytesOf, SEGMENT_BYTES, settle, until } from './bench.ts';
import { openVault, stateOf } from './oracles.ts';
import { promisesOf, watchedCamera } from './promise.ts';

const holds = suite('holds');
const promise = promisesOf(holds);

function heldCounters(bench: Bench): number[] {
  const { clips } = stateOf(bench);
  return openVault(bench.vault)
    .filter(({ manifest }) => {
      const status = clips.get(manifest.clip);
      return status?.held === true && status.incident;
    })
    .map(({ manifest }) => manifest.counter)
    .sort();
}

const three = [1, 2, 3].map((seed) => ({ bytes: bytesOf(SEGMENT_BYTES, seed) }));

promise(
  'holds the last recording when the button was pressed before the camera said what it has',
  async (bench) => {
    const camera = watchedCamera(bench, three);
    const run = await bench.start();
    run.link.plug(1, camera);
    while (run.board.lightOf(1) === 'off') await Promise.resolve();
    run.board.press(1, 'long');
    await until(run, () => run.board.lightOf(1) === 'green-double-blink');
    assert.equal(heldCounters(bench), [3]);
    assert.equal(camera.erased, [3, 1, 2], 'it goes first');
    assert.ok(run.board.flashed.every(({ flash }) => flash === 'incident-seen'));
    await bench.stop(run);
  },
);

for (const [when, counter] of [
  ['another clip', 1],
  ['that clip', 3],
] as const) {
  promise(
    `holds the last recording when the button is pressed while ${when} is read`,
    async (bench) => {
      const camera = watchedCamera(bench, three);
      const run = await bench.start();
      camera.faults.onRange = (reading) => {
        if (reading !== counter) return;
        camera.faults.onRange = undefined;
        run.board.press(1, 'long');
      };
      run.link.plug(1, camera);
      await until(run, () => run.board.lightOf(1) === 'green-double-blink');
      assert.equal(heldCounters(bench), [3]);
      assert.equal(
        bench.entriesOf('hold-placed').map(({ reason, actor }) => [reason, actor]),
        [['WEARER-BUTTON', 'wearer']],
      );
      await bench.stop(run);
    },
  );
}

promise(
  'holds the last recording when the button is pressed at any step of its ingest, exactly once',
  async (bench) => {
    for (let step = 0; step < 60; step += 1) {
      const serial = `CAM-${step}`;
      const camera = watchedCamera(bench, [{ bytes: bytesOf(10, step) }], serial);
      const run = await bench.start();
      run.link.plug(1, camera);
      for (let turn = 0; turn < step; turn++) await Promise.resolve();
      run.board.press(1, 'long');
      await until(run, () => /green/.test(run.board.lightOf(1)));
      const isMarked = run.board.flashed.some(({ flash }) => flash === 'incident-seen');
      const clip = openVault(bench.vault).find(({ manifest }) => manifest.camera === serial);
      const status = clip && stateOf(bench).clips.get(clip.manifest.clip);
      assert.is(status?.held, isMarked, `step ${step}`);
      assert.is(run.board.lightOf(1) === 'green-double-blink', isMarked);
      const placed = bench.entriesOf('hold-placed').filter((entry) => entry.clip === status?.clip);
      assert.is(placed.length, isMarked ? 1 : 0);
      await bench.stop(run);
    }
  },
);

promise('holds a recording that the camera has given up already', async (bench) => {
  const camera = watchedCamera(bench, three);
  const run = await bench.start();
  run.link.plug(1, camera);
  await until(run, () => run.board.lightOf(1) === 'steady-green');
  run.board.press(1, 'long');
  await until(run, () => run.board.lightOf(1) === 'green-double-blink');
  run.board.press(1, 'long');
  await settle();
  assert.equal(heldCounters(bench), [3]);
  assert.is(bench.entriesOf('hold-placed').length, 1);
  await bench.stop(run);
});

promise('says with a flash that there is nothing to hold', async (bench) => {
  const camera = watchedCamera(bench, []);
  camera.lastCounter = 0;
  const run = await bench.start();
  run.board.press(2, 'long');
  run.link.plug(1, camera);
  await until(run, () => run.board.lightOf(1) === 'steady-green');
  run.board.press(1, 'long');
  await settle();
  assert.equal(run.board.flashed, [
    { bay: 2, flash: 'nothing-to-mark' },
    { bay: 1, flash: 'nothing-to-mark' },
  ]);
  assert.is(bench.entriesOf('hold-placed').length, 0);
  await bench.stop(run);
});

promise('holds what was marked on the camera, and takes it first', async (bench) => {
  const camera = watchedCamera(bench, [
    { bytes: bytesOf(10) },
    { bytes: bytesOf(20), incident: true },
    { bytes: bytesOf(30) },
  ]);
  const run = await bench.start();
  run.link.plug(1, camera);
  await until(run, () => run.board.lightOf(1) === 'green-double-blink');
  assert.equal(camera.erased, [2, 1, 3]);
  assert.equal(heldCounters(bench), [2]);
  assert.equal(
    bench.entriesOf('hold-placed').map(({ reason }) => reason),
    ['INCIDENT'],
  );
  assert.is(bench.entriesOf('incident-marked').length, 1);
  await bench.stop(run);
});

promise(
  'holds an incident that a power cut left without its entry, even if its camera never comes back',
  async (bench) => {
    const camera = watchedCamera(bench, [{ bytes: bytesOf(10), incident: true }]);
    const run = await bench.start();
    camera.faults.onRange = () => {
      run.store.failAppend = true;
    };
    run.link.plug(1, camera);
    await until(run, () => run.dock.halted !== undefined);
    bench.crash(run);
    const next = await bench.start();
    assert.equal(heldCounters(bench), [1]);
    await bench.stop(next);
  },
);

promise('holds a recording in quarantine too', async (bench) => {
  const camera = watchedCamera(bench, [{ bytes: bytesOf(10), lieDigest: true }]);
  const run = await bench.start();
  run.link.plug(1, camera);
  await until(run, () => run.board.lightOf(1) === 'fast-red');
  run.board.press(1, 'long');
  await until(run, () => bench.entriesOf('hold-placed').length === 1);
  await bench.stop(run);
});

holds.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DockError } from '../../src/core/errors.ts';
import type { Run } from './bench.ts';
import { bytesOf, SEGMENT_BYTES, settle, until } from './bench.ts';
import { openVault } from './oracles.ts';
import { promisesOf, watchedCamera } from './promise.ts';

const bays = suite('bays');
const promise = promisesOf(bays);

promise(
  'keeps what came of a clip whose camera vanished, and takes the rest at the next docking',
  async (bench) => {
    const camera = watchedCamera(bench, [{ bytes: bytesOf(3 * SEGMENT_BYTES) }]);
    camera.faults.vanishAfterBytes = 2 * SEGMENT_BYTES;
    const run = await bench.start();
    run.link.plug(1, camera);
    await until(run, () => run.link.cameraIn(1) === undefined);
    await until(run, () => run.board.lightOf(1) === 'off', 'the bay is dark');
    await settle();
    assert.is(bench.vault.draftCount, 1);
    assert.is(bench.vault.stored.size, 0);
    assert.ok(run.broker.topics.has('alarm/camera-taken-early'));
    assert.equal(
      bench.entriesOf('bay-fault').map(({ reason }) => reason),
      ['TAKEN-EARLY'],
    );
    run.link.plug(2, camera);
    await until(run, () => run.board.lightOf(2) === 'steady-green');
    assert.equal(camera.erased, [1]);
    assert.is(camera.sentBytes, 3 * SEGMENT_BYTES);
    assert.not(run.broker.topics.has('alarm/camera-taken-early'));
    await bench.stop(run);
  },
);

promise('does not say that a camera was taken when only its line failed', async (bench) => {
  const camera = watchedCamera(bench, [{ bytes: bytesOf(10) }]);
  const run = await bench.start();
  camera.faults.failNext = 'LINK_TIMEOUT';
  run.link.plug(1, camera);
  await until(run, () => run.board.lightOf(1) === 'steady-green');
  assert.is(bench.entriesOf('bay-fault').length, 0);
  assert.not(run.broker.events.some(({ path }) => path === 'event/camera-taken-early'));
  await bench.stop(run);
});

promise('knows after a while that a camera left whose line only fell silent', async (bench) => {
  const camera = watchedCamera(bench, [{ bytes: bytesOf(2 * SEGMENT_BYTES) }]);
  const run = await bench.start();
  camera.faults.onRange = () => {
    camera.faults.onRange = undefined;
    camera.faults.failNext = 'LINK_TIMEOUT';
    camera.faults.vanishAfterBytes = undefined;
  };
  run.link.plug(1, camera);
  await until(run, () => run.logger.of('bay-failed').length === 1);
  run.link.unplug(1);
  await until(run, () => run.board.lightOf(1) === 'off');
  assert.equal(
    bench.entriesOf('bay-fault').map(({ reason }) => reason),
    ['TAKEN-EARLY'],
  );
  await bench.stop(run);
});

promise('sends a camera that gets nowhere to the supervisor in the end', async (bench) => {
  const camera = watchedCamera(bench, [{ bytes: bytesOf(10) }]);
  const run = await bench.start();
  camera.faults.onRange = () => {
    camera.faults.failNext = 'LINK_TIMEOUT';
  };
  camera.faults.vanishAfterBytes = undefined;
  camera.recordClip({ bytes: bytesOf(5 * SEGMENT_BYTES) });
  camera.clips.delete(1);
  run.link.plug(1, camera);
  await until(run, () => run.board.lightOf(1) === 'fast-red');
  assert.is(run.logger.of('bay-failed').length, 8);
  assert.equal(
    bench.entriesOf('camera-refused').map(({ reason }) => reason),
    ['CAMERA_FULL_OF_ERRORS'],
  );
  run.link.unplug(1);
  await until(run, () => run.board.lightOf(1) === 'off');
  await bench.stop(run);
});

for (const thrown of [new Error('a defect'), 'CANCELLED'] as const) {
  promise(`shows red for a failure that nobody foresaw: ${thrown}`, async (bench) => {
    const camera = watchedCamera(bench, [{ bytes: bytesOf(10) }]);
    const other = watchedCamera(bench, [{ bytes: bytesOf(10) }], 'CAM-0002');
    const run = await bench.start();
    camera.faults.onRange = () => {
      throw typeof thrown === 'string' ? new DockError(thrown, 'as ordered') : thrown;
    };
    run.link.plug(1, camera);
    run.link.plug(2, other);
    await until(run, () => run.board.lightOf(1) === 'fast-red');
    await until(run, () => run.board.lightOf(2) === 'steady-green');
    assert.ok(run.broker.topics.has('alarm/bay-failed'));
    assert.is(run.dock.halted, undefined);
    await bench.stop(run);
  });
}

promise('gives an unknown camera nothing but a red light, and the log a line', async (bench) => {
  const run = await bench.start();
  run.link.plugBad(1, 'CAMERA_UNKNOWN');
  await until(run, () => run.board.lightOf(1) === 'fast-red');
  assert.equal(
    bench.entriesOf('camera-refused').map(({ bay, reason }) => [bay, reason]),
    [[1, 'CAMERA_UNKNOWN']],
  );
  assert.ok(run.broker.topics.has('alarm/camera-unknown'));
  assert.is(bench.vault.stored.size, 0);
  run.link.unplug(1);
  await until(run, () => run.board.lightOf(1) === 'off');
  assert.not(run.broker.topics.has('alarm/camera-unknown'));
  await bench.stop(run);
});

for (const code of [
  'LINK_FOREIGN',
  'CAMERA_NOT_AUTHENTIC',
  'SERIAL_IN_USE',
  'CAMERA_KEYLESS',
] as const) {
  promise(`goes on in the other bays when one has ${code}`, async (bench) => {
    const camera = watchedCamera(bench, [{ bytes: bytesOf(10) }]);
    const run = await bench.start();
    run.link.plugBad(1, code);
    await until(run, () => run.board.lightOf(1) === 'fast-red');
    run.link.plug(2, camera);
    await until(run, () => run.board.lightOf(2) === 'steady-green');
    assert.is(run.board.lightOf(1), 'fast-red');
    assert.is(run.dock.halted, undefined);
    await bench.stop(run);
  });
}

promise('takes the clips of four cameras at once', async (bench) => {
  const cameras = [1, 2, 3, 4].map((bay) =>
    watchedCamera(
      bench,
      [1, 2, 3].map((clip) => ({ bytes: bytesOf(bay * 70_000, clip) })),
      `CAM-000${bay}`,
    ),
  );
  const run = await bench.start();
  for (const [index, camera] of cameras.entries()) run.link.plug(index + 1, camera);
  await until(run, () => cameras.every((camera) => camera.clips.size === 0));
  await until(run, () => [1, 2, 3, 4].every((bay) => run.board.lightOf(bay) === 'steady-green'));
  assert.is(openVault(bench.vault).length, 12);
  await bench.stop(run);
});

const vaultedIn = (run: Run): unknown[] =>
  run.broker.events
    .filter(({ path }) => path === 'event/clip-vaulted')
    .map(({ body }) => {
      const { camera, counter } = body as { camera: string; counter: number };
      return `${camera} ${counter}`;
    });

promise('takes the incidents of all cameras before any other clip', async (bench) => {
  bench.settings = { ingestsMax: 1 };
  const clip = { bytes: bytesOf(2 * SEGMENT_BYTES) };
  const plain = [1, 2].map((bay) => watchedCamera(bench, [clip, clip, clip], `CAM-${bay}`));
  const marked = [3, 4].map((bay) =>
    watchedCamera(bench, [clip, { ...clip, incident: true }], `CAM-${bay}`),
  );
  const run = await bench.start();
  const cameras = [...plain, ...marked];
  for (const [index, camera] of cameras.entries()) run.link.plug(index + 1, camera);
  await until(run, () => cameras.every((camera) => camera.clips.size === 0));
  const order = vaultedIn(run);
  assert.is(order.length, 10);
  assert.equal(order.slice(1, 3), ['CAM-3 2', 'CAM-4 2'], `after the one under way: ${order}`);
  await bench.stop(run);
});

promise('lets a recording that was marked with the button go first', async (bench) => {
  bench.settings = { ingestsMax: 1 };
  const clip = { bytes: bytesOf(SEGMENT_BYTES) };
  const first = watchedCamera(bench, [clip, clip, clip], 'CAM-1');
  const second = watchedCamera(bench, [clip, clip, clip], 'CAM-2');
  const run = await bench.start();
  first.faults.onRange = () => {
    first.faults.onRange = undefined;
    run.board.press(2, 'long');
  };
  run.link.plug(1, first);
  run.link.plug(2, second);
  await until(run, () => first.clips.size + second.clips.size === 0);
  const order = vaultedIn(run);
  assert.ok(order.indexOf('CAM-2 3') < order.indexOf('CAM-2 2'), `${order}`);
  await bench.stop(run);
});

promise('takes the oldest clip first, whichever camera has it', async (bench) => {
  bench.settings = { ingestsMax: 1 };
  const at = (hour: number) => ({ bytes: bytesOf(10), startedAtMs: Date.UTC(2029, 11, 31, hour) });
  const cameras = [
    watchedCamera(bench, [at(1), at(5), at(9)], 'CAM-1'),
    watchedCamera(bench, [at(2), at(6)], 'CAM-2'),
    watchedCamera(bench, [at(3), at(4), at(8)], 'CAM-3'),
  ];
  const run = await bench.start();
  for (const camera of cameras) camera.clockMs = run.clock.nowMs();
  for (const [index, camera] of cameras.entries()) run.link.plug(index + 1, camera);
  await until(run, () => cameras.every((camera) => camera.clips.size === 0));
  const order = vaultedIn(run);
  assert.is(order.at(-1), 'CAM-1 3', `${order}`);
  assert.ok(order.indexOf('CAM-2 1') < order.indexOf('CAM-3 2'), `${order}`);
  await bench.stop(run);
});

promise('a full vault under one camera keeps no place from the others', async (bench) => {
  bench.settings = { ingestsMax: 1 };
  const large = watchedCamera(bench, [{ bytes: bytesOf(40 * SEGMENT_BYTES) }], 'CAM-1');
  const small = watchedCamera(bench, [{ bytes: bytesOf(10) }], 'CAM-2');
  const run = await bench.start();
  bench.vault.freeBytes = 20 * SEGMENT_BYTES;
  run.link.plug(1, large);
  await until(run, () => run.board.lightOf(1) === 'steady-amber');
  run.link.plug(2, small);
  await until(run, () => run.board.lightOf(2) === 'steady-green');
  bench.vault.freeBytes = 100 * SEGMENT_BYTES;
  await until(run, () => run.board.lightOf(1) === 'steady-green');
  await bench.stop(run);
});

promise(
  'vaults a clip once when its camera is in another bay before the first has finished',
  async (bench) => {
    const camera = watchedCamera(bench, [{ bytes: bytesOf(SEGMENT_BYTES) }]);
    const run = await bench.start();
    const { sealer } = run.evidence;
    const rehash = sealer.rehash.bind(sealer);
    let goOn: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    sealer.rehash = async (file) => {
      await gate;
      return rehash(file);
    };
    run.link.plug(1, camera);
    await settle();
    assert.is(camera.sentBytes, SEGMENT_BYTES);
    run.link.unplug(1);
    run.link.plug(2, camera);
    await settle();
    goOn();
    await until(run, () => /green/.test(run.board.lightOf(2)));
    assert.equal(camera.erased, [1]);
    assert.is(openVault(bench.vault).length, 1);
    assert.is(bench.entriesOf('clip-vaulted').length, 1);
    await bench.stop(run);
  },
);

promise('waits while the vault is full, and goes on when there is room', async (bench) => {
  const camera = watchedCamera(bench, [{ bytes: bytesOf(10) }]);
  const run = await bench.start();
  bench.vault.faults.full = true;
  run.link.plug(1, camera);
  await until(run, () => run.board.lightOf(1) === 'steady-amber');
  assert.equal(camera.erased, []);
  assert.is(camera.sentBytes, 0);
  const alarm = run.broker.topics.get('alarm/vault-full');
  const lights = run.board.shown.length;
  for (let minute = 0; minute < 5; minute++) await run.clock.advance(60_000);
  assert.is(run.board.shown.length, lights, 'the light stands');
  assert.is(run.broker.topics.get('alarm/vault-full'), alarm, 'the alarm stands');
  bench.vault.faults.full = false;
  await until(run, () => run.board.lightOf(1) === 'steady-green');
  assert.not(run.broker.topics.has('alarm/vault-full'));
  await bench.stop(run);
});

promise('leaves nothing of a clip for which the disk became full half way', async (bench) => {
  const camera = watchedCamera(bench, [{ bytes: bytesOf(3 * SEGMENT_BYTES) }]);
  const run = await bench.start();
  run.sealerFaults.spaceBytes = SEGMENT_BYTES / 2;
  run.link.plug(1, camera);
  await until(run, () => run.board.lightOf(1) === 'steady-amber');
  assert.is(bench.vault.draftCount, 0);
  run.sealerFaults.spaceBytes = undefined;
  await until(run, () => run.board.lightOf(1) === 'steady-green');
  assert.equal(camera.erased, [1]);
  await bench.stop(run);
});

promise('does not let two bays share the last room', async (bench) => {
  const cameras = [1, 2].map((bay) =>
    watchedCamera(bench, [{ bytes: bytesOf(30 * SEGMENT_BYTES) }], `CAM-000${bay}`),
  );
  const run = await bench.start();
  bench.vault.freeBytes = 31 * SEGMENT_BYTES;
  for (const [index, camera] of cameras.entries()) run.link.plug(index + 1, camera);
  await until(run, () => run.board.shown.some(({ light }) => light === 'steady-amber'));
  await until(run, () => cameras.every((camera) => camera.erased.length === 1));
  assert.equal(
    cameras.map((camera) => camera.sentBytes),
    [30 * SEGMENT_BYTES, 30 * SEGMENT_BYTES],
  );
  await bench.stop(run);
});

promise(
  'shows the next camera no old trouble when the vault was full for the last',
  async (bench) => {
    const first = watchedCamera(bench, [{ bytes: bytesOf(10) }]);
    const second = watchedCamera(bench, [{ bytes: bytesOf(10) }], 'CAM-0002');
    const run = await bench.start();
    bench.vault.faults.full = true;
    run.link.plug(1, first);
    await until(run, () => run.board.lightOf(1) === 'steady-amber');
    run.link.unplug(1);
    await until(run, () => run.board.lightOf(1) === 'off');
    bench.vault.faults.full = false;
    const before = run.board.shown.length;
    run.link.plug(1, second);
    await until(run, () => run.board.lightOf(1) === 'steady-green');
    const lights = run.board.shown.slice(before).map(({ light }) => light);
    assert.not(lights.slice(lights.indexOf('slow-amber') + 1).includes('steady-amber'));
    await bench.stop(run);
  },
);

promise('records a gap in a camera’s counters once, over restarts too', async (bench) => {
  const camera = watchedCamera(bench, [
    { bytes: bytesOf(10) },
    { bytes: bytesOf(20), counter: 4 },
    { bytes: bytesOf(30), counter: 9 },
  ]);
  const run = await bench.start();
  run.link.plug(1, camera);
  await until(run, () => run.board.lightOf(1) === 'steady-green');
  assert.equal(
    bench.entriesOf('counter-gap').map(({ first, last }) => [first, last]),
    [
      [2, 3],
      [5, 8],
    ],
  );
  assert.ok(run.broker.topics.has('alarm/counter-gap'));
  await bench.stop(run);
  const next = await bench.start();
  camera.recordClip({ bytes: bytesOf(40), counter: 6 });
  camera.lastCounter = 11;
  next.link.plug(1, camera);
  await until(next, () => next.board.lightOf(1) === 'steady-green');
  assert.equal(
    bench.entriesOf('counter-gap').map(({ first, last }) => [first, last]),
    [
      [2, 3],
      [5, 8],
      [10, 11],
    ],
  );
  await bench.stop(next);
});

bays.run();

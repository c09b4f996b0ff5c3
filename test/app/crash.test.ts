// timeout: 240
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeCamera } from '../fakes/fake-link.ts';
import { Power } from '../fakes/power.ts';
import { Bench, bytesOf, type Run, SEGMENT_BYTES, settle, until } from './bench.ts';
import { checkClips, checkLog, openVault, stateOf, watchErasures } from './oracles.ts';

const crash = suite('crash');

function newCamera(): FakeCamera {
  return new FakeCamera({
    clips: [{ bytes: bytesOf(SEGMENT_BYTES + 5, 1) }, { bytes: bytesOf(10, 2), incident: true }],
  });
}

/** Nothing goes on in a dock that has no power: what its promises still do must not be seen. */
async function untilDark(run: Run, holds: () => boolean): Promise<void> {
  await until(run, () => run.power.isOff || holds());
  await settle();
}

/** One run that the power ends; a start that is cut throws nothing that matters. */
async function runUntilCut(bench: Bench, camera: FakeCamera, power: Power): Promise<Run> {
  const run = bench.compose(power);
  camera.onErased = () => power.effect('erase');
  watchErasures(bench, [camera]);
  await run.dock.start();
  if (!power.isOff) run.link.plug(1, camera);
  await untilDark(run, () => /green/.test(run.board.lightOf(1)));
  return run;
}

async function finish(bench: Bench, camera: FakeCamera): Promise<void> {
  camera.onErased = () => undefined;
  watchErasures(bench, [camera]);
  const run = await bench.start();
  assert.is(run.dock.halted, undefined);
  run.link.plug(1, camera);
  await until(run, () => /green/.test(run.board.lightOf(1)), 'the light is green');
  await bench.stop(run);
}

function checkEnd(bench: Bench, camera: FakeCamera): void {
  assert.equal([...camera.erased].sort(), [1, 2]);
  assert.is(openVault(bench.vault).length, 2);
  assert.is(bench.vault.draftCount, 0);
  const { counts } = stateOf(bench);
  assert.equal(counts, {
    ...{ vaulted: 0, released: 2, quarantined: 0, missing: 0, held: 1, incidents: 1 },
    ...{ disposing: 0, disposed: 0 },
  });
  checkLog(bench);
}

async function effectsOfCleanRun(): Promise<readonly string[]> {
  const bench = new Bench();
  const camera = newCamera();
  const run = await runUntilCut(bench, camera, new Power());
  await bench.stop(run);
  checkEnd(bench, camera);
  bench.dispose();
  return run.power.effects;
}

crash('a cut after any one effect loses nothing and vaults nothing twice', async () => {
  const effects = await effectsOfCleanRun();
  for (const name of ['vault', 'append', 'checkpoint', 'erase']) assert.ok(effects.includes(name));
  for (let cutAfter = 1; cutAfter <= effects.length; cutAfter++) {
    const bench = new Bench();
    const camera = newCamera();
    const run = await runUntilCut(bench, camera, new Power(cutAfter));
    if (!run.power.isOff) await run.dock.stop().catch(() => undefined);
    assert.ok(run.power.isOff, `the power is cut after effect ${cutAfter}`);
    bench.crash(run);
    checkLog(bench);
    checkClips(bench, new Map([[camera, [1, 2]]]));
    await finish(bench, camera);
    checkEnd(bench, camera);
    bench.dispose();
  }
});

crash('a second cut during the recovery of the first changes nothing', async () => {
  const effects = await effectsOfCleanRun();
  for (let first = 3; first <= effects.length; first += 4) {
    for (let second = 1; second <= 12; second += 1) {
      const bench = new Bench();
      const camera = newCamera();
      for (const cutAfter of [first, second]) {
        const run = await runUntilCut(bench, camera, new Power(cutAfter));
        if (!run.power.isOff) await run.dock.stop().catch(() => undefined);
        bench.crash(run);
        checkLog(bench);
        checkClips(bench, new Map([[camera, [1, 2]]]));
      }
      await finish(bench, camera);
      checkEnd(bench, camera);
      bench.dispose();
    }
  }
});

/** Taken out of one bay in the middle of a segment, and put into another one. */
async function runWithTakeOut(bench: Bench, camera: FakeCamera, power: Power): Promise<Run> {
  const run = bench.compose(power);
  camera.onErased = () => power.effect('erase');
  watchErasures(bench, [camera]);
  camera.faults.vanishAfterBytes = camera.sentBytes + SEGMENT_BYTES + 1_234;
  await run.dock.start();
  if (!power.isOff) run.link.plug(1, camera);
  await untilDark(run, () => camera.faults.vanishAfterBytes === undefined);
  if (!power.isOff) run.link.plug(2, camera);
  await untilDark(run, () => /green/.test(run.board.lightOf(2)));
  camera.faults.vanishAfterBytes = undefined;
  return run;
}

function longCamera(): FakeCamera {
  return new FakeCamera({
    clips: [
      { bytes: bytesOf(3 * SEGMENT_BYTES + 5, 1) },
      { bytes: bytesOf(10, 2), incident: true },
    ],
  });
}

async function effectsWithTakeOut(): Promise<number> {
  const bench = new Bench();
  const camera = longCamera();
  const run = await runWithTakeOut(bench, camera, new Power());
  await bench.stop(run);
  checkEnd(bench, camera);
  assert.is(camera.resentBytes, 0);
  bench.dispose();
  return run.power.effects.length;
}

crash(
  'a cut after any one effect of a clip that goes on in another bay loses nothing, and asks for whole segments once',
  async () => {
    const effects = await effectsWithTakeOut();
    for (let cutAfter = 1; cutAfter <= effects; cutAfter++) {
      const bench = new Bench();
      const camera = longCamera();
      const run = await runWithTakeOut(bench, camera, new Power(cutAfter));
      const wasTaken = camera.sentBytes >= 3 * SEGMENT_BYTES + 5;
      if (!run.power.isOff) await run.dock.stop().catch(() => undefined);
      bench.crash(run);
      checkLog(bench);
      checkClips(bench, new Map([[camera, [1, 2]]]));
      await finish(bench, camera);
      checkEnd(bench, camera);
      // A segment that was being read back, and the next one on its way, are all that a cut may cost before the whole clip is there.
      if (!wasTaken)
        assert.ok(
          camera.resentBytes < 2 * SEGMENT_BYTES + 20,
          `${cutAfter}: ${camera.resentBytes}`,
        );
      bench.dispose();
    }
  },
);

crash.run();

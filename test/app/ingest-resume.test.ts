import { writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatHex } from '../../src/core/bytes.ts';
import { parseNote, signNote } from '../../src/core/custody/note.ts';
import { testCrypto } from '../core/custody/keys.ts';
import type { FakeCamera } from '../fakes/fake-link.ts';
import { type Bench, bytesOf, KEYS, type Run, SEGMENT_BYTES, settle, until } from './bench.ts';
import { openVault } from './oracles.ts';
import { promisesOf, watchedCamera } from './promise.ts';

const resume = suite('resume');
const promise = promisesOf(resume);

const CLIP = bytesOf(4 * SEGMENT_BYTES + 77);
const isGreen = (run: Run, bay: number) => run.board.lightOf(bay) === 'steady-green';

function longCamera(bench: Bench, serial?: string): FakeCamera {
  return watchedCamera(bench, [{ bytes: CLIP }], serial);
}

/** Taken out of the bay when it has sent so many bytes more. */
async function takeOut(run: Run, camera: FakeCamera, place: number, bytes: number): Promise<void> {
  camera.faults.vanishAfterBytes = camera.sentBytes + bytes;
  run.link.plug(place, camera);
  await until(run, () => run.link.cameraIn(place) === undefined, 'it is taken out');
  await settle();
}

async function takeAll(run: Run, camera: FakeCamera, place: number): Promise<void> {
  run.link.plug(place, camera);
  await until(run, () => isGreen(run, place), 'the light is green');
}

function checkWhole(bench: Bench): void {
  const [only, ...more] = openVault(bench.vault);
  assert.is(more.length, 0);
  assert.is(formatHex(only?.bytes ?? new Uint8Array(0)), formatHex(CLIP));
  assert.is(only?.manifest.sizeBytes, CLIP.length);
  assert.is(bench.vault.draftCount, 0);
}

/** A dock that was stopped with a draft of two whole segments. */
async function leaveDraft(bench: Bench, camera: FakeCamera): Promise<void> {
  const run = await bench.start();
  await takeOut(run, camera, 1, 2 * SEGMENT_BYTES + 1_000);
  await bench.stop(run);
  assert.is(bench.vault.draftCount, 1);
}

promise(
  'asks for no byte twice, wherever it is cut, in whichever bay it goes on',
  async (bench) => {
    const camera = longCamera(bench);
    const run = await bench.start();
    const cuts = [1, 65_535, 1, SEGMENT_BYTES - 65_537, 12_345, 0, SEGMENT_BYTES, 64, 100_001];
    for (const [index, bytes] of cuts.entries()) await takeOut(run, camera, 1 + (index % 4), bytes);
    assert.is(
      camera.sentBytes,
      cuts.reduce((sum, bytes) => sum + bytes),
    );
    await takeAll(run, camera, 2);
    assert.is(camera.resentBytes, 0);
    assert.is(camera.sentBytes, CLIP.length);
    checkWhole(bench);
    assert.equal(bench.entriesOf('draft-removed'), []);
    await bench.stop(run);
  },
);

promise('goes on after the last whole segment when the dock was stopped', async (bench) => {
  const camera = longCamera(bench);
  await leaveDraft(bench, camera);
  const next = await bench.start();
  await takeAll(next, camera, 3);
  assert.is(camera.resentBytes, 1_000);
  checkWhole(bench);
  assert.equal(bench.entriesOf('draft-removed'), []);
  const [resumed] = next.logger.of('clip-resumed');
  assert.is(resumed?.fields?.fromByte, 2 * SEGMENT_BYTES);
  await bench.stop(next);
});

promise('goes on after the last whole segment when the power was cut', async (bench) => {
  const camera = longCamera(bench);
  const run = await bench.start();
  camera.faults.onRange = (_, offset) => {
    if (offset > 3 * SEGMENT_BYTES) run.power.cut();
  };
  run.link.plug(1, camera);
  await until(run, () => run.power.isOff);
  await settle();
  bench.crash(run);
  camera.faults.onRange = undefined;
  const next = await bench.start();
  await takeAll(next, camera, 1);
  // The segment that was being read back is not yet one to go on from.
  assert.ok(camera.resentBytes > 0 && camera.resentBytes < 2 * SEGMENT_BYTES);
  checkWhole(bench);
  await bench.stop(next);
});

promise('takes a clip anew whose segments the disk gives back differently', async (bench) => {
  const camera = longCamera(bench);
  await leaveDraft(bench, camera);
  writeFileSync(bench.vault.onlyDraft.segments.get(1) ?? '', 'rot');
  const next = await bench.start();
  await takeAll(next, camera, 1);
  checkWhole(bench);
  assert.equal(
    bench.entriesOf('draft-removed').map(({ reason }) => reason),
    ['SEGMENT_DIGEST_MISMATCH'],
  );
  await bench.stop(next);
});

const other = '0'.repeat(64);
const FORGED: Readonly<Record<string, (note: string) => string>> = {
  'cut in its middle': (note) => note.slice(0, 200),
  'altered under its signature': (note) =>
    note.replace(/^segment 0 .*$/m, (line) => line.replace(/\w{64}/, other)),
  'signed with another key': (note) => signNote(parseNote(note).text, KEYS.log, testCrypto.sha256),
  'of another clip': (note) => resign(note, /^clip .*$/m, `clip ${'a'.repeat(32)}`),
  'of another dock': (note) => resign(note, /^dock .*$/m, 'dock site-1/dock-2'),
  'sealed to other recipients': (note) => resign(note, /^recipients .*$/m, `recipients ${other}`),
  'of other segments': (note) => resign(note, /^segment-bytes .*$/m, 'segment-bytes 64'),
};

function resign(note: string, line: RegExp, to: string): string {
  return signNote(parseNote(note).text.replace(line, to), KEYS.manifest, testCrypto.sha256);
}

for (const [how, forge] of Object.entries(FORGED)) {
  promise(`does not go on with a draft whose state is ${how}`, async (bench) => {
    const camera = longCamera(bench);
    await leaveDraft(bench, camera);
    const { onlyDraft } = bench.vault;
    const forged = forge(onlyDraft.state ?? '');
    assert.is.not(forged, onlyDraft.state);
    onlyDraft.state = forged;
    const next = await bench.start();
    assert.is(bench.vault.draftCount, 0);
    assert.equal(
      bench.entriesOf('draft-removed').map(({ reason }) => reason),
      ['INTERRUPTED'],
    );
    await takeAll(next, camera, 1);
    assert.is(next.logger.of('clip-resumed').length, 0);
    checkWhole(bench);
    await bench.stop(next);
  });
}

promise('never goes on with a recording of another record', async (bench) => {
  const camera = longCamera(bench);
  const run = await bench.start();
  await takeOut(run, camera, 1, SEGMENT_BYTES);
  const changed = bytesOf(CLIP.length, 9);
  camera.recordClip({ counter: 1, bytes: changed });
  await takeAll(run, camera, 1);
  assert.is(run.logger.of('clip-resumed').length, 0);
  const [only] = openVault(bench.vault);
  assert.is(formatHex(only?.bytes ?? CLIP), formatHex(changed));
  await bench.stop(run);
});

promise('holds eight in memory, and the ninth makes the oldest wait on the disk', async (bench) => {
  const cameras = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => longCamera(bench, `CAM-000${n}`));
  const run = await bench.start();
  for (const camera of cameras) await takeOut(run, camera, 1, SEGMENT_BYTES + 5_000);
  assert.is(bench.vault.draftCount, 9);
  for (const camera of cameras) {
    await takeAll(run, camera, 2);
    run.link.unplug(2);
    await until(run, () => run.board.lightOf(2) === 'off');
  }
  assert.equal(
    cameras.map(({ resentBytes }) => resentBytes),
    [5_000, 0, 0, 0, 0, 0, 0, 0, 0],
  );
  assert.is(bench.vault.draftCount, 0);
  await bench.stop(run);
});

promise('holds no more than 16 MiB of what was not sealed yet', async (bench) => {
  const cameras = [1, 2].map((n) => longCamera(bench, `CAM-000${n}`));
  const run = await bench.start();
  for (const camera of cameras) await takeOut(run, camera, 1, 1_000);
  const { unfinished } = run.evidence.index;
  const parked = [...unfinished.parked];
  for (const { carry } of parked) carry.held = { sizeBytes: 10_000_000 };
  const third = longCamera(bench, 'CAM-0003');
  await takeOut(run, third, 1, 1_000);
  assert.equal(
    parked.map(({ carry }) => carry.held?.sizeBytes),
    [undefined, 10_000_000],
  );
  for (const { carry } of parked) carry.held = undefined;
  await bench.stop(run);
});

promise('gives up after a week what no camera came back for, and says so', async (bench) => {
  const camera = longCamera(bench);
  await leaveDraft(bench, camera);
  for (let day = 1; day <= 6; day++) await bench.stop(await bench.start());
  assert.is(bench.vault.draftCount, 1);
  for (let day = 7; day <= 9; day++) await bench.stop(await bench.start());
  assert.is(bench.vault.draftCount, 0);
  assert.equal(
    bench.entriesOf('draft-removed').map(({ reason }) => reason),
    ['ABANDONED'],
  );
});

promise('gives way to another clip when the disk has no room for both', async (bench) => {
  const camera = longCamera(bench);
  await leaveDraft(bench, camera);
  const next = await bench.start();
  const { vault } = bench;
  vault.freeBytes = 3 * SEGMENT_BYTES;
  const remove = vault.removeDraft.bind(vault);
  vault.removeDraft = async (clip) => {
    await remove(clip);
    vault.freeBytes += 2 * SEGMENT_BYTES;
  };
  const second = longCamera(bench, 'CAM-0002');
  await takeAll(next, second, 1);
  assert.equal(
    bench.entriesOf('draft-removed').map(({ reason }) => reason),
    ['VAULT_FULL'],
  );
  await bench.stop(next);
});

promise('keeps what it has when giving it up would not make room enough', async (bench) => {
  const camera = longCamera(bench);
  await leaveDraft(bench, camera);
  const next = await bench.start();
  bench.vault.freeBytes = 2.5 * SEGMENT_BYTES;
  const second = longCamera(bench, 'CAM-0002');
  second.recordClip({ counter: 1, bytes: bytesOf(9 * SEGMENT_BYTES) });
  next.link.plug(1, second);
  await until(next, () => next.board.lightOf(1) === 'steady-amber', 'it waits for room');
  assert.is(bench.vault.draftCount, 1);
  await takeAll(next, camera, 2);
  assert.is(camera.resentBytes, 1_000, 'only the rest needs room');
  next.link.unplug(1);
  await settle();
  await bench.stop(next);
});

resume.run();

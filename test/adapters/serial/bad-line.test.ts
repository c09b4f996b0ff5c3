import { randomBytes } from 'node:crypto';
import { rm, symlink, writeFile } from 'node:fs/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isDockError } from '../../../src/core/errors.ts';
import type { ClipRecord } from '../../../src/core/evidence/clip.ts';
import type { CameraSession } from '../../../src/ports/camera-link.ts';
import { never, newRig, type Rig, readAll, receiptFor, SERIAL } from './rig.ts';

const line = suite<{ rig: Rig }>('serial camera link on a bad line');

line.before.each(async (context) => {
  context.rig = await newRig();
});
line.after.each(async (context) => {
  await context.rig.end();
});

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

/** Docks as often as it takes to read the first clip, going on from the last byte that came. */
async function readThroughLosses(rig: Rig): Promise<{ bytes: Uint8Array; sessions: number }> {
  const parts: Uint8Array[] = [];
  let fromByte = 0;
  for (let sessions = 1; ; sessions++) {
    let session: CameraSession | undefined;
    try {
      session = await rig.dock();
      const [record] = (await session.records(never)).records;
      const onBytes = async (bytes: Uint8Array) => {
        parts.push(bytes.slice());
        fromByte += bytes.length;
      };
      const toByte = record!.sizeBytes;
      await session.read(record!, { fromByte, toByte, signal: never, onBytes });
      await session.release(record!.counter, receiptFor(record!, rig.receiptKey), never);
      return { bytes: Buffer.concat(parts), sessions };
    } catch (error) {
      if (!isDockError(error, 'LINK_CLOSED') || sessions > 5) throw error;
    } finally {
      await session?.close();
    }
  }
}

const LOSSY: readonly (readonly [string, readonly string[]])[] = [
  ['1 % of the frames', ['drop=0.01']],
  ['1 % of the frames, which are damaged,', ['corrupt=0.01']],
  ['one frame in ten', ['drop=0.1']],
  ['one frame in ten, which is damaged,', ['corrupt=0.1']],
  ['one request in ten', ['drop-in=0.1']],
];

for (const [name, faults] of LOSSY) {
  for (const baudRate of [4_000_000, 921_600]) {
    line(`brings a clip whole when the line of ${baudRate} baud loses ${name}`, async ({ rig }) => {
      await rig.end();
      const lossy = await newRig(baudRate);
      try {
        const [content] = await lossy.plug({ sizes: [3_000_000], faults });
        const { bytes, sessions } = await readThroughLosses(lossy);
        assert.ok(Buffer.from(bytes).equals(content!));
        assert.is(sessions, 1);
      } finally {
        await lossy.end();
      }
    });
  }
}

line('goes on where it stopped when the camera vanishes and comes back', async ({ rig }) => {
  const [content] = await rig.plug({ sizes: [4_000_000], faults: ['vanish=2000000:700'] });
  const { bytes, sessions } = await readThroughLosses(rig);
  assert.ok(Buffer.from(bytes).equals(content!));
  assert.is(sessions, 2);
});

line('goes on when the camera loses power and starts again', async ({ rig }) => {
  const [content] = await rig.plug({ sizes: [4_000_000], faults: ['power-loss=2000000:300'] });
  const { bytes } = await readThroughLosses(rig);
  assert.ok(Buffer.from(bytes).equals(content!));
});

line('rides out a camera that stalls', async ({ rig }) => {
  const [content] = await rig.plug({ sizes: [4_000_000], faults: ['stall=1000000:900'] });
  const { bytes, sessions } = await readThroughLosses(rig);
  assert.ok(Buffer.from(bytes).equals(content!));
  assert.is(sessions, 1);
});

line('gives up a camera that stalls for good, and closes its line', async ({ rig }) => {
  await rig.plug({ sizes: [4_000_000], faults: ['stall=1000000:600000'] });
  const session = await rig.dock();
  const [record] = (await session.records(never)).records;
  assert.ok(isDockError(await failureOf(readAll(session, record!)), 'LINK_TIMEOUT'));
  await session.closed;
});

line('asks again for a release whose answer was lost', async ({ rig }) => {
  await rig.plug({ sizes: [1000], faults: ['no-erase-answer'] });
  const session = await rig.dock();
  const [record] = (await session.records(never)).records;
  await session.release(1, receiptFor(record!, rig.receiptKey), never);
  await session.close();
});

line('refuses something that sends noise, and sees it go', async ({ rig }) => {
  await rig.plug({ sizes: [], faults: ['garbage'] });
  let present = 0;
  const docking = rig.link.dock(1, { signal: never, onPresent: () => present++ });
  assert.ok(isDockError(await failureOf(docking), 'LINK_FOREIGN'));
  assert.is(present, 1);
  const gone = rig.link.gone(1, never);
  rig.camera?.send('unplug');
  await gone;
});

line('reads past headers that claim 4 GiB', async ({ rig }) => {
  const [content] = await rig.plug({ sizes: [3_000_000], faults: ['claim-4g'] });
  const { bytes, sessions } = await readThroughLosses(rig);
  assert.ok(Buffer.from(bytes).equals(content!));
  assert.is(sessions, 1);
});

line('refuses a camera that it does not know', async ({ rig }) => {
  await rig.plug({ sizes: [10], unregistered: true });
  assert.ok(isDockError(await failureOf(rig.dock()), 'CAMERA_UNKNOWN'));
});

line('refuses a camera with another key than the registered one', async ({ rig }) => {
  await rig.plug({ sizes: [10] });
  rig.keys.set(SERIAL, new Uint8Array(randomBytes(32)));
  assert.ok(isDockError(await failureOf(rig.dock()), 'CAMERA_NOT_AUTHENTIC'));
});

line('takes a camera without a key only where the policy allows it', async ({ rig }) => {
  const [content] = await rig.plug({ sizes: [1000], keyless: true });
  assert.ok(isDockError(await failureOf(rig.dock()), 'CAMERA_KEYLESS'));
  rig.policy.allowKeyless = true;
  const session = await rig.dock();
  assert.is(session.auth, 'none');
  const [record] = (await session.records(never)).records;
  assert.ok(Buffer.from(await readAll(session, record!)).equals(content!));
  await session.close();
});

line('hands on the name of a clip as the camera gave it', async ({ rig }) => {
  await rig.plug({ sizes: [10], faults: ['name=../../etc/passwd\u001b[2J'] });
  const session = await rig.dock();
  const [record] = (await session.records(never)).records;
  assert.is((record as ClipRecord).name, '../../etc/passwd\u001b[2J');
  await session.close();
});

line('ends a request at once when the camera is taken out', async ({ rig }) => {
  await rig.plug({ sizes: [50_000_000] });
  const session = await rig.dock();
  const [record] = (await session.records(never)).records;
  const onBytes = async () => rig.camera?.send('unplug');
  const options = { fromByte: 0, toByte: record!.sizeBytes, signal: never, onBytes };
  assert.ok(isDockError(await failureOf(session.read(record!, options)), 'LINK_CLOSED'));
  await session.closed;
  assert.ok(isDockError(await failureOf(session.status(never)), 'LINK_CLOSED'));
});

line('says what is wrong with a path that is no serial line', async ({ rig }) => {
  const file = `${rig.folder}/file`;
  await writeFile(file, '');
  await symlink(file, rig.bay);
  assert.ok(isDockError(await failureOf(rig.dock()), 'SERIAL_FAILED'));
  await rm(rig.bay);
});

line.run();

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ErrorCode, isDockError } from '../../../src/core/errors.ts';
import { FRAME_TYPE } from '../../../src/core/link/frame.ts';
import { decodeFrames } from '../../vectors/link/reference.ts';
import { never, newRig, type PlugOptions, type Rig, readAll, SERIAL } from './rig.ts';

const untold = suite('what a camera that has not proved itself is told');
const program = fileURLToPath(new URL('./tap.py', import.meta.url));

/** Plugs the camera in behind a tap, lets `act` dock it, and gives the types of the frames that left the dock. */
async function tapped(options: PlugOptions, act: (rig: Rig) => Promise<void>): Promise<number[]> {
  const rig = await newRig();
  try {
    await rig.plug({ ...options, at: 'camera' });
    const sent = join(rig.folder, 'sent');
    const args = [program, rig.bay, join(rig.folder, 'camera'), sent];
    const tap = spawn('python3', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(tap, 'exit');
    await createInterface({ input: tap.stdout })[Symbol.asyncIterator]().next();
    try {
      await act(rig);
    } finally {
      tap.kill('SIGKILL');
      await exited;
    }
    const { frames, discarded } = decodeFrames(await readFile(sent), true);
    assert.is(discarded, 0);
    return [...new Set(frames.map(({ type }) => type))].sort((a, b) => a - b);
  } finally {
    await rig.end();
  }
}

const refusing = (code: ErrorCode) => async (rig: Rig) => {
  const error = await rig.dock().catch((thrown: unknown) => thrown);
  assert.ok(isDockError(error, code), String(error));
};

const CLIPS = { sizes: [10_000] };
const ONLY_HELLO = [FRAME_TYPE.HELLO];

untold('is nothing but HELLO when it was never registered', async () => {
  const camera = { ...CLIPS, unregistered: true };
  assert.equal(await tapped(camera, refusing('CAMERA_UNKNOWN')), ONLY_HELLO);
});

untold('is nothing but HELLO when its key was taken from the register', async () => {
  const revoked = async (rig: Rig) => {
    rig.keys.delete(SERIAL);
    await refusing('CAMERA_UNKNOWN')(rig);
  };
  assert.equal(await tapped(CLIPS, revoked), ONLY_HELLO);
});

untold('is nothing but HELLO when another key is registered for it', async () => {
  const impostor = async (rig: Rig) => {
    rig.keys.set(SERIAL, new Uint8Array(32).fill(9));
    await refusing('CAMERA_NOT_AUTHENTIC')(rig);
  };
  assert.equal(await tapped(CLIPS, impostor), ONLY_HELLO);
});

untold('is nothing but HELLO when it has no key and the policy asks for one', async () => {
  const camera = { ...CLIPS, keyless: true };
  assert.equal(await tapped(camera, refusing('CAMERA_KEYLESS')), ONLY_HELLO);
});

untold('is nothing but HELLO when it says it has no key and one is registered', async () => {
  const downgrade = async (rig: Rig) => {
    rig.policy.allowKeyless = true;
    rig.keys.set(SERIAL, new Uint8Array(32).fill(9));
    await refusing('CAMERA_NOT_AUTHENTIC')(rig);
  };
  assert.equal(await tapped({ ...CLIPS, keyless: true }, downgrade), ONLY_HELLO);
});

untold('is all of it when it has proved itself', async () => {
  const types = await tapped(CLIPS, async (rig) => {
    const session = await rig.dock();
    const [record] = (await session.records(never)).records;
    await readAll(session, record!);
    await session.setClock(1_800_000_000_000, never);
    await session.close();
  });
  const { PROVE, LIST, READ, CLOCK } = FRAME_TYPE;
  for (const type of [PROVE, LIST, READ, CLOCK]) assert.ok(types.includes(type), String(type));
});

untold.run();

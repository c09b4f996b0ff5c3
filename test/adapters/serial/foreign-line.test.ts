import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NaclSigner, verifyEd25519 } from '../../../src/adapters/nacl/ed25519.ts';
import { loadNative } from '../../../src/adapters/native/loader.ts';
import { NativeFrameReader } from '../../../src/adapters/native/native-frame-reader.ts';
import { NodeRandom } from '../../../src/adapters/node/node-random.ts';
import { SystemClock } from '../../../src/adapters/node/system-clock.ts';
import { SerialCameraLink } from '../../../src/adapters/serial/serial-camera-link.ts';
import { isDockError } from '../../../src/core/errors.ts';
import { FakeLogger } from '../../fakes/fake-logger.ts';
import { DOCK, never } from './rig.ts';

interface Context {
  folder: string;
  device: ChildProcess | undefined;
  exited: Promise<unknown>;
}

const line = suite<Context>('serial camera link with a foreign device');
const program = fileURLToPath(new URL('./foreign.py', import.meta.url));

async function linkTo(context: Context, kind: string, fixed = false): Promise<SerialCameraLink> {
  const path = join(context.folder, 'bay-1');
  const device = spawn('python3', [program, path, kind], { stdio: ['ignore', 'pipe', 'inherit'] });
  context.device = device;
  context.exited = once(device, 'exit');
  await once(device.stdout, 'data');
  return new SerialCameraLink({
    bays: new Map([[1, { path, baudRate: 4_000_000, fixed }]]),
    dockId: DOCK,
    linkKey: new NaclSigner(`${DOCK}/link`, new Uint8Array(32)),
    registry: { publicKeyOf: () => undefined, allowKeyless: true },
    verify: verifyEd25519,
    random: new NodeRandom(),
    clock: new SystemClock(),
    openReader: (fd, onNews) => new NativeFrameReader(loadNative(), fd, onNews),
    logger: new FakeLogger(),
    timings: kind === 'silence' ? { handshakeMs: [20, 20], fixedRetryMs: 20 } : {},
  });
}

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

line.before.each(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), 'docket-foreign-'));
});
line.after.each(async (context) => {
  context.device?.kill('SIGKILL');
  await context.exited;
  await rm(context.folder, { recursive: true, force: true });
});

for (const kind of ['noise', 'headers']) {
  line(
    `gives up a device that floods the line with ${kind}, and does not grow`,
    async (context) => {
      const link = await linkTo(context, kind);
      const before = process.memoryUsage().rss;
      const docking = link.dock(1, { signal: never, onPresent: () => undefined });
      assert.ok(isDockError(await failureOf(docking), 'LINK_FOREIGN'));
      assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024);
    },
  );
}

line('says LINK_TIMEOUT of a device that says nothing', async (context) => {
  const link = await linkTo(context, 'silence');
  const docking = link.dock(1, { signal: never, onPresent: () => undefined });
  assert.ok(isDockError(await failureOf(docking), 'LINK_TIMEOUT'));
});

line('takes silence on a line that is always there for an empty bay', async (context) => {
  const link = await linkTo(context, 'silence', true);
  const abort = new AbortController();
  let present = 0;
  const options = { signal: abort.signal, onPresent: () => void present++ };
  const docking = failureOf(link.dock(1, options));
  await link.gone(1, never);
  await link.gone(1, never);
  await link.gone(1, never);
  abort.abort();
  assert.ok(isDockError(await docking, 'CANCELLED'));
  assert.is(present, 0);
});

line('sees that the device went', async (context) => {
  const link = await linkTo(context, 'silence');
  const gone = link.gone(1, never);
  context.device?.kill('SIGKILL');
  await gone;
  assert.ok(context.device?.killed);
});

line.run();

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NaclSigner, verifyEd25519 } from '../../../src/adapters/nacl/ed25519.ts';
import { NodeRandom } from '../../../src/adapters/node/node-random.ts';
import { SystemClock } from '../../../src/adapters/node/system-clock.ts';
import { SerialCameraLink } from '../../../src/adapters/serial/serial-camera-link.ts';
import { isDockError } from '../../../src/core/errors.ts';
import { FakeLogger } from '../../fakes/fake-logger.ts';
import { DOCK, never } from './rig.ts';

const line = suite('serial camera link on a flooded line');
const program = fileURLToPath(new URL('./flood.py', import.meta.url));

for (const kind of ['noise', 'headers']) {
  line(`gives up a device that floods the line with ${kind}, and does not grow`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'docket-flood-'));
    const path = join(folder, 'bay-1');
    const device = spawn('python3', [program, path, kind], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(device.stdout, 'data');
      const link = new SerialCameraLink({
        bays: new Map([[1, { path, baudRate: 4_000_000 }]]),
        dockId: DOCK,
        linkKey: new NaclSigner(`${DOCK}/link`, new Uint8Array(32)),
        registry: { publicKeyOf: () => undefined, allowKeyless: true },
        verify: verifyEd25519,
        random: new NodeRandom(),
        clock: new SystemClock(),
        logger: new FakeLogger(),
      });
      const before = process.memoryUsage().rss;
      const error = await link
        .dock(1, { signal: never, onPresent: () => undefined })
        .catch((thrown: unknown) => thrown);
      assert.ok(isDockError(error, 'LINK_FOREIGN'));
      assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024);
    } finally {
      device.kill('SIGKILL');
      await once(device, 'exit');
      await rm(folder, { recursive: true, force: true });
    }
  });
}

line.run();

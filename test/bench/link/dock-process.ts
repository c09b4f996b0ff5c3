/** The dock's side of one line in a process of its own: says its keys, waits for the word, reads one clip into a file, and says what that cost. */
import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { NaclSigner, verifyEd25519 } from '../../../src/adapters/nacl/ed25519.ts';
import { loadNative } from '../../../src/adapters/native/loader.ts';
import { NativeFrameReader } from '../../../src/adapters/native/native-frame-reader.ts';
import { NodeRandom } from '../../../src/adapters/node/node-random.ts';
import { SystemClock } from '../../../src/adapters/node/system-clock.ts';
import { SerialCameraLink } from '../../../src/adapters/serial/serial-camera-link.ts';
import { formatHex, parseHex } from '../../../src/core/bytes.ts';
import type { DockId } from '../../../src/core/evidence/clip.ts';
import type { CameraSession } from '../../../src/ports/camera-link.ts';

export const BENCH_DOCK = 'bench/dock-1';

export interface ReadSetting {
  readonly link: string;
  readonly baudRate: number;
  /** Lower-case hex. */
  readonly publicKey: string;
  /** Where the clip's bytes go. */
  readonly out: string;
  readonly deadlineSeconds: number;
}

export type ReadMessage =
  | { readonly kind: 'keys'; readonly link: string; readonly receipt: string }
  | {
      readonly kind: 'read';
      readonly seconds: number;
      readonly cpuSeconds: number;
      readonly sessionSeconds: number;
    }
  | { readonly kind: 'failed'; readonly message: string };

function openLink(setting: ReadSetting, linkKey: NaclSigner): SerialCameraLink {
  const silent = () => undefined;
  const publicKey = parseHex(setting.publicKey, 32);
  const native = loadNative();
  return new SerialCameraLink({
    bays: new Map([[1, { path: setting.link, baudRate: setting.baudRate }]]),
    dockId: BENCH_DOCK as DockId,
    linkKey,
    registry: { publicKeyOf: () => publicKey, allowKeyless: false },
    verify: verifyEd25519,
    random: new NodeRandom(),
    clock: new SystemClock(),
    openReader: (fd, onNews) => new NativeFrameReader(native, fd, onNews),
    logger: { debug: silent, info: silent, warn: silent, error: silent },
  });
}

/** From the first request for the clip to its last byte: a session is opened once for all clips of a camera. */
async function readClip(session: CameraSession, setting: ReadSetting, signal: AbortSignal) {
  const { records } = await session.records(signal);
  const [record] = records;
  if (record === undefined) throw new Error('the camera has no clip');
  const file = await open(setting.out, 'w');
  const cpu = process.cpuUsage();
  const started = performance.now();
  const onBytes = async (bytes: Uint8Array) => void (await file.write(bytes));
  await session.read(record, { fromByte: 0, toByte: record.sizeBytes, onBytes, signal });
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  await file.close();
  return { seconds, cpuSeconds: (user + system) / 1e6 };
}

function say(message: ReadMessage): void {
  process.send?.(message);
}

async function main(setting: ReadSetting): Promise<void> {
  const linkKey = new NaclSigner(`${BENCH_DOCK}/link`, randomBytes(32));
  const receiptKey = new NaclSigner(`${BENCH_DOCK}/receipt`, randomBytes(32));
  const told = new Promise((resolve) => process.once('message', resolve));
  say({
    kind: 'keys',
    link: formatHex(linkKey.publicKey),
    receipt: formatHex(receiptKey.publicKey),
  });
  await told;
  const signal = AbortSignal.timeout(setting.deadlineSeconds * 1000);
  const started = performance.now();
  const session = await openLink(setting, linkKey).dock(1, { signal, onPresent: () => undefined });
  const sessionSeconds = (performance.now() - started) / 1000;
  const read = await readClip(session, setting, signal);
  await session.close();
  say({ kind: 'read', ...read, sessionSeconds });
}

try {
  await main(JSON.parse(process.argv[2] ?? '') as ReadSetting);
} catch (error) {
  say({ kind: 'failed', message: error instanceof Error ? String(error.stack) : String(error) });
} finally {
  if (process.connected) process.disconnect();
}

import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  provisionCamera,
  type StartedCamera,
  type StartOptions,
  startCamera,
} from '../../../firmware-bridge/sim/provision.ts';
import { NaclSigner, verifyEd25519 } from '../../../src/adapters/nacl/ed25519.ts';
import { loadNative } from '../../../src/adapters/native/loader.ts';
import { NativeFrameReader } from '../../../src/adapters/native/native-frame-reader.ts';
import { NodeRandom } from '../../../src/adapters/node/node-random.ts';
import { SystemClock } from '../../../src/adapters/node/system-clock.ts';
import type { BayLine } from '../../../src/adapters/serial/port.ts';
import { SerialCameraLink } from '../../../src/adapters/serial/serial-camera-link.ts';
import type { CameraSerial, ClipRecord, DockId } from '../../../src/core/evidence/clip.ts';
import type { CameraSession } from '../../../src/ports/camera-link.ts';
import type { LogFields } from '../../../src/ports/logger.ts';

export const DOCK = 'leeds-north/dock-1' as DockId;
export const SERIAL = 'CAM-0001' as CameraSerial;
export const never = new AbortController().signal;

export interface Rig {
  readonly folder: string;
  readonly bay: string;
  readonly link: SerialCameraLink;
  readonly keys: Map<CameraSerial, Uint8Array>;
  readonly receiptKey: NaclSigner;
  readonly logged: LogFields[];
  policy: { allowKeyless: boolean };
  camera: StartedCamera | undefined;
  /** Puts a camera with clips of these sizes into bay 1 and waits until it is there. */
  plug(options: PlugOptions): Promise<readonly Uint8Array[]>;
  dock(signal?: AbortSignal): Promise<CameraSession>;
  end(): Promise<void>;
}

export interface PlugOptions {
  readonly sizes: readonly number[];
  readonly faults?: readonly string[];
  readonly keyless?: boolean;
  readonly serial?: string;
  readonly unregistered?: boolean;
  /** Its link's name, for a camera that is not put into the bay itself. */
  readonly at?: string;
  /** What the camera's line can do (SPEC 9). */
  readonly line?: Pick<StartOptions, 'rates' | 'strictRate' | 'deadRate'>;
}

/** A dock's link with one bay over real ptys, in a folder of its own. */
export async function newRig(
  baudRate = 4_000_000,
  settings: Omit<BayLine, 'path' | 'baudRate'> = {},
): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), 'docket-link-'));
  const bay = join(folder, 'bay-1');
  const linkKey = new NaclSigner(`${DOCK}/link`, randomBytes(32));
  const receiptKey = new NaclSigner(`${DOCK}/receipt`, randomBytes(32));
  const docks = join(folder, 'docks.json');
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  const dockEntry = {
    dock: DOCK,
    linkKey: hex(linkKey.publicKey),
    receiptKey: hex(receiptKey.publicKey),
  };
  await writeFile(docks, JSON.stringify([dockEntry]));
  const keys = new Map<CameraSerial, Uint8Array>();
  const policy = { allowKeyless: false };
  const logged: LogFields[] = [];
  const log = (event: string, fields: LogFields = {}) => void logged.push({ ...fields, event });
  const link = new SerialCameraLink({
    bays: new Map([[1, { path: bay, baudRate, ...settings }]]),
    dockId: DOCK,
    linkKey,
    registry: {
      publicKeyOf: (serial) => keys.get(serial),
      get allowKeyless() {
        return policy.allowKeyless;
      },
    },
    verify: verifyEd25519,
    random: new NodeRandom(),
    clock: new SystemClock(),
    openReader: (fd, onNews) => new NativeFrameReader(loadNative(), fd, onNews),
    logger: { debug: log, info: log, warn: log, error: log },
    timings: {
      handshakeMs: [150, 200, 300, 400, 400, 400],
      answerMs: [200, 400, 800, 1600, 1600, 1600],
      quietMs: [200, 400, 800, 1600, 1600],
    },
  });
  const rig: Rig = {
    folder,
    bay,
    link,
    keys,
    receiptKey,
    logged,
    policy,
    camera: undefined,
    plug: async (options) => {
      const serial = (options.serial ?? SERIAL) as CameraSerial;
      const contents = options.sizes.map((size) => new Uint8Array(randomBytes(size)));
      const clips = contents.map((_, index) => join(folder, `clip-${index}.mp4`));
      for (const [index, path] of clips.entries()) await writeFile(path, contents[index] ?? '');
      const store = join(folder, `store-${serial}`);
      const faults = options.faults ?? [];
      const common = { store, serial, keyless: options.keyless ?? false, faults };
      const { publicKey } = await provisionCamera({ ...common, clips });
      if (publicKey !== undefined && !options.unregistered) keys.set(serial, publicKey);
      rig.camera = startCamera({
        ...{ ...common, ...options.line, docks, seed: 7 },
        link: options.at === undefined ? bay : join(folder, options.at),
      });
      await rig.camera.next('ready');
      return contents;
    },
    dock: (signal = never) => link.dock(1, { signal, onPresent: () => undefined }),
    end: async () => {
      await rig.camera?.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return rig;
}

/** A receipt of a log with one entry (SPEC 7). */
export function receiptFor(record: ClipRecord, key: NaclSigner): string {
  const leaf = createHash('sha256').update(`\0entry ${record.counter}`).digest('hex');
  const text = [
    'docket/receipt/v1',
    `dock ${DOCK}`,
    `camera ${record.serial}`,
    `counter ${record.counter}`,
    `size ${record.sizeBytes}`,
    `sha256 ${record.sha256}`,
    `clip ${'ab'.repeat(16)}`,
    `leaf ${leaf}`,
    'index 0',
    'tree 1',
    `root ${leaf}`,
    '',
  ].join('\n');
  const named = Buffer.concat([Buffer.from(`${key.name}\n\x01`), key.publicKey]);
  const id = createHash('sha256').update(named).digest().subarray(0, 4);
  const signature = Buffer.concat([id, key.sign(Buffer.from(text))]).toString('base64');
  return `${text}\n— ${key.name} ${signature}\n`;
}

/** Reads a clip, or a part of it, into one array. */
export async function readAll(
  session: CameraSession,
  record: ClipRecord,
  part: { fromByte?: number; toByte?: number; signal?: AbortSignal } = {},
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  await session.read(record, {
    fromByte: part.fromByte ?? 0,
    toByte: part.toByte ?? record.sizeBytes,
    signal: part.signal ?? never,
    onBytes: async (bytes) => void parts.push(bytes.slice()),
  });
  return Buffer.concat(parts);
}

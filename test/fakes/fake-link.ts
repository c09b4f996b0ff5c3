import { createHash } from 'node:crypto';
import { DockError, type ErrorCode } from '../../src/core/errors.ts';
import type { CameraAuth, CameraSerial, ClipRecord } from '../../src/core/evidence/clip.ts';
import { encodeClipRecord, parseClipRecord } from '../../src/core/link/record.ts';
import type {
  CameraInventory,
  CameraLink,
  CameraRegistry,
  CameraSession,
  CameraStatus,
  DockOptions,
  HeldBytes,
  ReadOptions,
} from '../../src/ports/camera-link.ts';
import { testKey } from '../core/link/ed25519.ts';

const RANGE_BYTES = 65_536;

export interface FakeClip {
  readonly bytes: Uint8Array;
  readonly counter?: number;
  readonly name?: string;
  readonly wearer?: string;
  readonly incident?: boolean;
  readonly startedAtMs?: number;
  readonly endedAtMs?: number;
  /** The record carries another digest, correctly signed. */
  readonly lieDigest?: boolean;
  /** Another byte is sent than the record was made of. */
  readonly flipByteAt?: number;
}

export interface FakeCameraOptions {
  readonly serial?: string;
  readonly auth?: CameraAuth;
  readonly clips?: readonly FakeClip[];
}

export interface FakeCameraFaults {
  /** Taken out of the bay once it has sent so many bytes of clips. */
  vanishAfterBytes?: number | undefined;
  /** Every receipt is answered with BAD_RECEIPT. */
  refuseReceipt?: boolean | undefined;
  /** Erases, but the answer is lost and the camera is taken out. */
  loseReleased?: boolean | undefined;
  /** Records listed as refused. */
  refusedRecords?: CameraInventory['refused'] | undefined;
  /** Thrown by the next request of any kind. */
  failNext?: ErrorCode | undefined;
  /** Reads of this clip are answered with an error. */
  refuseReadOf?: number | undefined;
  /** Called before each range is sent. */
  onRange?: ((counter: number, offset: number) => void) | undefined;
}

interface StoredClip {
  readonly record: ClipRecord;
  readonly bytes: Uint8Array;
}

/** A camera in memory. It keeps its clips while it is out of the bay. */
export class FakeCamera {
  readonly serial: CameraSerial;
  readonly auth: CameraAuth;
  readonly publicKey: Uint8Array | undefined;
  readonly faults: FakeCameraFaults = {};
  /** Counters of clips that a receipt erased, in order. */
  readonly erased: number[] = [];
  /** Receipts in the order in which they came. */
  readonly receipts: string[] = [];
  readonly clips = new Map<number, StoredClip>();
  /** Called in the moment in which the camera has erased a clip; what it throws, the dock gets for an answer. */
  onErased: (counter: number, receipt: string) => void = () => undefined;
  lastCounter = 0;
  sentBytes = 0;
  /** Of those, bytes that had been sent before. */
  resentBytes = 0;
  private readonly sentUpTo = new Map<number, number>();
  clockMs = Date.UTC(2026, 0, 1);
  private readonly sign: (message: Uint8Array) => Uint8Array;

  constructor(options: FakeCameraOptions = {}) {
    this.serial = (options.serial ?? 'CAM-0001') as CameraSerial;
    this.auth = options.auth ?? 'ed25519';
    const key = testKey(createHash('sha256').update(this.serial).digest());
    this.publicKey = this.auth === 'ed25519' ? key.publicKey : undefined;
    this.sign = (message) => key.sign(message);
    for (const clip of options.clips ?? []) this.recordClip(clip);
  }

  recordClip(clip: FakeClip): ClipRecord {
    const counter = clip.counter ?? this.lastCounter + 1;
    const startedAtMs = clip.startedAtMs ?? Date.UTC(2026, 0, 1, 8, counter);
    const sha256 = createHash('sha256').update(clip.bytes);
    const raw = encodeClipRecord(
      {
        auth: this.auth,
        serial: this.serial,
        counter,
        sizeBytes: clip.bytes.length,
        sha256: (clip.lieDigest ? sha256.update('lie') : sha256).digest('hex'),
        startedAtMs,
        endedAtMs: clip.endedAtMs ?? startedAtMs + 4_000,
        clockQuality: 'dock',
        trigger: 'button',
        incident: clip.incident ?? false,
        name: clip.name ?? `clip-${counter}.mp4`,
        wearer: clip.wearer ?? 'CEO-117',
      },
      this.sign,
    );
    const bytes = clip.bytes.slice();
    if (clip.flipByteAt !== undefined) bytes[clip.flipByteAt] = (bytes[clip.flipByteAt] ?? 0) ^ 1;
    const record = parseClipRecord(raw);
    this.clips.set(counter, { record, bytes });
    this.lastCounter = Math.max(this.lastCounter, counter);
    return record;
  }

  noteSent(counter: number, offset: number, sizeBytes: number): void {
    const before = this.sentUpTo.get(counter) ?? 0;
    this.sentBytes += sizeBytes;
    this.resentBytes += Math.min(sizeBytes, Math.max(0, before - offset));
    this.sentUpTo.set(counter, Math.max(before, offset + sizeBytes));
  }

  /** The lines of SPEC 7 that a camera compares with its own record; the fake checks no signature. */
  takeReceipt(counter: number, receipt: string): void {
    this.receipts.push(receipt);
    const refuse = (why: string) => new DockError('RECEIPT_REFUSED', `BAD_RECEIPT: ${why}`);
    if (this.faults.refuseReceipt) throw refuse('the camera refuses');
    if (this.erased.includes(counter)) return;
    const clip = this.clips.get(counter);
    if (clip === undefined) throw refuse('no such clip');
    const { sizeBytes, sha256 } = clip.record;
    const lines = receipt.split('\n');
    for (const line of [
      'docket/receipt/v1',
      `camera ${this.serial}`,
      `counter ${counter}`,
      `size ${sizeBytes}`,
      `sha256 ${sha256}`,
    ]) {
      if (!lines.includes(line)) throw refuse(`no line: ${line}`);
    }
    this.clips.delete(counter);
    this.erased.push(counter);
    this.onErased(counter, receipt);
  }
}

interface FakeHeld extends HeldBytes {
  readonly fromByte: number;
  readonly bytes: Uint8Array;
}

function heldOf(clip: Uint8Array, fromByte: number, sizeBytes: number): FakeHeld | undefined {
  if (sizeBytes === 0) return undefined;
  return { fromByte, sizeBytes, bytes: clip.slice(fromByte, fromByte + sizeBytes) };
}

function takeHeld({ carry, fromByte }: ReadOptions): Uint8Array {
  const held = carry?.held as FakeHeld | undefined;
  if (carry !== undefined) carry.held = undefined;
  return held?.fromByte === fromByte ? held.bytes : new Uint8Array(0);
}

class FakeSession implements CameraSession {
  readonly camera: FakeCamera;
  readonly serial: CameraSerial;
  readonly auth: CameraAuth;
  readonly publicKey: Uint8Array | undefined;
  readonly lastCounter: number;
  readonly closed: Promise<void>;
  isClosed = false;
  private settleClosed: () => void = () => undefined;
  private readonly pullOut: () => void;

  constructor(camera: FakeCamera, pullOut: () => void) {
    this.camera = camera;
    this.serial = camera.serial;
    this.auth = camera.auth;
    this.publicKey = camera.publicKey;
    this.lastCounter = camera.lastCounter;
    this.pullOut = pullOut;
    this.closed = new Promise((resolve) => {
      this.settleClosed = resolve;
    });
  }

  async status(signal: AbortSignal): Promise<CameraStatus> {
    await this.turn(signal);
    const clips = [...this.camera.clips.values()];
    const usedBytes = clips.reduce((sum, clip) => sum + clip.bytes.length, 0);
    const storageBytes = 64 * 1024 ** 3;
    return {
      batteryPercent: 80,
      charging: true,
      recording: false,
      storageBytes,
      storageFreeBytes: storageBytes - usedBytes,
      clockMs: this.camera.clockMs,
      clockQuality: 'dock',
      firmware: 'fake 1.0',
    };
  }

  async records(signal: AbortSignal): Promise<CameraInventory> {
    await this.turn(signal);
    const records = [...this.camera.clips.values()].map((clip) => clip.record);
    records.sort((a, b) => a.counter - b.counter);
    return { records, refused: this.camera.faults.refusedRecords ?? [] };
  }

  async read(record: ClipRecord, options: ReadOptions): Promise<void> {
    const { camera } = this;
    const held = takeHeld(options);
    if (held.length > 0) await options.onBytes(held);
    const fromByte = options.fromByte + held.length;
    for (let offset = fromByte; offset < options.toByte; offset += RANGE_BYTES) {
      await this.turn(options.signal);
      const clip = camera.clips.get(record.counter);
      if (clip === undefined) throw new DockError('CAMERA_REFUSED', 'NO_CLIP');
      if (camera.faults.refuseReadOf === record.counter) {
        throw new DockError('CAMERA_REFUSED', 'STORAGE');
      }
      camera.faults.onRange?.(record.counter, offset);
      const end = Math.min(offset + RANGE_BYTES, options.toByte);
      const { vanishAfterBytes = Number.POSITIVE_INFINITY } = camera.faults;
      const arrives = Math.min(end - offset, Math.max(0, vanishAfterBytes - camera.sentBytes));
      camera.noteSent(record.counter, offset, arrives);
      if (arrives < end - offset) {
        if (options.carry !== undefined) options.carry.held = heldOf(clip.bytes, offset, arrives);
        camera.faults.vanishAfterBytes = undefined;
        this.pullOut();
        throw lineClosed();
      }
      await options.onBytes(clip.bytes.slice(offset, end));
    }
  }

  async release(counter: number, receipt: string, signal: AbortSignal): Promise<void> {
    await this.turn(signal);
    this.camera.takeReceipt(counter, receipt);
    if (!this.camera.faults.loseReleased) return;
    this.camera.faults.loseReleased = undefined;
    this.pullOut();
    throw lineClosed();
  }

  async setClock(utcMs: number, signal: AbortSignal): Promise<number> {
    await this.turn(signal);
    const aheadMs = this.camera.clockMs - utcMs;
    this.camera.clockMs = utcMs;
    return aheadMs;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.settleClosed();
  }

  /** Lets others run, then fails as a line would. */
  private async turn(signal: AbortSignal): Promise<void> {
    await Promise.resolve();
    if (signal.aborted) throw cancelled(signal);
    if (this.isClosed) throw lineClosed();
    const { failNext } = this.camera.faults;
    if (failNext === undefined) return;
    this.camera.faults.failNext = undefined;
    throw new DockError(failNext, `the fake fails with ${failNext}`);
  }
}

interface FakeBay {
  camera: FakeCamera | undefined;
  /** What `dock` throws while the bay holds it. */
  fault: ErrorCode | undefined;
  session: FakeSession | undefined;
  readonly changed: Set<() => void>;
}

/** Bays in memory: `plug` and `unplug` do what hands do. */
export class FakeCameraLink implements CameraLink {
  private readonly bays = new Map<number, FakeBay>();

  plug(bay: number, camera: FakeCamera): void {
    this.change(bay, { camera, fault: undefined });
  }

  /** Something that `dock` refuses with this code. */
  plugBad(bay: number, code: ErrorCode): void {
    this.change(bay, { camera: undefined, fault: code });
  }

  unplug(bay: number): void {
    this.change(bay, { camera: undefined, fault: undefined });
  }

  /** Every line falls silent, as when the dock loses power. */
  unplugAll(): void {
    for (const bay of [...this.bays.keys()]) this.unplug(bay);
  }

  cameraIn(bay: number): FakeCamera | undefined {
    return this.bayOf(bay).camera;
  }

  /** The session that `dock` gave last, while its camera is in the bay. */
  sessionOf(bay: number): CameraSession | undefined {
    return this.bayOf(bay).session;
  }

  async dock(bay: number, { signal, onPresent }: DockOptions): Promise<CameraSession> {
    const place = this.bayOf(bay);
    while (place.camera === undefined && place.fault === undefined) {
      await this.untilChanged(place, signal);
    }
    if (signal.aborted) throw cancelled(signal);
    onPresent();
    await Promise.resolve();
    const { camera, fault } = place;
    if (fault !== undefined) throw new DockError(fault, `the fake bay gives ${fault}`);
    if (camera === undefined) throw lineClosed();
    place.session = new FakeSession(camera, () => this.unplug(bay));
    return place.session;
  }

  async gone(bay: number, signal: AbortSignal): Promise<void> {
    const place = this.bayOf(bay);
    while (place.camera !== undefined || place.fault !== undefined) {
      await this.untilChanged(place, signal);
    }
  }

  private bayOf(bay: number): FakeBay {
    const found = this.bays.get(bay);
    if (found !== undefined) return found;
    const made = {
      camera: undefined,
      fault: undefined,
      session: undefined,
      changed: new Set<() => void>(),
    };
    this.bays.set(bay, made);
    return made;
  }

  private change(bay: number, now: Pick<FakeBay, 'camera' | 'fault'>): void {
    const place = this.bayOf(bay);
    void place.session?.close();
    Object.assign(place, now, { session: undefined });
    for (const notify of [...place.changed]) notify();
  }

  private untilChanged(place: FakeBay, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(cancelled(signal));
      const end = () => {
        place.changed.delete(notify);
        signal.removeEventListener('abort', onAbort);
      };
      const notify = () => {
        end();
        resolve();
      };
      const onAbort = () => {
        end();
        reject(cancelled(signal));
      };
      place.changed.add(notify);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}

/** Knows the cameras it is given. */
export function fakeRegistry(cameras: readonly FakeCamera[], allowKeyless = false): CameraRegistry {
  const keys = new Map(cameras.map((camera) => [camera.serial, camera.publicKey]));
  return { publicKeyOf: (serial) => keys.get(serial), allowKeyless };
}

function lineClosed(): DockError {
  return new DockError('LINK_CLOSED', 'the camera was taken out');
}

function cancelled(signal: AbortSignal): DockError {
  const { reason } = signal;
  return reason instanceof DockError ? reason : new DockError('CANCELLED', 'cancelled');
}

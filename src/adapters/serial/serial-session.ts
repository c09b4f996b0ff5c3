import { assert } from '../../core/assert.ts';
import { utf8 } from '../../core/bytes.ts';
import type { VerifyEd25519 } from '../../core/custody/primitives.ts';
import { type DockError, isDockError } from '../../core/errors.ts';
import type { CameraAuth, CameraSerial, ClipRecord } from '../../core/evidence/clip.ts';
import { FRAME_TYPE, type Frame, RECEIPT_SIZE_MAX } from '../../core/link/frame.ts';
import {
  encodeClock,
  encodeReceipt,
  parseClockOk,
  parseReleased,
  parseStatusOk,
} from '../../core/link/message.ts';
import { LinePace } from '../../core/link/pace.ts';
import { isRateTooHigh, lowerRate } from '../../core/link/rates.ts';
import type { DockedCamera } from '../../core/link/session.ts';
import type {
  CameraInventory,
  CameraSession,
  CameraStatus,
  ReadOptions,
} from '../../ports/camera-link.ts';
import { type Exchange, exchange } from './exchange.ts';
import { listRecords } from './inventory.ts';
import type { SerialLine } from './line.ts';
import { negotiateRate } from './rate.ts';
import { ClipRead } from './read-clip.ts';

const NOTHING = new Uint8Array(0);
/** Of line time at a rate that has not carried a clip yet. */
const TRIAL_SECONDS = 2;

interface Question<T> extends Pick<Exchange<T>, 'name' | 'type' | 'signal'> {
  readonly payload?: Exchange<T>['payload'];
  readonly answerType: number;
  readonly parse: (payload: Uint8Array) => T | undefined;
}

export class SerialCameraSession implements CameraSession {
  readonly serial: CameraSerial;
  readonly auth: CameraAuth;
  readonly publicKey: Uint8Array | undefined;
  readonly lastCounter: number;
  readonly closed: Promise<void>;
  private readonly line: SerialLine;
  private readonly camera: DockedCamera;
  private readonly verify: VerifyEd25519;
  private pace: LinePace;
  private provenBaudRate: number | undefined;
  private reading = false;
  private readonly spare: Uint8Array[] = [];

  constructor(line: SerialLine, camera: DockedCamera, verify: VerifyEd25519) {
    this.line = line;
    this.camera = camera;
    this.verify = verify;
    this.serial = camera.serial;
    this.auth = camera.auth;
    this.publicKey = camera.publicKey;
    this.lastCounter = camera.lastCounter;
    this.closed = line.closed;
    this.pace = new LinePace(line.baudRate);
  }

  status(signal: AbortSignal): Promise<CameraStatus> {
    return this.ask({
      name: 'STATUS',
      type: FRAME_TYPE.STATUS,
      answerType: FRAME_TYPE.STATUS_OK,
      parse: parseStatusOk,
      signal,
    });
  }

  records(signal: AbortSignal): Promise<CameraInventory> {
    const durationMs = (sizeBytes: number) => this.lineMs(sizeBytes);
    const { line, camera, verify } = this;
    return this.ending(listRecords({ line, camera, verify, signal, durationMs }));
  }

  /** One at a time. */
  async read(record: ClipRecord, options: ReadOptions): Promise<void> {
    const { fromByte, toByte } = options;
    assert(!this.reading, 'one read at a time on a camera');
    assert(fromByte >= 0 && toByte <= record.sizeBytes, 'a read within its clip');
    if (fromByte >= toByte) return;
    this.reading = true;
    try {
      await this.ending(this.readParts(record.counter, options));
    } finally {
      this.reading = false;
    }
  }

  /** A rate that was agreed is tried out on a short part first, and given up for a lower one where it does not carry. */
  private async readParts(counter: number, options: ReadOptions): Promise<void> {
    const { toByte, signal } = options;
    let { fromByte } = options;
    const onBytes = async (bytes: Uint8Array): Promise<void> => {
      await options.onBytes(bytes);
      fromByte += bytes.length;
    };
    while (fromByte < toByte) {
      const part = {
        ...options,
        counter,
        onBytes,
        fromByte,
        toByte: options.carry?.held === undefined ? this.partEnd(fromByte, toByte) : toByte,
      };
      const { heardBytes, discardedBytes } = this.line;
      try {
        await new ClipRead(this.line, this.pace, { ...part, spare: this.spare }).run();
        this.provenBaudRate = this.line.baudRate;
      } catch (error) {
        if (!this.mayBeTheRate(error)) throw error;
        await this.lowerRate(signal);
        continue;
      }
      if (isRateTooHigh({ heardBytes, discardedBytes }, this.line)) await this.lowerRate(signal);
    }
  }

  private partEnd(fromByte: number, toByte: number): number {
    const { baudRate, bay } = this.line;
    if (baudRate === bay.baudRate || baudRate === this.provenBaudRate) return toByte;
    return Math.min(toByte, fromByte + Math.ceil((baudRate / 10) * TRIAL_SECONDS));
  }

  private mayBeTheRate(error: unknown): boolean {
    const { failure, baudRate, bay } = this.line;
    if (failure !== undefined || baudRate === bay.baudRate) return false;
    return isDockError(error, 'LINK_TIMEOUT') || isDockError(error, 'CAMERA_FULL_OF_ERRORS');
  }

  private async lowerRate(signal: AbortSignal): Promise<void> {
    const { baudRate, bay } = this.line;
    if (baudRate === bay.baudRate) return;
    await negotiateRate(this.line, lowerRate(baudRate, bay.baudRate) ?? bay.baudRate, signal);
    this.pace = new LinePace(this.line.baudRate);
  }

  async release(counter: number, receipt: string, signal: AbortSignal): Promise<void> {
    assert(utf8(receipt).length <= RECEIPT_SIZE_MAX, 'a receipt within RECEIPT_SIZE_MAX');
    await this.ask({
      name: 'RECEIPT',
      type: FRAME_TYPE.RECEIPT,
      payload: encodeReceipt(counter, receipt),
      answerType: FRAME_TYPE.RELEASED,
      parse: (payload) => (parseReleased(payload) === counter ? true : undefined),
      signal,
    });
  }

  setClock(utcMs: number, signal: AbortSignal): Promise<number> {
    const { clock } = this.line;
    const askedAtMs = clock.monotonicMs();
    return this.ask({
      name: 'CLOCK',
      type: FRAME_TYPE.CLOCK,
      payload: () => encodeClock(utcMs + Math.round(clock.monotonicMs() - askedAtMs)),
      answerType: FRAME_TYPE.CLOCK_OK,
      parse: parseClockOk,
      signal,
    });
  }

  async close(): Promise<void> {
    this.line.send({ type: FRAME_TYPE.BYE, request: this.line.newRequest(), payload: NOTHING });
    await this.line.close();
  }

  private ask<T>(question: Question<T>): Promise<T> {
    const { answerType, parse } = question;
    const payload = question.payload ?? NOTHING;
    const take = (frame: Frame) => (frame.type === answerType ? parse(frame.payload) : undefined);
    const lineMs = this.lineMs(payload instanceof Uint8Array ? payload.length : 0);
    return this.ending(exchange(this.line, { ...question, payload, begin: () => take, lineMs }));
  }

  /** Everything asked for may stand before an answer on a slow line. */
  private lineMs(sizeBytes: number): number {
    const { pace } = this;
    return Math.ceil(pace.durationMs(sizeBytes + pace.readBytes * pace.depth));
  }

  /** A camera that does not answer, or forgot the session, is docked anew: its line ends with the request. */
  private async ending<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      const over =
        isDockError(error, 'LINK_TIMEOUT') || isDockError(error, 'CAMERA_FULL_OF_ERRORS');
      if (over || isDockError(error, 'LINK_CLOSED')) this.line.fail(error as DockError);
      throw error;
    }
  }
}

import zlib from 'node:zlib';
import { asDockError, DockError } from '../../core/errors.ts';
import { crc32 as crc32InJs } from '../../core/link/crc32.ts';
import { FrameDecoder } from '../../core/link/decoder.ts';
import { encodeFrame, FRAME_GAP_MS, type Frame } from '../../core/link/frame.ts';
import type { Clock } from '../../ports/clock.ts';
import { type BayLine, deviceAt, lineError, openPort, type Port } from './port.ts';
import type { LinkTimings } from './timings.ts';

// A line may cost this much work without sense before it is given up, more when it also carries sense.
const BAD_BYTES_MAX = 16 * 1024 * 1024;
const BAD_BYTES_A_GOOD_BYTE = 4;
// Requests that the line does not take are not worth keeping: they are repeated.
const UNSENT_BYTES_MAX = 65_536;

export interface LineParts {
  readonly clock: Clock;
  readonly timings: LinkTimings;
}

export interface RequestListener {
  /** The payload is valid during the call only. */
  frame(frame: Frame): void;
  closed(error: DockError): void;
}

const READ_BYTES = 65_536;

type Crc32 = (bytes: Uint8Array) => number;
// The zlib inside Node is faster; it is there from Node 20.15 on, but not yet in the types.
const crc32 = (zlib as unknown as { crc32?: Crc32 }).crc32 ?? crc32InJs;

/** One open serial port that carries frames. Ends by itself when the camera goes; `failure` says why. */
export class SerialLine {
  failure: DockError | undefined;
  /** Set once a camera has proved itself: from then on bad input is its fault. */
  docked = false;
  heardBytes = 0;
  discardedBytes = 0;
  strayFrames = 0;
  readonly closed: Promise<void>;
  onTick: (nowMs: number) => void = ignore;
  /** Frames whose request nobody listens to. True when it was of use. */
  onOther: (frame: Frame) => boolean = () => false;
  readonly bay: BayLine;
  readonly timings: LinkTimings;
  readonly clock: Clock;
  private port: Port | undefined;
  private readonly decoder: FrameDecoder;
  private readonly listeners = new Map<number, RequestListener>();
  private readonly ticking = new AbortController();
  private settleClosed: () => void = ignore;
  private lastRequest: number;
  private goodBytes = 0;
  private badBytes = 0;
  private heardAtMs = 0;
  private device: string | undefined;
  private released = false;
  private readonly unsent: Uint8Array[] = [];
  private unsentBytes = 0;
  private isSending = false;
  private onSent: () => void = ignore;

  constructor(bay: BayLine, firstRequest: number, parts: LineParts) {
    this.bay = bay;
    this.clock = parts.clock;
    this.timings = parts.timings;
    // Answers to an earlier run of the dock must not be taken for ours, so the numbers begin anywhere.
    this.lastRequest = firstRequest;
    this.closed = new Promise((resolve) => {
      this.settleClosed = resolve;
    });
    const sink = { frame: this.onFrame.bind(this), discarded: this.onDiscarded.bind(this) };
    this.decoder = new FrameDecoder(sink, crc32);
  }

  /** SERIAL_IN_USE, SERIAL_FAILED, or LINK_CLOSED when nothing is there any more. */
  async open(): Promise<void> {
    this.device = await deviceAt(this.bay.path);
    this.port = await openPort(this.bay);
    this.heardAtMs = this.clock.monotonicMs();
    void this.readAll(this.port);
    void this.tick();
  }

  newRequest(): number {
    this.lastRequest = this.lastRequest >= 0xffffffff ? 1 : this.lastRequest + 1;
    return this.lastRequest;
  }

  listen(request: number, listener: RequestListener): void {
    if (this.failure !== undefined) listener.closed(this.failure);
    else this.listeners.set(request, listener);
  }

  unlisten(request: number): void {
    this.listeners.delete(request);
  }

  send(frame: Frame): void {
    if (this.failure !== undefined || this.unsentBytes > UNSENT_BYTES_MAX) return;
    const bytes = encodeFrame(frame);
    this.unsentBytes += bytes.length;
    this.unsent.push(bytes);
    if (!this.isSending) void this.sendAll();
  }

  /** The port takes one write at a time. */
  private async sendAll(): Promise<void> {
    this.isSending = true;
    try {
      for (let next = this.unsent.shift(); next !== undefined; next = this.unsent.shift()) {
        await this.port?.write(Buffer.from(next.buffer, next.byteOffset, next.length));
        this.unsentBytes -= next.length;
      }
    } catch (error) {
      this.fail(lineError(error));
    }
    this.isSending = false;
    this.onSent();
  }

  /** serialport's own stream makes garbage of every byte that it reads; the decoder is done with them when it returns. */
  private async readAll(port: Port): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    // Not as a Buffer, whose `slice` copies nothing.
    const bytes = new Uint8Array(buffer.buffer);
    try {
      while (this.failure === undefined) {
        const { bytesRead } = await port.read(buffer, 0, buffer.length);
        this.onData(bytes.subarray(0, bytesRead));
      }
    } catch (error) {
      this.fail(lineError(error));
    }
  }

  private async closePort(): Promise<void> {
    try {
      if (this.port?.isOpen === true) await this.port.close();
    } catch {
      // The device went first: there is nothing left to close.
    }
    this.onReleased();
  }

  /** Ends the line with an error for everybody who waits on it. The first error stays. */
  fail(error: DockError): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.ticking.abort();
    void this.closePort();
    for (const listener of this.listeners.values()) listener.closed(error);
    this.listeners.clear();
    this.settleClosed();
  }

  /** Sends what is written, closes the port, and waits until the path is free again. May be called twice. */
  async close(): Promise<void> {
    const { clock, timings } = this;
    if (this.failure === undefined && this.isSending) {
      const sent = new Promise<void>((resolve) => {
        this.onSent = resolve;
      });
      await Promise.race([sent, this.closed, clock.delay(timings.closeMs)]);
    }
    this.fail(new DockError('LINK_CLOSED', 'the dock closed the line'));
    if (this.released) return;
    const released = new Promise<void>((resolve) => {
      this.onReleased = () => {
        this.released = true;
        resolve();
      };
    });
    await Promise.race([released, clock.delay(timings.closeMs)]);
  }

  private onReleased: () => void = () => {
    this.released = true;
  };

  private onData(bytes: Uint8Array): void {
    if (this.failure !== undefined) return;
    this.heardBytes += bytes.length;
    this.heardAtMs = this.clock.monotonicMs();
    this.guarded(() => this.decoder.push(bytes));
    const bad = this.badBytes + this.decoder.failedBytes;
    if (bad > BAD_BYTES_MAX + BAD_BYTES_A_GOOD_BYTE * this.goodBytes) this.fail(this.badLine());
  }

  private onFrame(frame: Frame): void {
    const sizeBytes = frame.payload.length;
    const listener = this.listeners.get(frame.request);
    if (listener !== undefined) {
      listener.frame(frame);
      this.goodBytes += sizeBytes;
    } else if (this.onOther(frame)) {
      this.goodBytes += sizeBytes;
    } else {
      this.strayFrames++;
      this.badBytes += sizeBytes;
    }
  }

  private onDiscarded(sizeBytes: number): void {
    this.discardedBytes += sizeBytes;
    this.badBytes += sizeBytes;
  }

  private badLine(): DockError {
    if (!this.docked) {
      return new DockError('LINK_FOREIGN', 'what is in the bay sends no frames', {
        action: 'Take it out of the bay.',
      });
    }
    return new DockError('CAMERA_FULL_OF_ERRORS', 'most of what the camera sends is damaged', {
      action: 'Clean the contacts of the camera and the bay.',
    });
  }

  /** A fault in one bay's input ends that bay's line and nothing else. */
  private guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.fail(asDockError(error, 'LINK_PROTOCOL', 'an answer could not be taken'));
    }
  }

  /** SPEC 2: the gap. serialport may also miss that a device went, so the path is looked at too. */
  private async tick(): Promise<void> {
    let lookedAtMs = this.clock.monotonicMs();
    while (this.failure === undefined) {
      await this.clock.delay(this.timings.tickMs, this.ticking.signal).catch(ignore);
      if (this.failure !== undefined) return;
      const nowMs = this.clock.monotonicMs();
      if (this.decoder.waiting && nowMs - this.heardAtMs >= FRAME_GAP_MS) {
        this.guarded(() => this.decoder.gap());
      }
      this.guarded(() => this.onTick(nowMs));
      if (nowMs - lookedAtMs < this.timings.lookMs) continue;
      lookedAtMs = nowMs;
      if ((await deviceAt(this.bay.path)) !== this.device) this.fail(lineError(null));
    }
  }
}

function ignore(): undefined {
  return undefined;
}

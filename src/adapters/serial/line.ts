import { asDockError, DockError } from '../../core/errors.ts';
import { encodeFrame, FRAME_OVERHEAD_BYTES, type Frame } from '../../core/link/frame.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DataArrival, FrameReader, OpenFrameReader } from '../../ports/frame-reader.ts';
import { type BayLine, descriptorOf, deviceAt, lineError, openPort, type Port } from './port.ts';
import type { LinkTimings } from './timings.ts';

// A line may cost this much work without sense before it is given up, more when it also carries sense.
const BAD_BYTES_MAX = 16 * 1024 * 1024;
const BAD_BYTES_A_GOOD_BYTE = 4;
// Requests that the line does not take are not worth keeping: they are repeated.
const UNSENT_BYTES_MAX = 65_536;

export interface LineParts {
  readonly clock: Clock;
  readonly timings: LinkTimings;
  readonly openReader: OpenFrameReader;
}

export interface RequestListener {
  frame(frame: Frame): void;
  /** Clip bytes; those that were expected are in their window. */
  data?(arrival: DataArrival): void;
  closed(error: DockError): void;
}

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
  /** Of both directions now. */
  baudRate: number;
  readonly bay: BayLine;
  readonly timings: LinkTimings;
  readonly clock: Clock;
  private port: Port | undefined;
  private reader: FrameReader | undefined;
  private readonly openReader: OpenFrameReader;
  private arrivals: (Frame | DataArrival)[] = [];
  private failedBytes = 0;
  private readonly listeners = new Map<number, RequestListener>();
  private readonly ticking = new AbortController();
  private settleClosed: () => void = ignore;
  private lastRequest: number;
  private goodBytes = 0;
  private badBytes = 0;
  private device: string | undefined;
  private released = false;
  private readonly unsent: Uint8Array[] = [];
  private unsentBytes = 0;
  private isSending = false;
  private onSent: () => void = ignore;

  constructor(bay: BayLine, firstRequest: number, parts: LineParts) {
    this.bay = bay;
    this.baudRate = bay.baudRate;
    this.clock = parts.clock;
    this.timings = parts.timings;
    this.openReader = parts.openReader;
    // Answers to an earlier run of the dock must not be taken for ours, so the numbers begin anywhere.
    this.lastRequest = firstRequest;
    this.closed = new Promise((resolve) => {
      this.settleClosed = resolve;
    });
  }

  /** SERIAL_IN_USE, SERIAL_FAILED, or LINK_CLOSED when nothing is there any more. */
  async open(): Promise<void> {
    this.device = await deviceAt(this.bay.path);
    this.port = await openPort(this.bay);
    try {
      this.reader = this.openReader(descriptorOf(this.port), () => this.drain());
    } catch (error) {
      const failure = lineError(error);
      this.fail(failure);
      throw failure;
    }
    void this.tick();
  }

  /** What was written before must have been answered. False when the port cannot; the rate is then as it was. */
  async setRate(baudRate: number): Promise<boolean> {
    try {
      await this.port?.update({ baudRate });
    } catch {
      return false;
    }
    this.baudRate = baudRate;
    return true;
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

  /** The clip bytes of the answer go into the window, until it is forgotten or the line ends. */
  expect(request: number, window: Uint8Array): void {
    if (this.failure === undefined) this.reader?.expect(request, window);
  }

  forget(request: number): void {
    this.reader?.forget(request);
  }

  /** Tells at once what came and was not told yet. */
  drain(): void {
    if (this.reader === undefined) return;
    const news = this.reader.take();
    this.arrivals.push(...news.arrivals);
    this.heardBytes = news.heardBytes;
    this.badBytes += news.discardedBytes - this.discardedBytes;
    this.discardedBytes = news.discardedBytes;
    this.failedBytes = news.failedBytes;
    for (let next = this.arrivals.shift(); next !== undefined; next = this.arrivals.shift()) {
      const arrival = next;
      this.guarded(() => this.onArrival(arrival));
    }
    const bad = this.badBytes + this.failedBytes;
    if (bad > BAD_BYTES_MAX + BAD_BYTES_A_GOOD_BYTE * this.goodBytes) this.fail(this.badLine());
    if (news.failure !== undefined) this.fail(lineError(news.failure));
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
    // What came before counts; the port closes only when no other descriptor of it is open.
    this.reader?.close();
    this.drain();
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

  private onArrival(arrival: Frame | DataArrival): void {
    const listener = this.listeners.get(arrival.request);
    const isFrame = 'payload' in arrival;
    const sizeBytes = isFrame ? arrival.payload.length : arrival.sizeBytes;
    if (listener !== undefined) {
      this.goodBytes += sizeBytes;
      if (isFrame) listener.frame(arrival);
      else listener.data?.(arrival);
    } else if (isFrame && this.onOther(arrival)) {
      this.goodBytes += sizeBytes;
    } else {
      const frames = isFrame ? 1 : arrival.frames;
      this.strayFrames += frames;
      this.badBytes += sizeBytes + frames * FRAME_OVERHEAD_BYTES;
    }
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

  /** A line may also miss that its device went, so the path is looked at too. */
  private async tick(): Promise<void> {
    let lookedAtMs = this.clock.monotonicMs();
    while (this.failure === undefined) {
      await this.clock.delay(this.timings.tickMs, this.ticking.signal).catch(ignore);
      if (this.failure !== undefined) return;
      const nowMs = this.clock.monotonicMs();
      this.drain();
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

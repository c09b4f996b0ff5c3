import { DockError } from '../../core/errors.ts';
import { FRAME_TYPE, type Frame } from '../../core/link/frame.ts';
import { encodeRead, parseCameraError, parseData } from '../../core/link/message.ts';
import type { LinePace } from '../../core/link/pace.ts';
import { ClipRanges } from '../../core/link/ranges.ts';
import type { ReadOptions } from '../../ports/camera-link.ts';
import { cameraRefusal, throwIfAborted } from './exchange.ts';
import type { SerialLine } from './line.ts';

const RANGES_AHEAD = 2;

/** One pipelined read. The window is what `ClipRanges` holds: a slow taker stops the asking, and so the line. */
export class ClipRead {
  private readonly line: SerialLine;
  private readonly pace: LinePace;
  private readonly options: ReadOptions;
  private readonly ranges: ClipRanges;
  private readonly requests = new Set<number>();
  private wake: () => void = ignore;
  private failure: unknown;
  private heardAtMs: number;
  private gainedAtMs: number;
  private quietTries = 0;
  private delivering = false;
  private busyUntilMs = 0;

  constructor(
    line: SerialLine,
    pace: LinePace,
    options: ReadOptions & { readonly counter: number },
  ) {
    this.line = line;
    this.pace = pace;
    this.options = options;
    this.ranges = new ClipRanges({ ...options, pace, rangesAhead: RANGES_AHEAD });
    this.heardAtMs = line.clock.monotonicMs();
    this.gainedAtMs = this.heardAtMs;
  }

  async run(): Promise<void> {
    const { signal } = this.options;
    const onAbort = () => this.wake();
    signal.addEventListener('abort', onAbort, { once: true });
    this.line.onTick = (nowMs) => this.onTick(nowMs);
    try {
      while (!this.ranges.done) {
        this.ask();
        const bytes = this.ranges.whole();
        if (bytes === undefined) await this.woken();
        else await this.deliver(bytes);
        this.check();
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.line.onTick = ignore;
      for (const request of this.requests) this.line.unlisten(request);
    }
  }

  private async deliver(bytes: Uint8Array): Promise<void> {
    this.delivering = true;
    await this.options.onBytes(bytes);
    this.delivering = false;
    this.gainedAtMs = this.line.clock.monotonicMs();
    this.ranges.taken();
  }

  private check(): void {
    if (this.failure !== undefined) throw this.failure;
    throwIfAborted(this.options.signal);
  }

  private woken(): Promise<void> {
    if (this.failure !== undefined || this.options.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  private ask(): void {
    const nowMs = this.line.clock.monotonicMs();
    if (nowMs < this.busyUntilMs) return;
    for (;;) {
      const request = this.line.newRequest();
      const idle = this.ranges.inFlight === 0;
      const read = this.ranges.nextRead(request);
      if (read === undefined) return;
      if (idle) this.heardAtMs = nowMs;
      this.requests.add(request);
      this.line.listen(request, {
        frame: (frame) => this.onFrame(frame),
        closed: (error) => this.end(error),
      });
      this.line.send({ type: FRAME_TYPE.READ, request, payload: encodeRead(read) });
    }
  }

  private onFrame(frame: Frame): void {
    this.heardAtMs = this.line.clock.monotonicMs();
    try {
      if (frame.type === FRAME_TYPE.DATA) this.onData(frame);
      else if (frame.type === FRAME_TYPE.ERROR) this.onError(frame);
    } catch (error) {
      this.end(error);
    }
  }

  private onData(frame: Frame): void {
    const { offset, bytes } = parseData(frame.payload);
    if (!this.ranges.accept(frame.request, offset, bytes)) return;
    this.quietTries = 0;
    this.gainedAtMs = this.heardAtMs;
    this.forgetAnswered();
    if (this.ranges.inFlight < this.pace.depth) this.ask();
    if (this.ranges.whole() !== undefined) this.wake();
  }

  private onError(frame: Frame): void {
    if (!this.ranges.asked(frame.request)) return;
    const error = parseCameraError(frame.payload);
    if (error.name !== 'BUSY') {
      throw cameraRefusal(error.name, error.detail || `error ${error.code}`);
    }
    this.ranges.putBack(frame.request);
    this.busyUntilMs = this.line.clock.monotonicMs() + this.line.timings.tickMs;
  }

  private onTick(nowMs: number): void {
    const { quietMs, stuckMs } = this.line.timings;
    const stuck = !this.delivering && nowMs - this.gainedAtMs >= stuckMs;
    const limitMs = quietMs[this.quietTries];
    if (stuck || limitMs === undefined) {
      this.end(new DockError('LINK_TIMEOUT', 'the camera stopped answering in a clip'));
      return;
    }
    if (this.ranges.inFlight > 0) {
      const lineMs = 2 * this.pace.durationMs(this.pace.dataBytes);
      if (nowMs - this.heardAtMs < limitMs + lineMs) return;
      this.quietTries++;
      this.ranges.loseAll();
    }
    this.ask();
  }

  /** Late frames of a request that is over are still heard as a sign of life; those of long ago are not kept. */
  private forgetAnswered(): void {
    if (this.requests.size <= 4 * this.pace.depth) return;
    for (const request of this.requests) {
      if (this.requests.size <= 2 * this.pace.depth) return;
      if (this.ranges.asked(request)) continue;
      this.requests.delete(request);
      this.line.unlisten(request);
    }
  }

  private end(error: unknown): void {
    this.failure ??= error;
    this.wake();
  }
}

function ignore(): undefined {
  return undefined;
}

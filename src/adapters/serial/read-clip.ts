import { DockError } from '../../core/errors.ts';
import { FRAME_TYPE, type Frame, READS_OUTSTANDING_MAX } from '../../core/link/frame.ts';
import { HeldRanges } from '../../core/link/held-ranges.ts';
import { encodeRead, parseCameraError, parseData } from '../../core/link/message.ts';
import type { LinePace } from '../../core/link/pace.ts';
import { ClipRanges } from '../../core/link/ranges.ts';
import type { ReadOptions } from '../../ports/camera-link.ts';
import type { DataArrival } from '../../ports/frame-reader.ts';
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
  private isOver = false;

  constructor(
    line: SerialLine,
    pace: LinePace,
    options: ReadOptions & { readonly counter: number; readonly spare: Uint8Array[] },
  ) {
    this.line = line;
    this.pace = pace;
    this.options = options;
    const onOver = (request: number) => line.forget(request);
    const held = takeHeld(options);
    this.ranges = new ClipRanges({ ...options, pace, rangesAhead: RANGES_AHEAD, onOver, held });
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
      this.leave();
    }
  }

  /** What came until now, and was not taken, is the next read's. */
  private leave(): void {
    this.isOver = true;
    for (const request of this.requests) this.line.forget(request);
    if (!this.ranges.done) this.line.drain();
    for (const request of this.requests) this.line.unlisten(request);
    const { carry } = this.options;
    if (carry !== undefined && !this.ranges.done) carry.held = this.ranges.hold();
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
    if (this.isOver || nowMs < this.busyUntilMs) return;
    for (;;) {
      const request = this.line.newRequest();
      const idle = this.ranges.inFlight === 0;
      const read = this.ranges.nextRead(request);
      if (read === undefined) return;
      if (idle) this.heardAtMs = nowMs;
      this.requests.add(request);
      this.line.listen(request, {
        frame: (frame) => this.guarded(() => this.onFrame(frame)),
        data: (arrival) => this.guarded(() => this.onData(arrival)),
        closed: (error) => this.end(error),
      });
      this.line.expect(request, read.window);
      this.line.send({ type: FRAME_TYPE.READ, request, payload: encodeRead(read) });
    }
  }

  private guarded(act: () => void): void {
    this.heardAtMs = this.line.clock.monotonicMs();
    try {
      act();
    } catch (error) {
      this.end(error);
    }
  }

  private onFrame(frame: Frame): void {
    if (frame.type === FRAME_TYPE.ERROR) this.onError(frame);
    // One without an offset.
    else if (frame.type === FRAME_TYPE.DATA) parseData(frame.payload);
  }

  private onData({ request, offset, sizeBytes, frames, placed }: DataArrival): void {
    if (!placed) this.pace.noteLate();
    if (!placed || !this.ranges.accept(request, offset, sizeBytes, frames)) return;
    this.quietTries = 0;
    this.gainedAtMs = this.heardAtMs;
    this.forgetAnswered();
    this.ask();
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
    this.pace.noteTime(nowMs);
    const { quietMs, stuckMs } = this.line.timings;
    const stuck = !this.delivering && nowMs - this.gainedAtMs >= stuckMs;
    const limitMs = this.quietTries === 0 ? this.pace.quietMs : quietMs[this.quietTries - 1];
    if (stuck || limitMs === undefined) {
      this.end(new DockError('LINK_TIMEOUT', 'the camera stopped answering in a clip'));
      return;
    }
    if (this.ranges.inFlight > 0) {
      const lineMs = 2 * this.pace.durationMs(this.ranges.frameBytesMax);
      if (nowMs - this.heardAtMs < limitMs + lineMs) return;
      this.quietTries++;
      this.loseAll();
    }
    this.ask();
  }

  /** What is in its window by now has come; after that nothing is put there any more. */
  private loseAll(): void {
    for (const request of this.ranges.outstanding) this.line.forget(request);
    this.line.drain();
    this.ranges.loseAll();
  }

  /** Late frames of a request that is over are still heard as a sign of life; those of long ago are not kept. */
  private forgetAnswered(): void {
    if (this.requests.size <= 4 * READS_OUTSTANDING_MAX) return;
    for (const request of this.requests) {
      if (this.requests.size <= 2 * READS_OUTSTANDING_MAX) return;
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

function takeHeld({ carry }: ReadOptions): HeldRanges | undefined {
  const held = carry?.held;
  if (carry !== undefined) carry.held = undefined;
  return held instanceof HeldRanges ? held : undefined;
}

function ignore(): undefined {
  return undefined;
}

import { bestPayloadBytes, ErrorRate } from './error-rate.ts';
import { DATA_BYTES_MAX, DATA_BYTES_MIN, DATA_OVERHEAD_BYTES, READ_LENGTH_MAX } from './frame.ts';

/** From this rate on the number says nothing about the line: a pty or USB takes whatever is asked of it. */
export const FAST_BAUD = 2_000_000;
const BITS_A_BYTE = 10;
/** A frame never holds the line for longer, or answers to other requests would wait. */
const FRAME_MS_MAX = 200;
const FRAME_BYTES_FLOOR = 512;
/** One READ asks for so much, so that those outstanding cover the way there and back, and a repeat does not wait long behind them. */
const READ_MS = 50;
const READ_BYTES_FLOOR = 1_024;
/** A READ that loses more frames than this asks for more repeats than fit beside it in what a camera queues. */
const LOST_A_READ = 2.5;
const RANGE_MS = 2_000;
const RANGE_BYTES_MIN = 32_768;
const RANGE_BYTES_MAX = READ_LENGTH_MAX;
/** Of the measured speed: a fall counts slowly, for the taker may have paused. */
const RISE = 0.5;
const FALL = 0.1;
const SAMPLE_MS_MIN = 40;
const SAMPLE_FRAMES_MIN = 8;
const QUIET_MS_MIN = 60;
const QUIET_MS_MAX = 500;

/** How much to ask for at a time on one line: follows its errors and its speed. */
export class LinePace {
  readonly rangeBytes: number;
  /** READs outstanding for what was not asked for before. */
  readonly depth: number;
  private readonly errors = new ErrorRate();
  private bytesPerSecond: number;
  private arrivedBytes = 0;
  private arrivedFrames = 0;
  private sampledAtMs: number | undefined;
  private quietBaseMs = QUIET_MS_MIN;

  constructor(baudRate: number) {
    this.bytesPerSecond = baudRate / BITS_A_BYTE;
    this.depth = baudRate >= FAST_BAUD ? 4 : 3;
    this.rangeBytes = rangeBytesOf(this.bytesPerSecond, baudRate >= FAST_BAUD);
  }

  /** The payload that brings most over at the rate of errors that is seen. */
  get dataBytes(): number {
    const best = bestPayloadBytes(this.errors.perByte, DATA_OVERHEAD_BYTES);
    return Math.max(DATA_BYTES_MIN, Math.floor(Math.min(best, this.dataBytesMax)));
  }

  get dataBytesMax(): number {
    const most = Math.max(FRAME_BYTES_FLOOR, this.bytesWithin(FRAME_MS_MAX));
    return Math.min(DATA_BYTES_MAX, most);
  }

  /** Of a READ for what was not asked for before: whole frames. */
  get readBytes(): number {
    const { dataBytes } = this;
    const wanted = Math.max(READ_BYTES_FLOOR, this.bytesWithin(READ_MS));
    const lostShare = this.errors.perByte * (dataBytes + DATA_OVERHEAD_BYTES);
    const frames = Math.max(1, Math.round(Math.min(wanted / dataBytes, LOST_A_READ / lostShare)));
    return Math.min(READ_LENGTH_MAX, frames * dataBytes);
  }

  /** Time that the line needs for so many bytes. */
  durationMs(sizeBytes: number): number {
    return (sizeBytes / this.bytesPerSecond) * 1000;
  }

  /** Silence, beyond the time of a frame, after which nothing that is outstanding will come. */
  get quietMs(): number {
    return this.quietBaseMs;
  }

  /** What was given up for lost came after all: this camera takes breaks. */
  noteLate(): void {
    this.quietBaseMs = Math.min(QUIET_MS_MAX, this.quietBaseMs * 2);
  }

  noteArrived(sizeBytes: number, frameCount = 1): void {
    this.errors.noteArrived(sizeBytes + frameCount * DATA_OVERHEAD_BYTES);
    this.arrivedBytes += sizeBytes;
    this.arrivedFrames += frameCount;
  }

  /** Frames of so many bytes of clip each. */
  noteLost(frameCount: number, dataBytes: number): void {
    for (let frame = 0; frame < frameCount; frame++) {
      this.errors.noteLost(dataBytes + DATA_OVERHEAD_BYTES);
    }
  }

  /** To be called now and then while bytes are awaited: this is how the speed is known. */
  noteTime(nowMs: number): void {
    const elapsedMs = nowMs - (this.sampledAtMs ?? Number.NEGATIVE_INFINITY);
    if (elapsedMs < SAMPLE_MS_MIN || this.arrivedFrames < SAMPLE_FRAMES_MIN) return;
    const measured = (this.arrivedBytes / elapsedMs) * 1000;
    const change = measured - this.bytesPerSecond;
    if (this.sampledAtMs !== undefined) this.bytesPerSecond += change * (change > 0 ? RISE : FALL);
    this.sampledAtMs = nowMs;
    this.arrivedBytes = 0;
    this.arrivedFrames = 0;
  }

  private bytesWithin(durationMs: number): number {
    return (this.bytesPerSecond * durationMs) / 1000;
  }
}

/** A power of two, so that buffers of one line fit one another. */
function rangeBytesOf(bytesPerSecond: number, isFast: boolean): number {
  if (isFast) return RANGE_BYTES_MAX;
  let sizeBytes = RANGE_BYTES_MIN;
  const wanted = Math.min((bytesPerSecond * RANGE_MS) / 1000, RANGE_BYTES_MAX);
  while (sizeBytes * 2 <= wanted) sizeBytes *= 2;
  return sizeBytes;
}

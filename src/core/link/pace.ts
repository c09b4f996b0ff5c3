import { DATA_BYTES_MAX } from './frame.ts';

/** From this rate on the number says nothing about the line: a pty or USB takes whatever is asked of it. */
export const FAST_BAUD = 2_000_000;
const FAST_RANGE_BYTES = 262_144;
const SLOW_DATA_BYTES_MIN = 128;
const SAMPLE_FRAMES = 32;
const LOST_MIN = 4;

/** How much to ask for at a time on one line. Frames shrink where many are lost and grow again where few are. */
export class LinePace {
  dataBytes: number;
  readonly dataBytesMax: number;
  readonly rangeBytes: number;
  readonly depth: number;
  private readonly bytesPerSecond: number;
  private frames = 0;
  private lost = 0;

  constructor(baudRate: number) {
    const fast = baudRate >= FAST_BAUD;
    this.bytesPerSecond = fast ? Number.POSITIVE_INFINITY : baudRate / 10;
    this.dataBytesMax = this.bytesWithin(100, DATA_BYTES_MAX);
    this.dataBytes = this.bytesWithin(20, DATA_BYTES_MAX);
    this.rangeBytes = Math.max(this.bytesWithin(250, FAST_RANGE_BYTES), this.dataBytesMax);
    this.depth = fast ? 4 : 3;
  }

  /** Time that the line needs for so many bytes. */
  durationMs(sizeBytes: number): number {
    return (sizeBytes / this.bytesPerSecond) * 1000;
  }

  noteArrived(): void {
    this.frames++;
    this.settle();
  }

  noteLost(frameCount: number): void {
    this.frames += frameCount;
    this.lost += frameCount;
    this.settle();
  }

  /** More than one in ten lost: half. Less than one in fifty: double. Between them nothing changes, so that it does not swing. */
  private settle(): void {
    const many = this.lost >= LOST_MIN && this.lost * 10 > this.frames;
    if (!many && this.frames < SAMPLE_FRAMES) return;
    if (many) this.dataBytes = Math.max(SLOW_DATA_BYTES_MIN, this.dataBytes / 2);
    else if (this.lost * 50 < this.frames) {
      this.dataBytes = Math.min(this.dataBytesMax, this.dataBytes * 2);
    }
    this.frames = 0;
    this.lost = 0;
  }

  private bytesWithin(durationMs: number, sizeBytesMax: number): number {
    let sizeBytes = SLOW_DATA_BYTES_MIN;
    const wanted = Math.min((this.bytesPerSecond * durationMs) / 1000, sizeBytesMax);
    while (sizeBytes * 2 <= wanted) sizeBytes *= 2;
    return sizeBytes;
  }
}

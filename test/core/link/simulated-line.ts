import { DATA_OVERHEAD_BYTES } from '../../../src/core/link/frame.ts';
import { LinePace } from '../../../src/core/link/pace.ts';
import { ClipRanges } from '../../../src/core/link/ranges.ts';

export interface LineSetting {
  readonly baud: number;
  /** Bit-error rate, by the number of bytes that went over the line. */
  readonly ber: (sentBytes: number) => number;
  readonly seed: number;
  /** Of the clip. */
  readonly bytes: number;
  /** From a byte's arrival until its taker acts on it, and the same again on the other side. */
  readonly latencyMs: number;
}

export interface LineResult {
  /** Of the line's own limit. */
  readonly share: number;
  readonly pace: LinePace;
  /** Bytes in DATA frames, overhead included. */
  readonly sentBytes: number;
  readonly quietCount: number;
}

interface QueuedRead {
  readonly request: number;
  readonly lengthBytes: number;
  readonly dataBytes: number;
  readonly arrivesAtMs: number;
  sentBytes: number;
}

const READ_FRAME_BYTES = 44;
const TICK_MS = 50;

/** mulberry32: repeatable. */
function drawFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A camera that answers in order over a line with a pace, errors and a way there and back; the dock's side is the real one. */
export class SimulatedLine {
  private readonly setting: LineSetting;
  private readonly ranges: ClipRanges;
  private readonly pace: LinePace;
  private readonly draw: () => number;
  private readonly byteMs: number;
  private readonly queue: QueuedRead[] = [];
  private nowMs = 0;
  private tickedAtMs = 0;
  private freeAtMs = 0;
  private requestFreeAtMs = 0;
  private request = 0;
  private sentBytes = 0;
  private quietCount = 0;

  constructor(setting: LineSetting, pace = new LinePace(setting.baud)) {
    this.setting = setting;
    this.pace = pace;
    this.byteMs = 10_000 / setting.baud;
    this.draw = drawFrom(setting.seed);
    this.ranges = new ClipRanges({
      spare: [],
      counter: 1,
      fromByte: 0,
      toByte: setting.bytes,
      pace,
      rangesAhead: 2,
      onOver: () => undefined,
    });
  }

  run(): LineResult {
    const { ranges, setting } = this;
    while (!ranges.done) {
      this.ask();
      if (this.queue.length > 0) this.answer();
      else this.waitInVain();
      while (ranges.whole() !== undefined) ranges.taken();
    }
    const share = (setting.bytes * this.byteMs) / this.nowMs;
    return { share, pace: this.pace, sentBytes: this.sentBytes, quietCount: this.quietCount };
  }

  private ask(): void {
    for (;;) {
      const read = this.ranges.nextRead(++this.request);
      if (read === undefined) return;
      this.requestFreeAtMs =
        Math.max(this.requestFreeAtMs, this.nowMs) + READ_FRAME_BYTES * this.byteMs;
      if (this.isDamaged(READ_FRAME_BYTES)) continue;
      const arrivesAtMs = this.requestFreeAtMs + this.setting.latencyMs;
      this.queue.push({ ...read, request: this.request, arrivesAtMs, sentBytes: 0 });
    }
  }

  /** The next DATA frame of the first READ in the queue. */
  private answer(): void {
    const [read] = this.queue;
    if (read === undefined) return;
    const offset = read.sentBytes;
    const sizeBytes = Math.min(read.dataBytes, read.lengthBytes - offset);
    const frameBytes = sizeBytes + DATA_OVERHEAD_BYTES;
    this.freeAtMs = Math.max(this.freeAtMs, read.arrivesAtMs) + frameBytes * this.byteMs;
    this.sentBytes += frameBytes;
    read.sentBytes += sizeBytes;
    if (read.sentBytes === read.lengthBytes) this.queue.shift();
    this.goOn(this.freeAtMs + this.setting.latencyMs);
    if (!this.isDamaged(frameBytes)) this.ranges.accept(read.request, offset, sizeBytes, 1);
  }

  private waitInVain(): void {
    const waitMs = this.pace.quietMs + 2 * this.pace.durationMs(this.ranges.frameBytesMax);
    this.goOn(this.nowMs + waitMs + TICK_MS);
    this.quietCount++;
    this.ranges.loseAll();
  }

  private goOn(nowMs: number): void {
    this.nowMs = nowMs;
    if (nowMs - this.tickedAtMs < TICK_MS) return;
    this.tickedAtMs = nowMs;
    this.pace.noteTime(nowMs);
  }

  private isDamaged(sizeBytes: number): boolean {
    return this.draw() > (1 - this.setting.ber(this.sentBytes)) ** (8 * sizeBytes);
  }
}

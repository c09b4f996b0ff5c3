// INVARIANTS: `held` begins with bytes that may still become a frame, and holds less than one whole frame between calls.
// Every byte that comes in leaves exactly once: inside a frame or counted as discarded.
import { type Crc32, crc32, crc32Of } from './crc32.ts';
import {
  FRAME_CHECKSUM_SIZE,
  FRAME_HEADER_SIZE,
  FRAME_PAYLOAD_MAX,
  FRAME_SIZE_MAX,
  type Frame,
  MAGIC_0,
  MAGIC_1,
} from './frame.ts';

export interface FrameSink {
  /** The payload is a view that is valid only during the call: copy what must stay. */
  frame(frame: Frame): void;
  /** Bytes that were in no frame, as a count. */
  discarded(sizeBytes: number): void;
}

/** How far a look at some bytes came: at `offset` begins what needs `needBytes` in all to be decided (0: nothing is left). */
interface Scan {
  offset: number;
  needBytes: number;
}

/**
 * Bytes in, frames out (SPEC 2). Memory is one frame of the greatest size, whatever a header claims. Whole frames inside an input
 * are not copied.
 */
export class FrameDecoder {
  /** Payload bytes whose checksum was wrong: the work that bad input cost. */
  failedBytes = 0;
  private readonly sink: FrameSink;
  private readonly crc32: Crc32;
  private readonly held = new Uint8Array(FRAME_SIZE_MAX);
  private heldBytes = 0;
  private needBytes = 0;
  private discardedBytes = 0;

  constructor(sink: FrameSink, checksum: Crc32 = crc32) {
    this.sink = sink;
    this.crc32 = checksum;
  }

  /** True in the middle of a frame. */
  get waiting(): boolean {
    return this.heldBytes > 0;
  }

  push(input: Uint8Array): void {
    let offset = 0;
    while (this.heldBytes > 0 && offset < input.length) {
      const take = Math.min(this.needBytes - this.heldBytes, input.length - offset);
      this.held.set(input.subarray(offset, offset + take), this.heldBytes);
      this.heldBytes += take;
      offset += take;
      if (this.heldBytes === this.needBytes) this.rescan(0);
    }
    if (offset < input.length) this.keep(input, this.scan(input, offset));
    this.flushDiscarded();
  }

  /** SPEC 2: no byte came for FRAME_GAP_MS. What is held can no longer become a frame, but a frame may lie inside it. */
  gap(): void {
    while (this.heldBytes > 0) {
      this.discardedBytes++;
      this.rescan(1);
    }
    this.flushDiscarded();
  }

  private rescan(start: number): void {
    const scan = this.scan(this.held.subarray(0, this.heldBytes), start);
    this.held.copyWithin(0, scan.offset, this.heldBytes);
    this.heldBytes -= scan.offset;
    this.needBytes = scan.needBytes;
  }

  private keep(input: Uint8Array, scan: Scan): void {
    this.heldBytes = input.length - scan.offset;
    this.needBytes = scan.needBytes;
    if (this.heldBytes > 0) this.held.set(input.subarray(scan.offset), 0);
  }

  /** Takes frames out of the bytes from `start` until what is left is too short to decide. */
  private scan(bytes: Uint8Array, start: number): Scan {
    const end = bytes.length;
    let offset = start;
    for (;;) {
      const found = bytes.indexOf(MAGIC_0, offset);
      const next = found < 0 ? end : found;
      this.discardedBytes += next - offset;
      offset = next;
      if (offset === end) return { offset, needBytes: 0 };
      const needBytes = needOf(bytes, offset);
      if (needBytes > end - offset) return { offset, needBytes };
      if (needBytes > 0 && this.takeFrame(bytes, offset, needBytes)) {
        offset += needBytes;
      } else {
        this.discardedBytes++;
        offset++;
      }
    }
  }

  private takeFrame(bytes: Uint8Array, offset: number, sizeBytes: number): boolean {
    const payloadEnd = offset + sizeBytes - FRAME_CHECKSUM_SIZE;
    const payload = bytes.subarray(offset + FRAME_HEADER_SIZE, payloadEnd);
    const checksum = payload.length === 0 ? 0 : this.crc32(payload);
    if (checksum !== readU32(bytes, payloadEnd)) {
      this.failedBytes += payload.length;
      return false;
    }
    this.flushDiscarded();
    this.sink.frame({ type: bytes[offset + 2] ?? 0, request: readU32(bytes, offset + 4), payload });
    return true;
  }

  private flushDiscarded(): void {
    if (this.discardedBytes === 0) return;
    const sizeBytes = this.discardedBytes;
    this.discardedBytes = 0;
    this.sink.discarded(sizeBytes);
  }
}

/** Bytes needed to decide about the header at `offset`: its frame's size, more than there is, or 0 when it is no header. */
function needOf(bytes: Uint8Array, offset: number): number {
  const available = bytes.length - offset;
  if (available > 1 && bytes[offset + 1] !== MAGIC_1) return 0;
  if (available > 3 && bytes[offset + 3] !== 0) return 0;
  if (available < FRAME_HEADER_SIZE) return FRAME_HEADER_SIZE;
  const payloadBytes = readU32(bytes, offset + 8);
  if (payloadBytes > FRAME_PAYLOAD_MAX) return 0;
  if (crc32Of(bytes, offset, offset + 12) !== readU32(bytes, offset + 12)) return 0;
  return FRAME_HEADER_SIZE + payloadBytes + FRAME_CHECKSUM_SIZE;
}

function readU32(bytes: Uint8Array, offset: number): number {
  const high = (bytes[offset + 3] ?? 0) * 0x1000000;
  return (
    high +
    ((bytes[offset] ?? 0) | ((bytes[offset + 1] ?? 0) << 8) | ((bytes[offset + 2] ?? 0) << 16))
  );
}

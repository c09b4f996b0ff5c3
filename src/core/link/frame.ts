import { assert } from '../assert.ts';
import { crc32Of } from './crc32.ts';

// SPEC 1: limits.
export const FRAME_HEADER_SIZE = 16;
export const FRAME_CHECKSUM_SIZE = 4;
export const FRAME_PAYLOAD_MAX = 65_568;
export const FRAME_SIZE_MAX = FRAME_HEADER_SIZE + FRAME_PAYLOAD_MAX + FRAME_CHECKSUM_SIZE;
export const FRAME_GAP_MS = 200;
export const FRAME_OVERHEAD_BYTES = FRAME_HEADER_SIZE + FRAME_CHECKSUM_SIZE;
export const DATA_BYTES_MAX = 65_536;
export const DATA_BYTES_MIN = 64;
export const READ_LENGTH_MAX = 1_048_576;
export const READS_OUTSTANDING_MAX = 8;
export const RECORD_SIZE_MAX = 576;
export const RECEIPT_SIZE_MAX = 8_192;
export const RATE_CONFIRM_MS = 1_000;
export const RATE_BASE = 115_200;
/** SPEC 9: what a dock asks for, from the highest down. */
export const RATES = [
  3_000_000, 2_000_000, 1_500_000, 1_000_000, 921_600, 460_800, 230_400, 115_200,
] as const;
/** SPEC 6: bytes of a DATA frame that are not the clip's. */
export const DATA_OVERHEAD_BYTES = FRAME_HEADER_SIZE + 4 + FRAME_CHECKSUM_SIZE;

export const MAGIC_0 = 0xd0;
export const MAGIC_1 = 0xc4;

/** SPEC 3: the types. */
export const FRAME_TYPE = {
  HELLO: 0x01,
  PROVE: 0x02,
  STATUS: 0x03,
  LIST: 0x04,
  READ: 0x05,
  RECEIPT: 0x06,
  CLOCK: 0x07,
  BYE: 0x08,
  RATE: 0x09,
  HELLO_OK: 0x81,
  PROVED: 0x82,
  STATUS_OK: 0x83,
  RECORD: 0x84,
  RECORDS_END: 0x85,
  DATA: 0x86,
  RELEASED: 0x87,
  CLOCK_OK: 0x88,
  RATE_OK: 0x89,
  ERROR: 0x8f,
} as const;

export interface Frame {
  readonly type: number;
  /** 1 to 2^32 - 1. */
  readonly request: number;
  readonly payload: Uint8Array;
}

/** SPEC 2. */
export function encodeFrame(frame: Frame): Uint8Array {
  const { payload } = frame;
  assert(payload.length <= FRAME_PAYLOAD_MAX, 'payload within FRAME_PAYLOAD_MAX');
  const bytes = new Uint8Array(FRAME_HEADER_SIZE + payload.length + FRAME_CHECKSUM_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, MAGIC_0);
  view.setUint8(1, MAGIC_1);
  view.setUint8(2, frame.type);
  view.setUint32(4, frame.request, true);
  view.setUint32(8, payload.length, true);
  view.setUint32(12, crc32Of(bytes, 0, 12), true);
  bytes.set(payload, FRAME_HEADER_SIZE);
  const checksum = payload.length === 0 ? 0 : crc32Of(payload, 0, payload.length);
  view.setUint32(FRAME_HEADER_SIZE + payload.length, checksum, true);
  return bytes;
}

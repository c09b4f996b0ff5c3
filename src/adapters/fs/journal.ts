import { concatBytes } from '../../core/bytes.ts';
import { crc32 } from '../../core/link/crc32.ts';

/**
 * A journal is records one behind the other: u32 payload length (never 0), u32 CRC-32 of the length and the payload, payload; integers
 * big-endian. One append is one record, so that after a power cut all of it is there or none.
 */
export const RECORD_HEADER_BYTES = 8;
export const RECORD_PAYLOAD_BYTES_MAX = 16_777_216;

export interface JournalRecord {
  readonly offset: number;
  readonly payload: Uint8Array;
}

export interface JournalScan {
  readonly records: readonly JournalRecord[];
  /** Where the first byte that belongs to no whole record is; the size of the file when there is none. */
  readonly goodBytes: number;
  /** Whether a whole record lies behind the damage: then it is no torn tail, which is always last. */
  readonly brokenInside: boolean;
}

export function encodeRecord(payload: Uint8Array): Uint8Array {
  const header = new Uint8Array(RECORD_HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, payload.length);
  view.setUint32(4, crc32(concatBytes(header.subarray(0, 4), payload)));
  return concatBytes(header, payload);
}

export function scanJournal(bytes: Uint8Array): JournalScan {
  const records: JournalRecord[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const payload = recordAt(bytes, offset);
    if (payload === undefined) break;
    records.push({ offset, payload });
    offset += RECORD_HEADER_BYTES + payload.length;
  }
  return { records, goodBytes: offset, brokenInside: hasRecordAfter(bytes, offset) };
}

/** C2SP tlog-tiles: an entry bundle is entries, each behind its big-endian u16 length. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  return concatBytes(
    ...entries.flatMap((entry) => [Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry]),
  );
}

/** Undefined when the bytes are not whole entries. */
export function decodeBundle(bundle: Uint8Array): Uint8Array[] | undefined {
  const entries: Uint8Array[] = [];
  let offset = 0;
  while (offset < bundle.length) {
    const length = ((bundle[offset] ?? 0) << 8) | (bundle[offset + 1] ?? 0);
    const end = offset + 2 + length;
    if (end > bundle.length) return undefined;
    entries.push(bundle.slice(offset + 2, end));
    offset = end;
  }
  return entries;
}

function recordAt(bytes: Uint8Array, offset: number): Uint8Array | undefined {
  if (bytes.length - offset <= RECORD_HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, RECORD_HEADER_BYTES);
  const length = view.getUint32(0);
  const start = offset + RECORD_HEADER_BYTES;
  if (length === 0 || length > RECORD_PAYLOAD_BYTES_MAX) return undefined;
  if (length > bytes.length - start) return undefined;
  const payload = bytes.subarray(start, start + length);
  const checked = concatBytes(bytes.subarray(offset, offset + 4), payload);
  return crc32(checked) === view.getUint32(4) ? payload : undefined;
}

function hasRecordAfter(bytes: Uint8Array, damagedAt: number): boolean {
  for (let offset = damagedAt + 1; offset < bytes.length; offset++) {
    if (recordAt(bytes, offset) !== undefined) return true;
  }
  return false;
}

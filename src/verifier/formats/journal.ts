import { Malformed } from '../report.ts';
import { joinBytes } from './text.ts';

/** Records one behind the other: u32 length of the payload, u32 CRC-32 of the length and the payload, payload. Big-endian. */
const HEADER_SIZE = 8;
const PAYLOAD_SIZE_MAX = 16_777_216;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 as in zip and Ethernet; give the former result to go on. */
export function crc32Of(bytes: Uint8Array, former = 0): number {
  let crc = ~former;
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}

export type JournalStep =
  | { readonly kind: 'record'; readonly at: number; readonly payload: Uint8Array }
  /** Whole, but not what was written: its payload is given for what it is worth. */
  | { readonly kind: 'damaged'; readonly at: number; readonly payload: Uint8Array }
  /** Nothing readable follows. `torn`: the file ends inside the record. */
  | { readonly kind: 'end'; readonly at: number; readonly torn: boolean };

/** Reads a journal piece by piece; the last step is always `end`. */
export async function* readJournal(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<JournalStep> {
  let held: Uint8Array = new Uint8Array(0);
  let at = 0;
  let isReadable = true;
  for await (const piece of pieces) {
    if (!isReadable) continue;
    held = held.length === 0 ? piece : joinBytes(held, piece);
    let used = 0;
    while (isReadable && held.length - used >= HEADER_SIZE) {
      const record = recordAt(held, used);
      if (record === 'partial') break;
      if (record === 'impossible') {
        isReadable = false;
        break;
      }
      yield { kind: record.isWhole ? 'record' : 'damaged', at, payload: record.payload };
      used += HEADER_SIZE + record.payload.length;
      at += HEADER_SIZE + record.payload.length;
    }
    held = held.subarray(used);
  }
  yield { kind: 'end', at, torn: held.length > 0 };
}

function recordAt(bytes: Uint8Array, at: number) {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const size = view.getUint32(0);
  if (size === 0 || size > PAYLOAD_SIZE_MAX) return 'impossible' as const;
  const start = at + HEADER_SIZE;
  if (bytes.length < start + size) return 'partial' as const;
  const payload = bytes.slice(start, start + size);
  const crc = crc32Of(payload, crc32Of(bytes.subarray(at, at + 4)));
  return { payload, isWhole: crc === view.getUint32(4) };
}

/** C2SP tlog-tiles: entries, each behind its big-endian u16 length. */
export function parseBundle(bundle: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bundle.length; ) {
    const end = at + 2 + (((bundle[at] ?? 0) << 8) | (bundle[at + 1] ?? 0));
    if (end > bundle.length) throw new Malformed('it ends inside an entry');
    entries.push(bundle.slice(at + 2, end));
    at = end;
  }
  return entries;
}

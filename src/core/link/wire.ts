import { concatBytes, parseUtf8, utf8 } from '../bytes.ts';
import { DockError, type ErrorCode } from '../errors.ts';

/** The times that a calendar can show: hostile clocks stop here, not in whoever formats them. */
export const TIME_MS_MAX = 8_640_000_000_000_000;

/** Reads the fields of SPEC 1 from hostile bytes: every method throws `code` when the bytes are not what it reads. */
export class WireReader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly code: ErrorCode;
  private readonly what: string;
  private offset = 0;

  constructor(bytes: Uint8Array, code: ErrorCode, what: string) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.code = code;
    this.what = what;
  }

  u8(): number {
    return this.view.getUint8(this.skip(1));
  }

  u16(): number {
    return this.view.getUint16(this.skip(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.skip(4), true);
  }

  /** SPEC 1: counters, sizes and offsets end at 2^53 - 1. */
  u64(): number {
    const value = Number(this.view.getBigUint64(this.skip(8), true));
    if (!Number.isSafeInteger(value)) throw this.error('a number is above 2^53 - 1');
    return value;
  }

  i64(): number {
    const value = Number(this.view.getBigInt64(this.skip(8), true));
    if (!Number.isSafeInteger(value)) throw this.error('a number is beyond 2^53 - 1');
    return value;
  }

  timeMs(): number {
    const value = this.i64();
    if (Math.abs(value) > TIME_MS_MAX) throw this.error('a time is in no calendar');
    return value;
  }

  /** A view, not a copy. */
  take(sizeBytes: number): Uint8Array {
    const start = this.skip(sizeBytes);
    return this.bytes.subarray(start, start + sizeBytes);
  }

  rest(): Uint8Array {
    return this.take(this.bytes.length - this.offset);
  }

  string8(): string {
    const text = parseUtf8(this.take(this.u8()));
    if (text === undefined) throw this.error('a text is not UTF-8');
    return text;
  }

  /** The name at the place of an index, or an error: SPEC gives codes without gaps. */
  oneOf<T>(names: readonly T[]): T {
    const index = this.u8();
    const name = names[index];
    if (name === undefined) throw this.error(`the code ${index} is not in its table`);
    return name;
  }

  flags(known: number): number {
    const flags = this.u8();
    if ((flags & ~known) !== 0) throw this.error(`unknown flags ${flags}`);
    return flags;
  }

  end(): void {
    const left = this.bytes.length - this.offset;
    if (left > 0) throw this.error(`${left} bytes too long`);
  }

  error(reason: string): DockError {
    return new DockError(this.code, `${this.what}: ${reason}`);
  }

  private skip(sizeBytes: number): number {
    const start = this.offset;
    if (start + sizeBytes > this.bytes.length) throw this.error('too short');
    this.offset += sizeBytes;
    return start;
  }
}

export function encodeU8(value: number): Uint8Array {
  return Uint8Array.of(value);
}

export function encodeU16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >>> 8);
}

export function encodeU32(value: number): Uint8Array {
  return encodeU64(value).subarray(0, 4);
}

export function encodeU64(value: number): Uint8Array {
  return encodeI64(value);
}

export function encodeI64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
  return bytes;
}

export function encodeString8(text: string): Uint8Array {
  const bytes = utf8(text);
  return concatBytes(encodeU8(bytes.length), bytes);
}

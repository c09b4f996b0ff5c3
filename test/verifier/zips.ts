import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipPart {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly deflate?: boolean;
  /** Sizes and checksum behind the data, as a program that writes to a pipe puts them. */
  readonly streamed?: boolean;
  /** What differs from an honest zip file. */
  readonly lie?: {
    readonly localPath?: string;
    readonly size?: number;
    readonly crc?: number;
    readonly flags?: number;
    readonly method?: number;
    readonly mode?: number;
    readonly at?: number;
  };
}

interface Frame {
  readonly gap?: Uint8Array;
  readonly comment?: string;
  readonly count?: number;
}

/** A zip file by the book, or with one lie in it. */
export function zipOf(parts: readonly ZipPart[], frame: Frame = {}): Uint8Array {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const part of parts) {
    const { lie = {} } = part;
    const packed = part.deflate === true ? deflateRawSync(part.bytes) : Buffer.from(part.bytes);
    const method = lie.method ?? (part.deflate === true ? 8 : 0);
    const flags = lie.flags ?? (part.streamed === true ? 8 : 0);
    const size = lie.size ?? part.bytes.length;
    const packedSize = method === 0 && lie.size !== undefined ? size : packed.length;
    const crc = lie.crc ?? crc32(part.bytes);
    const sizes = u32(crc, packedSize, size);
    const empty = part.streamed === true ? u32(0, 0, 0) : sizes;
    const name = Buffer.from(part.path);
    const localName = Buffer.from(lie.localPath ?? part.path);
    const head = Buffer.concat([u32(0x04034b50), u16(20, flags, method, 0, 0x21), empty]);
    const piece = Buffer.concat([head, u16(localName.length, 0), localName, packed]);
    const behind = part.streamed === true ? Buffer.concat([u32(0x08074b50), sizes]) : Buffer.of();
    local.push(piece, behind);
    const mode = ((lie.mode ?? 0o100644) * 0x10000) >>> 0;
    const entry = [u32(0x02014b50), u16(0x0314, 20, flags, method, 0, 0x21), sizes];
    central.push(...entry, u16(name.length, 0, 0, 0, 0), u32(mode, lie.at ?? at), name);
    at += piece.length + behind.length;
  }
  const gap = frame.gap ?? Buffer.of();
  const directory = Buffer.concat(central);
  const count = frame.count ?? parts.length;
  const comment = Buffer.from(frame.comment ?? '');
  const end = [u32(0x06054b50), u16(0, 0, count, count)];
  end.push(u32(directory.length, at + gap.length), u16(comment.length), comment);
  return Uint8Array.from(Buffer.concat([...local, gap, directory, ...end]));
}

function u16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16LE(value, index * 2);
  return bytes;
}

function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, index * 4);
  return bytes;
}

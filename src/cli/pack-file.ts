import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { syncDirectory } from '../adapters/fs/durable-file.ts';
import { concatBytes, utf8 } from '../core/bytes.ts';
import { DockError } from '../core/errors.ts';

const LOCAL_SIZE = 30;
const CENTRAL_SIZE = 46;
const FULL_16 = 0xffff;
const FULL_32 = 0xffffffff;
/** 1 January 1980: the same content makes the same zip file. */
const DATE = 0x21;
const VERSION = 20;
const VERSION_LONG = 45;
/** Made on Unix, a plain file that everybody may read. */
const MADE_BY = 0x0300;
const MODE = 0o100644 * 0x10000;

export interface PackMember {
  readonly path: string;
  readonly crc: number;
  readonly sizeBytes: number;
  readonly at: number;
}

/**
 * Writes one zip file, stored and not packed. It appears under its name when `finish` returns, whole and durable; until then it is a temporary
 * file beside it. No member may be 4 GiB or larger; the whole may.
 */
export class PackFile {
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: FileHandle;
  readonly #members: PackMember[] = [];
  #sizeBytes = 0;

  private constructor(path: string, temporary: string, file: FileHandle) {
    this.#path = path;
    this.#temporary = temporary;
    this.#file = file;
  }

  /** ARGUMENT_INVALID when the folder cannot be written. */
  static async create(path: string): Promise<PackFile> {
    const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
    const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    try {
      const file = await open(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      return new PackFile(path, temporary, file);
    } catch (error) {
      throw new DockError('ARGUMENT_INVALID', `${dirname(path)} cannot be written`, {
        cause: error,
        action: 'Give --out a folder that you may write to.',
      });
    }
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** The pieces must make up `sizeBytes` bytes. */
  async add(path: string, sizeBytes: number, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    if (sizeBytes >= FULL_32) throw new DockError('ARGUMENT_INVALID', `${path} is 4 GiB or more`);
    const at = this.#sizeBytes;
    const start = at + LOCAL_SIZE + path.length;
    let size = 0;
    let crc = 0;
    for await (const piece of pieces) {
      await this.#write(piece, start + size);
      size += piece.length;
      crc = crc32(piece, crc);
    }
    if (size !== sizeBytes) {
      throw new DockError('VAULT_MISSING', `${path} has ${size} bytes instead of ${sizeBytes}`);
    }
    const member = { path, crc, sizeBytes, at };
    await this.#write(localHeader(member), at);
    this.#members.push(member);
    this.#sizeBytes = start + size;
  }

  async addBytes(path: string, bytes: Uint8Array): Promise<void> {
    async function* whole(): AsyncGenerator<Uint8Array> {
      yield bytes;
    }
    await this.add(path, bytes.length, whole());
  }

  /** The pack is durable under its name when it returns. */
  async finish(): Promise<void> {
    const at = this.#sizeBytes;
    const directory = concatBytes(...this.#members.map(centralHeader));
    const end = endOf(this.#members.length, directory.length, at);
    await this.#write(concatBytes(directory, end), at);
    this.#sizeBytes = at + directory.length + end.length;
    await this.#file.sync();
    await this.#file.close();
    await rename(this.#temporary, this.#path);
    await syncDirectory(dirname(this.#path));
  }

  /** Leaves nothing behind. */
  async abandon(): Promise<void> {
    await this.#file.close();
    await rm(this.#temporary, { force: true });
  }

  async #write(bytes: Uint8Array, at: number): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, at + done);
      done += bytesWritten;
    }
  }
}

/** APPNOTE 4.3.7. */
export function localHeader({ path, crc, sizeBytes }: PackMember): Uint8Array {
  const view = new DataView(new ArrayBuffer(LOCAL_SIZE));
  view.setUint32(0, 0x04034b50, true);
  view.setUint16(4, VERSION, true);
  view.setUint16(12, DATE, true);
  view.setUint32(14, crc, true);
  view.setUint32(18, sizeBytes, true);
  view.setUint32(22, sizeBytes, true);
  view.setUint16(26, path.length, true);
  return concatBytes(bytesOf(view), utf8(path));
}

/** APPNOTE 4.3.12; a place beyond 4 GiB stands in an extra field (4.5.3). */
export function centralHeader({ path, crc, sizeBytes, at }: PackMember): Uint8Array {
  const isFar = at >= FULL_32;
  const view = new DataView(new ArrayBuffer(CENTRAL_SIZE));
  view.setUint32(0, 0x02014b50, true);
  view.setUint16(4, MADE_BY | VERSION, true);
  view.setUint16(6, isFar ? VERSION_LONG : VERSION, true);
  view.setUint16(14, DATE, true);
  view.setUint32(16, crc, true);
  view.setUint32(20, sizeBytes, true);
  view.setUint32(24, sizeBytes, true);
  view.setUint16(28, path.length, true);
  view.setUint16(30, isFar ? 12 : 0, true);
  view.setUint32(38, MODE, true);
  view.setUint32(42, isFar ? FULL_32 : at, true);
  if (!isFar) return concatBytes(bytesOf(view), utf8(path));
  const extra = new DataView(new ArrayBuffer(12));
  extra.setUint16(0, 1, true);
  extra.setUint16(2, 8, true);
  extra.setBigUint64(4, BigInt(at), true);
  return concatBytes(bytesOf(view), utf8(path), bytesOf(extra));
}

/** APPNOTE 4.3.16, behind 4.3.14 and 4.3.15 where it cannot hold the numbers. */
export function endOf(count: number, sizeBytes: number, at: number): Uint8Array {
  const isLong = count >= FULL_16 || at >= FULL_32;
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, isLong ? FULL_16 : count, true);
  end.setUint16(10, isLong ? FULL_16 : count, true);
  end.setUint32(12, isLong ? FULL_32 : sizeBytes, true);
  end.setUint32(16, isLong ? FULL_32 : at, true);
  if (!isLong) return bytesOf(end);
  const long = new DataView(new ArrayBuffer(76));
  long.setUint32(0, 0x06064b50, true);
  long.setBigUint64(4, 44n, true);
  long.setUint16(12, MADE_BY | VERSION_LONG, true);
  long.setUint16(14, VERSION_LONG, true);
  for (const place of [24, 32]) long.setBigUint64(place, BigInt(count), true);
  long.setBigUint64(40, BigInt(sizeBytes), true);
  long.setBigUint64(48, BigInt(at), true);
  long.setUint32(56, 0x07064b50, true);
  long.setBigUint64(64, BigInt(at + sizeBytes), true);
  long.setUint32(72, 1, true);
  return concatBytes(bytesOf(long), bytesOf(end));
}

function bytesOf({ buffer }: DataView): Uint8Array {
  return new Uint8Array(buffer);
}

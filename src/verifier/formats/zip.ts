import { Malformed, type Source, type SourceEntry } from '../report.ts';
import { crc32Of } from './journal.ts';
import { joinBytes, readUtf8 } from './text.ts';

/** Bytes that can be read at any place: an open file, or a Blob in a browser. */
export interface Storage {
  readonly sizeBytes: number;
  read(at: number, size: number): Promise<Uint8Array>;
}

/** Undoes deflate without a header (RFC 1951), piece by piece. */
export type Inflate = (pieces: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

const PIECE_SIZE = 1_048_576;
const MEMBERS_MAX = 65_536;
const DIRECTORY_SIZE_MAX = 67_108_864;
const END_SIZE = 22;
const FULL_16 = 0xffff;
const FULL_32 = 0xffffffff;
const STORED = 0;
const DEFLATED = 8;
const LINK_MODE = 0o120000;

interface Member {
  readonly path: string;
  readonly method: number;
  readonly crc: number;
  readonly packedSize: number;
  readonly size: number;
  /** Of its local header. */
  readonly at: number;
}

/**
 * A zip file as a source. Strict: what two programs could read in two ways is refused whole: a name twice, a name that leaves the folder, a
 * local header that differs from the directory, members that overlap, bytes that belong to nothing.
 */
export async function openZip(storage: Storage, inflate: Inflate): Promise<Source> {
  const directory = await readDirectory(storage);
  const members = new Map<string, Member>();
  for (const member of parseDirectory(directory)) {
    if (members.has(member.path)) throw new Malformed(`${member.path} is there twice`);
    members.set(member.path, member);
  }
  const starts = await locate(storage, [...members.values()], directory.at);
  const open = (path: string) => {
    const member = members.get(path);
    if (member === undefined) throw new Malformed(`${path} is not there`);
    return unpack(storage, { member, start: starts.get(path) ?? 0 }, inflate);
  };
  return {
    list: async () =>
      [...members.values()].map(({ path, size }): SourceEntry => {
        const isFolder = path.endsWith('/');
        const name = isFolder ? path.slice(0, -1) : path;
        return { path: name, sizeBytes: size, kind: isFolder ? 'folder' : 'file' };
      }),
    async read(path, bytesMax) {
      const size = members.get(path)?.size ?? 0;
      if (size > bytesMax) throw new Malformed(`${path} is longer than it can be`);
      const parts: Uint8Array[] = [];
      for await (const piece of open(path)) parts.push(piece);
      return joinBytes(...parts);
    },
    pieces: (path) => open(path),
  };
}

interface Directory {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly count: number;
}

/** PKWARE APPNOTE 4.3.16: the end of the central directory stands last, and no comment follows it. */
async function readDirectory(storage: Storage): Promise<Directory> {
  const { sizeBytes } = storage;
  if (sizeBytes < END_SIZE) throw new Malformed('it is too short to be a zip file');
  const end = viewOf(await storage.read(sizeBytes - END_SIZE, END_SIZE));
  if (end.getUint32(0, true) !== 0x06054b50 || end.getUint16(20, true) !== 0) {
    throw new Malformed('it does not end as a zip file without a comment');
  }
  if (end.getUint16(4, true) !== 0 || end.getUint16(6, true) !== 0) {
    throw new Malformed('it is a piece of a split zip file');
  }
  let count = end.getUint16(10, true);
  let size = end.getUint32(12, true);
  let at = end.getUint32(16, true);
  let endAt = sizeBytes - END_SIZE;
  if (end.getUint16(8, true) !== count) throw new Malformed('its two counts differ');
  if (count === FULL_16 || size === FULL_32 || at === FULL_32) {
    ({ count, size, at, endAt } = await readLongEnd(storage, endAt));
  }
  if (at + size !== endAt) throw new Malformed('its directory does not stand before its end');
  if (count > MEMBERS_MAX || size > DIRECTORY_SIZE_MAX)
    throw new Malformed('it has too many parts');
  return { bytes: await storage.read(at, size), at, count };
}

/** APPNOTE 4.3.14 and 4.3.15, for files of 4 GiB and more. */
async function readLongEnd(storage: Storage, shortEndAt: number) {
  const at = shortEndAt - 76;
  if (at < 0) throw new Malformed('its long end is not there');
  const view = viewOf(await storage.read(at, 76));
  const isRight =
    view.getUint32(0, true) === 0x06064b50 &&
    view.getBigUint64(4, true) === 44n &&
    view.getUint32(56, true) === 0x07064b50 &&
    view.getBigUint64(64, true) === BigInt(at) &&
    view.getUint32(72, true) === 1 &&
    view.getBigUint64(24, true) === view.getBigUint64(32, true);
  if (!isRight) throw new Malformed('its long end is not as it must be');
  return {
    count: longAt(view, 32),
    size: longAt(view, 40),
    at: longAt(view, 48),
    endAt: at,
  };
}

function* parseDirectory({ bytes, count }: Directory): Generator<Member> {
  const view = viewOf(bytes);
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== 0x02014b50) {
      throw new Malformed('its directory is damaged');
    }
    const nameSize = view.getUint16(at + 28, true);
    const extraSize = view.getUint16(at + 30, true);
    const next = at + 46 + nameSize + extraSize + view.getUint16(at + 32, true);
    if (next > bytes.length) throw new Malformed('its directory is damaged');
    const path = checkedPath(bytes.subarray(at + 46, at + 46 + nameSize));
    const extra = bytes.subarray(at + 46 + nameSize, at + 46 + nameSize + extraSize);
    yield memberAt(view, { at, path, extra });
    at = next;
  }
  if (at !== bytes.length) throw new Malformed('its directory has bytes that belong to nothing');
}

function memberAt(
  view: DataView,
  { at, path, extra }: { at: number; path: string; extra: Uint8Array },
): Member {
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  // Bit 3: the sizes stand behind the data; bit 11: the name is UTF-8. Nothing else, encryption least of all.
  if ((flags & ~0x0808) !== 0) throw new Malformed(`${path} is encrypted or of a kind unknown`);
  if (method !== STORED && method !== DEFLATED) throw new Malformed(`${path} is packed otherwise`);
  if (((view.getUint32(at + 38, true) >>> 16) & 0o170000) === LINK_MODE) {
    throw new Malformed(`${path} is a symbolic link`);
  }
  const wide = longValues(extra, [
    view.getUint32(at + 24, true),
    view.getUint32(at + 20, true),
    view.getUint32(at + 42, true),
  ]);
  const [size = 0, packedSize = 0, start = 0] = wide;
  if (method === STORED && size !== packedSize) throw new Malformed(`${path} has two sizes`);
  if (path.endsWith('/') && size !== 0) throw new Malformed(`${path} is a folder with content`);
  return { path, method, crc: view.getUint32(at + 16, true), packedSize, size, at: start };
}

/** APPNOTE 4.5.3: a value of 4 GiB or more stands in the extra field, in the order of those that are full. */
function longValues(extra: Uint8Array, values: readonly number[]): number[] {
  const view = viewOf(extra);
  const wide: number[] = [];
  for (let at = 0; at + 4 <= extra.length; at += 4 + view.getUint16(at + 2, true)) {
    const end = at + 4 + view.getUint16(at + 2, true);
    if (end > extra.length) throw new Malformed('an extra field is cut');
    if (view.getUint16(at, true) !== 1) continue;
    for (let value = at + 4; value + 8 <= end; value += 8) wide.push(longAt(view, value));
  }
  return values.map((value) => {
    const long = value === FULL_32 ? wide.shift() : value;
    if (long === undefined) throw new Malformed('a long size is not there');
    return long;
  });
}

/** Names that mean the same everywhere. */
function checkedPath(bytes: Uint8Array): string {
  const path = readUtf8(bytes);
  const parts = path.replace(/\/$/, '').split('/');
  const isPlain = parts.every((part) => /^[A-Za-z0-9._-]+$/.test(part) && !/^\.{1,2}$/.test(part));
  if (!isPlain || path.length > 512) {
    throw new Malformed(`the name ${JSON.stringify(path.slice(0, 80))} is not a plain path`);
  }
  return path;
}

/** Where the data of each member begins. Members must fill the file from its first byte to the directory. */
async function locate(
  storage: Storage,
  members: readonly Member[],
  directoryAt: number,
): Promise<ReadonlyMap<string, number>> {
  const starts = new Map<string, number>();
  let at = 0;
  for (const member of [...members].sort((a, b) => a.at - b.at)) {
    if (member.at !== at) throw new Malformed(`${member.path} does not stand where it must`);
    if (at + 30 > directoryAt) throw new Malformed('a local header is cut');
    const view = viewOf(await storage.read(at, 30));
    const nameSize = view.getUint16(26, true);
    const start = at + 30 + nameSize + view.getUint16(28, true);
    const isCounted = (view.getUint16(6, true) & 8) === 0;
    const name = nameSize <= 512 ? readUtf8(await storage.read(at + 30, nameSize)) : '';
    const isSame =
      view.getUint32(0, true) === 0x04034b50 &&
      (view.getUint16(6, true) & ~0x0808) === 0 &&
      view.getUint16(8, true) === member.method &&
      name === member.path &&
      (!isCounted || view.getUint32(14, true) === member.crc);
    if (!isSame) throw new Malformed(`${member.path} has another local header`);
    starts.set(member.path, start);
    at = start + member.packedSize;
    if (!isCounted) at += await descriptorSize(storage, member, at);
    if (at > directoryAt) throw new Malformed(`${member.path} runs into the directory`);
  }
  if (at !== directoryAt) throw new Malformed('it has bytes that belong to nothing');
  return starts;
}

/** APPNOTE 4.3.9: with or without its mark, with sizes of four or eight bytes. */
async function descriptorSize(storage: Storage, member: Member, at: number): Promise<number> {
  const view = viewOf(await storage.read(at, Math.min(24, storage.sizeBytes - at)));
  const mark = view.getUint32(0, true) === 0x08074b50 ? 4 : 0;
  if (view.getUint32(mark, true) !== member.crc) {
    throw new Malformed(`${member.path} has two checksums`);
  }
  const isShort = view.getUint32(mark + 8, true) === member.size;
  return mark + (isShort ? 12 : 20);
}

/** Never gives more than the directory says, whatever the packed bytes would make. */
async function* unpack(
  storage: Storage,
  { member, start }: { readonly member: Member; readonly start: number },
  inflate: Inflate,
): AsyncGenerator<Uint8Array> {
  const packed = packedPieces(storage, start, member.packedSize);
  let size = 0;
  let crc = 0;
  for await (const piece of member.method === DEFLATED ? inflate(packed) : packed) {
    size += piece.length;
    if (size > member.size) break;
    crc = crc32Of(piece, crc);
    yield piece;
  }
  if (size !== member.size) throw new Malformed(`it has not the ${member.size} bytes that it says`);
  if (crc !== member.crc) throw new Malformed('it does not have the checksum that the zip says');
}

async function* packedPieces(
  storage: Storage,
  start: number,
  size: number,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < size; at += PIECE_SIZE) {
    yield await storage.read(start + at, Math.min(PIECE_SIZE, size - at));
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function longAt(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) throw new Malformed('a size is beyond all measure');
  return value;
}

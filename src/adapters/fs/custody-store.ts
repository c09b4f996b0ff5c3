/**
 * INVARIANTS: `entries` is the log. Its record is one append, and is fsynced before the next is written, so only the last record can be torn.
 * `checkpoints` is fsynced before `checkpoint`, which is its newest. `cosigned` is the newest cosigned checkpoint, and `cosignatures` has the first one
 * of each tree size. Tiles are made from `entries` and can be made again.
 */
import { open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assert } from '../../core/assert.ts';
import { parseUtf8, utf8 } from '../../core/bytes.ts';
import { readCheckpointNote } from '../../core/custody/checkpoint.ts';
import { DockError } from '../../core/errors.ts';
import type { CustodyContents, CustodyStore } from '../../ports/custody-store.ts';
import { type CustodyFiles, readCustodyFiles, sha256 } from './custody-files.ts';
import { TileWriter } from './custody-tiles.ts';
import type { DataLock } from './data-lock.ts';
import { lockDataDir } from './data-lock.ts';
import {
  AppendFile,
  createDirectory,
  readIfPresent,
  replaceFile,
  sweepTemporaries,
} from './durable-file.ts';
import { decodeBundle, encodeBundle, encodeRecord, scanJournal } from './journal.ts';

/** C2SP tlog-tiles: the length of an entry is a u16. */
const LEAF_BYTES_MAX = 65_535;
/** Where to begin to read is known for one entry in so many. */
const MARK_PERIOD = 256;

/** A record of `entries` that begins with entry `index`. */
interface Mark {
  readonly index: number;
  readonly offset: number;
}

/** The log as it is on the disk, for a program that only reads. Takes no lock and changes nothing. CUSTODY_CORRUPT. */
export async function readCustody(directory: string): Promise<CustodyContents> {
  return contentsOf(await readCustodyFiles(directory));
}

export class FsCustodyStore implements CustodyStore {
  readonly #directory: string;
  #tiles: TileWriter | undefined;
  #tilesFault: DockError | undefined;
  #lock: DataLock | undefined;
  #entries: AppendFile | undefined;
  #history: AppendFile | undefined;
  #cosignatures: AppendFile | undefined;
  #cosignedSize = 0;
  #marks: Mark[] = [];
  #leafCount = 0;

  /** `directory` is the data directory's `custody`. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Why tiles are no longer written; the next `open` makes the missing ones. The log itself is whole. */
  get tilesFault(): DockError | undefined {
    return this.#tilesFault;
  }

  /** DATA_DIR_IN_USE when another process has it open. */
  async open(): Promise<CustodyContents> {
    await writable(() => createDirectory(this.#directory));
    this.#lock = await lockDataDir(this.#directory);
    try {
      return await this.#recover();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async append(leaves: readonly Uint8Array[]): Promise<void> {
    if (leaves.length === 0) return;
    const entries = opened(this.#entries);
    assert(
      leaves.every((leaf) => leaf.length <= LEAF_BYTES_MAX),
      'an entry fits its length',
    );
    const offset = entries.sizeBytes;
    await writable(() => entries.append(encodeRecord(encodeBundle(leaves))));
    this.#mark(leaves.length, offset);
    await this.#addTiles(leaves);
  }

  async putCheckpoint(note: string): Promise<void> {
    const history = opened(this.#history);
    readCheckpointNote(note);
    await writable(async () => {
      await history.append(encodeRecord(utf8(note)));
      await replaceFile(join(this.#directory, 'checkpoint'), utf8(note));
    });
  }

  async putCosigned(note: string): Promise<void> {
    const cosignatures = opened(this.#cosignatures);
    const { treeSize } = readCheckpointNote(note);
    await writable(async () => {
      if (treeSize > this.#cosignedSize) await cosignatures.append(encodeRecord(utf8(note)));
      await replaceFile(join(this.#directory, 'cosigned'), utf8(note));
    });
    this.#cosignedSize = Math.max(this.#cosignedSize, treeSize);
  }

  async readLeaves(from: number, to: number): Promise<readonly Uint8Array[]> {
    assert(from <= to && to <= this.#leafCount, 'the entries are in the log');
    const first = this.#marks.findLast(({ index }) => index <= from);
    const end = this.#marks.find(({ index }) => index >= to)?.offset;
    if (first === undefined || from === to) return [];
    const bytes = await this.#readEntries(first.offset, end ?? opened(this.#entries).sizeBytes);
    const leaves = scanJournal(bytes).records.flatMap(({ payload }) => decodeBundle(payload) ?? []);
    return leaves.slice(from - first.index, to - first.index);
  }

  async readCosigned(): Promise<readonly string[]> {
    const bytes = await readIfPresent(join(this.#directory, 'cosignatures'));
    const { records } = scanJournal(bytes ?? new Uint8Array(0));
    return records.map(({ payload }) => parseUtf8(payload) ?? '');
  }

  async close(): Promise<void> {
    const files = [this.#entries, this.#history, this.#cosignatures];
    this.#cosignatures = undefined;
    this.#entries = undefined;
    this.#history = undefined;
    for (const file of files) await file?.close();
    await this.#lock?.release();
    this.#lock = undefined;
  }

  async #recover(): Promise<CustodyContents> {
    const files = await readCustodyFiles(this.#directory);
    await writable(async () => {
      await sweepTemporaries(this.#directory);
      this.#entries = await openAt(join(this.#directory, 'entries'), files.entries.goodBytes);
      this.#history = await openAt(join(this.#directory, 'checkpoints'), files.history.goodBytes);
      const cosignatures = join(this.#directory, 'cosignatures');
      this.#cosignatures = await openAt(cosignatures, files.cosignatures.goodBytes);
      if (files.checkpointBehind && files.checkpoint !== undefined) {
        await replaceFile(join(this.#directory, 'checkpoint'), utf8(files.checkpoint));
      }
    });
    this.#tiles = new TileWriter(this.#directory, sha256);
    this.#tilesFault = undefined;
    await this.#addTiles(files.leaves);
    this.#cosignedSize = sizeOf(files.cosigned);
    this.#markFrom(files);
    return contentsOf(files);
  }

  async #readEntries(start: number, end: number): Promise<Uint8Array> {
    const handle = await openFile(join(this.#directory, 'entries'));
    try {
      const bytes = new Uint8Array(end - start);
      let read = 0;
      while (read < bytes.length) {
        const result = await handle.read(bytes, read, bytes.length - read, start + read);
        if (result.bytesRead === 0) break;
        read += result.bytesRead;
      }
      return bytes.subarray(0, read);
    } finally {
      await handle.close();
    }
  }

  #markFrom({ entries }: CustodyFiles): void {
    this.#marks = [];
    this.#leafCount = 0;
    for (const { offset, payload } of entries.records) {
      this.#mark(decodeBundle(payload)?.length ?? 0, offset);
    }
  }

  #mark(leafCount: number, offset: number): void {
    const last = this.#marks.at(-1);
    if (last === undefined || this.#leafCount - last.index >= MARK_PERIOD) {
      this.#marks.push({ index: this.#leafCount, offset });
    }
    this.#leafCount += leafCount;
  }

  /** The entries are durable already: a full disk must not make it look as if they were not. */
  async #addTiles(leaves: readonly Uint8Array[]): Promise<void> {
    if (this.#tilesFault !== undefined) return;
    try {
      await this.#tiles?.add(leaves);
    } catch (error) {
      if (!(error instanceof DockError)) throw error;
      this.#tilesFault = error;
    }
  }
}

function contentsOf(files: CustodyFiles): CustodyContents {
  const tornBytes = files.entriesBytes - files.entries.goodBytes;
  const { leaves, checkpoint, cosigned } = files;
  return { leaves, checkpoint, tornBytes, ...(cosigned === undefined ? {} : { cosigned }) };
}

function sizeOf(note: string | undefined): number {
  return note === undefined ? 0 : readCheckpointNote(note).treeSize;
}

async function openAt(path: string, goodBytes: number): Promise<AppendFile> {
  const file = await AppendFile.open(path);
  if (file.sizeBytes > goodBytes) await file.truncate(goodBytes);
  return file;
}

function opened(file: AppendFile | undefined): AppendFile {
  assert(file !== undefined, 'the custody store is open');
  return file;
}

async function writable<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof DockError)) throw error;
    throw new DockError(
      'CUSTODY_UNWRITABLE',
      `the custody log cannot be written: ${error.message}`,
      {
        cause: error,
        action: 'Check the storage for space, mount options and faults, then start the dock again.',
      },
    );
  }
}

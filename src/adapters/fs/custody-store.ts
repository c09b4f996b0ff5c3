/**
 * INVARIANTS: `entries` is the log. Its record is one append, and is fsynced before the next is written, so only the last record can be torn.
 * `checkpoints` is fsynced before `checkpoint`, which is its newest. Tiles are made from `entries` and can be made again.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { assert } from '../../core/assert.ts';
import { equalBytes, parseUtf8, utf8 } from '../../core/bytes.ts';
import type { Checkpoint } from '../../core/custody/checkpoint.ts';
import { readCheckpointNote } from '../../core/custody/checkpoint.ts';
import { MerkleTree } from '../../core/custody/merkle.ts';
import { DockError } from '../../core/errors.ts';
import type { CustodyContents, CustodyStore } from '../../ports/custody-store.ts';
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
import type { JournalScan } from './journal.ts';
import { decodeBundle, encodeBundle, encodeRecord, scanJournal } from './journal.ts';

/** C2SP tlog-tiles: the length of an entry is a u16. */
const LEAF_BYTES_MAX = 65_535;
const EMPTY = new Uint8Array(0);

/** What the files say, before anything is mended. */
interface CustodyFiles {
  readonly leaves: readonly Uint8Array[];
  readonly checkpoint: string | undefined;
  readonly entries: JournalScan;
  readonly entriesBytes: number;
  readonly history: JournalScan;
  readonly historyBytes: number;
  /** Power was cut between `checkpoints` and `checkpoint`. */
  readonly checkpointBehind: boolean;
}

/** The log as it is on the disk, for a program that only reads. Takes no lock and changes nothing. CUSTODY_CORRUPT. */
export async function readCustody(directory: string): Promise<CustodyContents> {
  const files = await readFiles(directory);
  const tornBytes = files.entriesBytes - files.entries.goodBytes;
  return { leaves: files.leaves, checkpoint: files.checkpoint, tornBytes };
}

export class FsCustodyStore implements CustodyStore {
  readonly #directory: string;
  #tiles: TileWriter | undefined;
  #tilesFault: DockError | undefined;
  #lock: DataLock | undefined;
  #entries: AppendFile | undefined;
  #history: AppendFile | undefined;

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
    await writable(() => entries.append(encodeRecord(encodeBundle(leaves))));
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

  async close(): Promise<void> {
    const files = [this.#entries, this.#history];
    this.#entries = undefined;
    this.#history = undefined;
    for (const file of files) await file?.close();
    await this.#lock?.release();
    this.#lock = undefined;
  }

  async #recover(): Promise<CustodyContents> {
    const files = await readFiles(this.#directory);
    const tornBytes = files.entriesBytes - files.entries.goodBytes;
    await writable(async () => {
      await sweepTemporaries(this.#directory);
      this.#entries = await openAt(join(this.#directory, 'entries'), files.entries.goodBytes);
      this.#history = await openAt(join(this.#directory, 'checkpoints'), files.history.goodBytes);
      if (files.checkpointBehind && files.checkpoint !== undefined) {
        await replaceFile(join(this.#directory, 'checkpoint'), utf8(files.checkpoint));
      }
    });
    this.#tiles = new TileWriter(this.#directory, sha256);
    this.#tilesFault = undefined;
    await this.#addTiles(files.leaves);
    return { leaves: files.leaves, checkpoint: files.checkpoint, tornBytes };
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

async function openAt(path: string, goodBytes: number): Promise<AppendFile> {
  const file = await AppendFile.open(path);
  if (file.sizeBytes > goodBytes) await file.truncate(goodBytes);
  return file;
}

/** Newest first, so that a reader beside the writer never holds a checkpoint of entries that it has not read. */
async function readFiles(directory: string): Promise<CustodyFiles> {
  const current = await readIfPresent(join(directory, 'checkpoint'));
  const historyBytes = (await readIfPresent(join(directory, 'checkpoints'))) ?? EMPTY;
  const entriesBytes = (await readIfPresent(join(directory, 'entries'))) ?? EMPTY;
  const history = wholeJournal(join(directory, 'checkpoints'), historyBytes);
  const newest = newestCheckpoint(directory, history, current);
  const entries = wholeJournal(join(directory, 'entries'), entriesBytes);
  const leaves = leavesOf(join(directory, 'entries'), entries);
  if (newest !== undefined) {
    matchCheckpoint(join(directory, 'entries'), { leaves, entries }, newest.checkpoint);
  }
  return {
    leaves,
    checkpoint: newest?.note,
    entries,
    entriesBytes: entriesBytes.length,
    history,
    historyBytes: historyBytes.length,
    checkpointBehind: newest?.isBehind ?? false,
  };
}

function wholeJournal(path: string, bytes: Uint8Array): JournalScan {
  const scan = scanJournal(bytes);
  if (scan.brokenInside) {
    const where = `record ${scan.records.length} at byte ${scan.goodBytes}`;
    throw corrupt(`${path}: ${where} is damaged, and whole records follow it`);
  }
  return scan;
}

function leavesOf(path: string, entries: JournalScan): Uint8Array[] {
  return entries.records.flatMap(({ offset, payload }, index) => {
    const leaves = decodeBundle(payload);
    if (leaves === undefined)
      throw corrupt(`${path}: record ${index} at byte ${offset} is damaged`);
    return leaves;
  });
}

interface NewestCheckpoint {
  readonly note: string;
  readonly checkpoint: Checkpoint;
  readonly isBehind: boolean;
}

function newestCheckpoint(
  directory: string,
  history: JournalScan,
  current: Uint8Array | undefined,
): NewestCheckpoint | undefined {
  const last = history.records.at(-1);
  if (last === undefined && current === undefined) return undefined;
  if (last === undefined) {
    throw corrupt(`${join(directory, 'checkpoints')}: it lacks the checkpoint that is published`);
  }
  const newest = parsedCheckpoint(join(directory, 'checkpoints'), last.payload);
  if (current === undefined) return { ...newest, isBehind: true };
  const published = parsedCheckpoint(join(directory, 'checkpoint'), current);
  if (published.checkpoint.treeSize > newest.checkpoint.treeSize) {
    throw corrupt(`${join(directory, 'checkpoints')}: it lacks the checkpoint that is published`);
  }
  const isBehind = published.note !== newest.note;
  if (isBehind && !history.records.some(({ payload }) => equalBytes(payload, current))) {
    throw corrupt(`${join(directory, 'checkpoint')}: it is none of those that were signed`);
  }
  return { ...newest, isBehind };
}

function parsedCheckpoint(
  path: string,
  bytes: Uint8Array,
): { note: string; checkpoint: Checkpoint } {
  try {
    const checkpoint = readCheckpointNote(bytes);
    return { note: parseUtf8(bytes) ?? '', checkpoint };
  } catch (error) {
    throw corrupt(`${path}: it does not hold a checkpoint`, error);
  }
}

function matchCheckpoint(
  path: string,
  { leaves, entries }: { leaves: readonly Uint8Array[]; entries: JournalScan },
  { treeSize, root }: Checkpoint,
): void {
  if (leaves.length < treeSize) {
    const where = `entry ${leaves.length} at byte ${entries.goodBytes}`;
    throw corrupt(`${path}: ${where} is damaged or missing, and ${treeSize} are published`);
  }
  const tree = new MerkleTree(sha256);
  for (const leaf of leaves.slice(0, treeSize)) tree.append(leaf);
  if (!equalBytes(tree.root(), root)) {
    throw corrupt(`${path}: entries 0 to ${treeSize} do not have the root that is published`);
  }
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

function corrupt(message: string, cause?: unknown): DockError {
  return new DockError('CUSTODY_CORRUPT', message, {
    cause,
    action: 'Keep the data directory as it is, and compare it with the copy at the centre.',
  });
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

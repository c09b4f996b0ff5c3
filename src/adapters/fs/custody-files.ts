import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { equalBytes, parseUtf8 } from '../../core/bytes.ts';
import type { Checkpoint } from '../../core/custody/checkpoint.ts';
import { readCheckpointNote } from '../../core/custody/checkpoint.ts';
import { MerkleTree } from '../../core/custody/merkle.ts';
import { DockError } from '../../core/errors.ts';
import { readIfPresent } from './durable-file.ts';
import type { JournalScan } from './journal.ts';
import { decodeBundle, scanJournal } from './journal.ts';

const EMPTY = new Uint8Array(0);

/** What the files say, before anything is mended. */
export interface CustodyFiles {
  readonly leaves: readonly Uint8Array[];
  readonly checkpoint: string | undefined;
  readonly entries: JournalScan;
  readonly entriesBytes: number;
  readonly history: JournalScan;
  readonly historyBytes: number;
  /** The newest checkpoint that a witness cosigned; undefined for none. */
  readonly cosigned: string | undefined;
  readonly cosignatures: JournalScan;
  readonly cosignaturesBytes: number;
  /** Power was cut between `checkpoints` and `checkpoint`. */
  readonly checkpointBehind: boolean;
}

/** Newest first, so that a reader beside the writer never holds a checkpoint of entries that it has not read. */
export async function readCustodyFiles(directory: string): Promise<CustodyFiles> {
  const current = await readIfPresent(join(directory, 'checkpoint'));
  const historyBytes = (await readIfPresent(join(directory, 'checkpoints'))) ?? EMPTY;
  const entriesBytes = (await readIfPresent(join(directory, 'entries'))) ?? EMPTY;
  const history = wholeJournal(join(directory, 'checkpoints'), historyBytes);
  const newest = newestCheckpoint(directory, history, current);
  const cosignaturesBytes = (await readIfPresent(join(directory, 'cosignatures'))) ?? EMPTY;
  const entries = wholeJournal(join(directory, 'entries'), entriesBytes);
  const leaves = leavesOf(join(directory, 'entries'), entries);
  if (newest !== undefined) {
    matchCheckpoint(join(directory, 'entries'), { leaves, entries }, newest.checkpoint);
  }
  return {
    ...{ cosigned: await readCosigned(directory), cosignaturesBytes: cosignaturesBytes.length },
    cosignatures: wholeJournal(join(directory, 'cosignatures'), cosignaturesBytes),
    leaves,
    checkpoint: newest?.note,
    entries,
    entriesBytes: entriesBytes.length,
    history,
    historyBytes: historyBytes.length,
    checkpointBehind: newest?.isBehind ?? false,
  };
}

async function readCosigned(directory: string): Promise<string | undefined> {
  const path = join(directory, 'cosigned');
  const bytes = await readIfPresent(path);
  return bytes === undefined ? undefined : parsedCheckpoint(path, bytes).note;
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

function corrupt(message: string, cause?: unknown): DockError {
  return new DockError('CUSTODY_CORRUPT', message, {
    cause,
    action: 'Keep the data directory as it is, and compare it with the copy at the centre.',
  });
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

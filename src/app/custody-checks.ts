import { formatHex } from '../core/bytes.ts';
import { type Checkpoint, readCheckpointNote } from '../core/custody/checkpoint.ts';
import { parseEntry } from '../core/custody/entry.ts';
import type { MerkleTree } from '../core/custody/merkle.ts';
import { type DockState, foldEntries } from '../core/dock/state.ts';
import { DockError } from '../core/errors.ts';

export function foldLeaves(leaves: readonly Uint8Array[], from: DockState): DockState {
  try {
    return foldEntries(leaves.map(parseEntry), from);
  } catch (error) {
    throw new DockError('CUSTODY_CORRUPT', 'the custody log has an entry that does not parse', {
      cause: error,
      action: 'Keep the disk as it is and verify a copy of it.',
    });
  }
}

export function sizeOf(note: string): number {
  return note === '' ? 0 : readCheckpointNote(note).treeSize;
}

/** What a witness cosigned is in this log, or else the log was put back to an earlier state. */
export function contradiction(cosigned: Checkpoint, tree: MerkleTree): DockError | undefined {
  const { treeSize, root } = cosigned;
  const isThere = treeSize <= tree.size;
  if (isThere && formatHex(tree.root(treeSize)) === formatHex(root)) return undefined;
  const why = isThere ? 'other entries than were cosigned' : `${treeSize} were cosigned`;
  return new DockError('CUSTODY_ROLLBACK', `the custody log has ${tree.size} entries: ${why}`, {
    action: 'Keep this disk as it is, put the newest one back, and call the evidence team.',
  });
}

export function corrupt(why: string): DockError {
  return new DockError('CUSTODY_CORRUPT', `the custody log is damaged: ${why}`, {
    action: 'Keep the disk as it is and verify a copy of it.',
  });
}

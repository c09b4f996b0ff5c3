import { formatHex } from '../core/bytes.ts';
import { verifyCheckpoint } from '../core/custody/checkpoint.ts';
import { type EntryOf, parseEntry } from '../core/custody/entry.ts';
import { MerkleTree } from '../core/custody/merkle.ts';
import type { NoteCrypto, VerifierKey } from '../core/custody/note.ts';
import { type DockState, foldEntries } from '../core/dock/state.ts';
import { DockError } from '../core/errors.ts';
import type { CustodyContents } from '../ports/custody-store.ts';

/** One thing that is wrong, and where. */
export interface OpenFinding {
  /** What a person looks for: `custody/checkpoint`, `0003.age`, `manifest.note`. */
  readonly name: string;
  readonly problem: string;
}

/** A log that was read and checked by someone who does not write it. */
export interface CheckedCustody {
  readonly state: DockState;
  readonly tree: MerkleTree;
  readonly checkpointSize: number;
  readonly opened: EntryOf<'log-opened'>;
  readonly findings: readonly OpenFinding[];
}

/** CUSTODY_CORRUPT when the log cannot be read at all; everything else is a finding. */
export function checkCustody(
  contents: CustodyContents,
  logKey: VerifierKey,
  crypto: NoteCrypto,
): CheckedCustody {
  const tree = new MerkleTree(crypto.sha256);
  for (const leaf of contents.leaves) tree.append(leaf);
  const entries = parseLog(contents.leaves);
  const first = entries[0]?.entry;
  if (first?.kind !== 'log-opened') {
    throw new DockError('CUSTODY_CORRUPT', 'the custody log does not begin with log-opened');
  }
  const checkpoint = checkCheckpoint({ contents, logKey, tree }, crypto);
  return {
    ...checkpoint,
    state: foldEntries(entries),
    tree,
    opened: first,
  };
}

function parseLog(leaves: readonly Uint8Array[]): ReturnType<typeof parseEntry>[] {
  return leaves.map((leaf, index) => {
    try {
      const parsed = parseEntry(leaf);
      if (parsed.index === index) return parsed;
    } catch (error) {
      throw new DockError('CUSTODY_CORRUPT', `entry ${index} of the custody log does not parse`, {
        cause: error,
      });
    }
    throw new DockError('CUSTODY_CORRUPT', `entry ${index} of the custody log is out of order`);
  });
}

function checkCheckpoint(
  { contents, logKey, tree }: { contents: CustodyContents; logKey: VerifierKey; tree: MerkleTree },
  crypto: NoteCrypto,
): { readonly checkpointSize: number; readonly findings: readonly OpenFinding[] } {
  const name = 'custody/checkpoint';
  if (contents.checkpoint === undefined) {
    return { checkpointSize: 0, findings: [{ name, problem: 'there is none' }] };
  }
  const { checkpoint, findings } = verifyCheckpoint(contents.checkpoint, [logKey], crypto);
  if (checkpoint === undefined) {
    return { checkpointSize: 0, findings: findings.map((f) => ({ name, problem: f.detail })) };
  }
  const { treeSize, root } = checkpoint;
  if (treeSize > tree.size) {
    const problem = `${treeSize} entries were signed, and ${tree.size} are there`;
    return { checkpointSize: 0, findings: [{ name: 'custody/entries', problem }] };
  }
  if (formatHex(tree.root(treeSize)) !== formatHex(root)) {
    const problem = `the first ${treeSize} entries are not those that were signed`;
    return { checkpointSize: 0, findings: [{ name: 'custody/entries', problem }] };
  }
  return { checkpointSize: treeSize, findings: [] };
}

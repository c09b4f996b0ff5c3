import { equalBytes } from '../bytes.ts';
import { type Checkpoint, readCheckpointNote, verifyCheckpoint } from '../custody/checkpoint.ts';
import { emptyRoot } from '../custody/merkle.ts';
import type { NoteCrypto, VerifierKey } from '../custody/note.ts';
import { verifyConsistency } from '../custody/verify-merkle.ts';
import { isDockError } from '../errors.ts';

/** C2SP tlog-witness, `add-checkpoint`. */
export interface AddCheckpoint {
  /** Of the tree that the client believes the witness cosigned last. */
  readonly oldSize: number;
  /** From that tree to the checkpoint's. */
  readonly proof: readonly Uint8Array[];
  /** The checkpoint, signed by its log. */
  readonly note: string;
}

/** What the witness knows of one log. */
export interface WitnessedLog {
  readonly key: VerifierKey;
  /** The tree that was cosigned last; 0 for none. */
  readonly treeSize: number;
  /** Of any tree whose entries the witness has; undefined for a larger one. */
  rootAt(treeSize: number): Uint8Array | undefined;
}

/**
 * The log contradicts itself: two checkpoints of its own key that no one tree has. FORK: it went on beside the history that was cosigned. ROLLBACK: it is
 * shorter than that, as a disk put back from an old copy is.
 */
export type WitnessFindingCode = 'CUSTODY_FORK' | 'CUSTODY_ROLLBACK';

export interface WitnessFinding {
  readonly code: WitnessFindingCode;
  readonly treeSize: number;
  /** Whether the two checkpoints alone prove it; else a proof is missing that an honest log could give. */
  readonly isProven: boolean;
}

/** The status codes of C2SP tlog-witness. */
export type AddDecision =
  | { readonly status: 200; readonly checkpoint: Checkpoint }
  | {
      readonly status: 400 | 403 | 404 | 409 | 422;
      readonly why: string;
      readonly finding?: WitnessFinding;
    };

const PROOF_HASHES_MAX = 63;

/** Pure: what to answer. The caller persists a 200 before it says so, and cosigns nothing else. */
export function decideAddCheckpoint(
  request: AddCheckpoint,
  logOf: (origin: string) => WitnessedLog | undefined,
  crypto: NoteCrypto,
): AddDecision {
  let origin: string;
  try {
    ({ origin } = readCheckpointNote(request.note));
  } catch (error) {
    if (!isDockError(error)) throw error;
    return { status: 400, why: error.message };
  }
  const log = logOf(origin);
  if (log === undefined) return { status: 404, why: 'the log is not enrolled here' };
  const { checkpoint, findings } = verifyCheckpoint(request.note, [log.key], crypto);
  if (checkpoint === undefined) {
    return { status: 403, why: findings.map(({ detail }) => detail).join('; ') };
  }
  const decision = decideTree(request, { checkpoint, log }, crypto);
  if (decision.status === 200) return decision;
  const finding = contradiction(checkpoint, log) ?? suspicion(decision.status, checkpoint);
  return finding === undefined ? decision : { ...decision, finding };
}

function decideTree(
  { oldSize, proof }: AddCheckpoint,
  { checkpoint, log }: { checkpoint: Checkpoint; log: WitnessedLog },
  { sha256 }: NoteCrypto,
): AddDecision {
  const { treeSize, root } = checkpoint;
  if (oldSize > treeSize) return { status: 400, why: `${oldSize} is larger than ${treeSize}` };
  if (proof.length > PROOF_HASHES_MAX) return { status: 400, why: 'the proof is too long' };
  if (oldSize !== log.treeSize) {
    return { status: 409, why: `${log.treeSize} entries were cosigned, not ${oldSize}` };
  }
  const oldRoot = oldSize === 0 ? emptyRoot(sha256) : log.rootAt(oldSize);
  if (oldRoot === undefined) return { status: 409, why: 'the witness lacks its own tree' };
  const verdict = verifyConsistency({ oldSize, oldRoot, treeSize, root, proof }, sha256);
  if (verdict.ok) return { status: 200, checkpoint };
  return { status: 422, why: verdict.findings.map(({ detail }) => detail).join('; ') };
}

/** The witness has the entries, so it knows the root of every tree up to its own. */
function contradiction(
  { treeSize, root }: Checkpoint,
  log: WitnessedLog,
): WitnessFinding | undefined {
  const mirrored = log.rootAt(treeSize);
  if (treeSize > log.treeSize || mirrored === undefined) return undefined;
  if (equalBytes(mirrored, root)) return undefined;
  const code = treeSize < log.treeSize ? 'CUSTODY_ROLLBACK' : 'CUSTODY_FORK';
  return { code, treeSize, isProven: true };
}

/** The log's own signature is on a larger tree, and what came with it does not join it to the one that was cosigned. */
function suspicion(status: number, { treeSize }: Checkpoint): WitnessFinding | undefined {
  return status === 422 ? { code: 'CUSTODY_FORK', treeSize, isProven: false } : undefined;
}

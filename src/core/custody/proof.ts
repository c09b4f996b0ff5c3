import { formatBase64, parseBase64 } from '../bytes.ts';
import { DockError } from '../errors.ts';
import type { Checkpoint } from './checkpoint.ts';
import { readCheckpointNote, verifyCheckpoint } from './checkpoint.ts';
import { parseDecimal } from './fields.ts';
import { type Finding, finding } from './finding.ts';
import { HASH_BYTES, leafHash } from './merkle.ts';
import type { NoteCrypto, VerifierKey } from './note.ts';
import { verifyInclusion } from './verify-merkle.ts';

const HEADER = 'c2sp.org/tlog-proof@v1';
/** A tree of 2^63 leaves needs no more. */
const HASHES_MAX = 63;

/** C2SP tlog-proof: that an entry is in the log, checkable offline. We write no `extra` line and refuse one. */
export interface LogProof {
  readonly index: number;
  /** From the leaf's sibling up. */
  readonly hashes: readonly Uint8Array[];
  /** The signed checkpoint as the log issued it, cosignatures included. */
  readonly checkpoint: string;
}

export interface LogProofVerdict {
  readonly ok: boolean;
  /** Undefined unless `ok`. */
  readonly checkpoint: Checkpoint | undefined;
  readonly signedBy: readonly string[];
  readonly findings: readonly Finding[];
}

export function formatLogProof(proof: LogProof): string {
  const hashes = proof.hashes.map((hash) => `${formatBase64(hash, true)}\n`);
  return `${HEADER}\nindex ${proof.index}\n${hashes.join('')}\n${proof.checkpoint}`;
}

/** PROOF_INVALID. The checkpoint's grammar is checked, its signature is not. */
export function parseLogProof(text: string): LogProof {
  const end = text.indexOf('\n\n');
  const [header, indexLine = '', ...encoded] = text.slice(0, Math.max(end, 0)).split('\n');
  const index = indexLine.startsWith('index ') ? parseDecimal(indexLine.slice(6)) : undefined;
  if (header !== HEADER) throw invalid('it does not begin as a proof');
  if (index === undefined) throw invalid('it has no index');
  if (encoded.length > HASHES_MAX) throw invalid('it has too many hashes');
  const hashes = encoded.map((line) => {
    const hash = parseBase64(line, true);
    if (hash?.length !== HASH_BYTES) throw invalid('a hash is not base64 of 32 bytes');
    return hash;
  });
  const checkpoint = text.slice(end + 2);
  try {
    readCheckpointNote(checkpoint);
  } catch (error) {
    throw invalid('its checkpoint does not parse', error);
  }
  return { index, hashes, checkpoint };
}

/** Holds when the checkpoint is signed by its log and the leaf is in its tree at the proof's index. */
export function verifyLogProof(
  text: string,
  leaf: Uint8Array,
  { keys, crypto }: { readonly keys: readonly VerifierKey[]; readonly crypto: NoteCrypto },
): LogProofVerdict {
  let proof: LogProof;
  try {
    proof = parseLogProof(text);
  } catch (error) {
    if (!(error instanceof DockError)) throw error;
    const findings = [finding('PROOF_MALFORMED', error.message)];
    return { ok: false, checkpoint: undefined, signedBy: [], findings };
  }
  const verdict = verifyCheckpoint(proof.checkpoint, keys, crypto);
  if (verdict.checkpoint === undefined) return verdict;
  const { root, treeSize } = verdict.checkpoint;
  const inclusion = verifyInclusion(
    {
      leafHash: leafHash(leaf, crypto.sha256),
      index: proof.index,
      treeSize,
      root,
      proof: proof.hashes,
    },
    crypto.sha256,
  );
  if (inclusion.ok) return verdict;
  return {
    ok: false,
    checkpoint: undefined,
    signedBy: verdict.signedBy,
    findings: inclusion.findings,
  };
}

function invalid(reason: string, cause?: unknown): DockError {
  return new DockError('PROOF_INVALID', `the proof is refused: ${reason}`, { cause });
}

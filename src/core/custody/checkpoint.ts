import { formatBase64, parseBase64 } from '../bytes.ts';
import { DockError } from '../errors.ts';
import { parseDecimal } from './fields.ts';
import { type Finding, finding } from './finding.ts';
import { HASH_BYTES } from './merkle.ts';
import type { NoteCrypto, NoteSigner, VerifierKey } from './note.ts';
import { isKeyName, parseNote, signNote, verifyNote } from './note.ts';
import type { Sha256 } from './primitives.ts';

/** C2SP tlog-checkpoint. We narrow it: no extension lines, and the origin is a key name. */
export interface Checkpoint {
  /** `<site>/<dock>/log`: the name of the key that signs it. */
  readonly origin: string;
  readonly treeSize: number;
  readonly root: Uint8Array;
}

export interface CheckpointVerdict {
  readonly ok: boolean;
  /** Undefined unless `ok`. */
  readonly checkpoint: Checkpoint | undefined;
  readonly signedBy: readonly string[];
  readonly findings: readonly Finding[];
}

export function formatCheckpoint(checkpoint: Checkpoint): string {
  return `${checkpoint.origin}\n${checkpoint.treeSize}\n${formatBase64(checkpoint.root, true)}\n`;
}

/** NOTE_INVALID. Takes the text of a checkpoint, without its signatures. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', encodedRoot = '', end, ...extensions] = text.split('\n');
  const treeSize = parseDecimal(size);
  const root = parseBase64(encodedRoot, true);
  if (end !== '' || extensions.length > 0) throw invalid('it does not have three lines');
  if (!isKeyName(origin)) throw invalid('its origin is not a key name');
  if (treeSize === undefined) throw invalid('its tree size is not a canonical decimal');
  if (root?.length !== HASH_BYTES) throw invalid('its root is not base64 of 32 bytes');
  return { origin, treeSize, root };
}

/** The checkpoint inside a signed note whose signatures are not checked here. NOTE_INVALID. */
export function readCheckpointNote(note: string | Uint8Array): Checkpoint {
  return parseCheckpoint(parseNote(note).text);
}

/** C2SP tlog-checkpoint: never sign one that is inconsistent with one signed earlier; the caller knows those. */
export function signCheckpoint(
  tree: Omit<Checkpoint, 'origin'>,
  signer: NoteSigner,
  sha256: Sha256,
): string {
  const checkpoint = { ...tree, origin: signer.name };
  return signNote(formatCheckpoint(checkpoint), signer, sha256);
}

/** Holds when a known key that is named as the origin has signed it, and no known key's signature is wrong. */
export function verifyCheckpoint(
  note: string | Uint8Array,
  keys: readonly VerifierKey[],
  crypto: NoteCrypto,
): CheckpointVerdict {
  const { ok, text, signedBy, findings } = verifyNote(note, keys, crypto);
  if (!ok || text === undefined) return { ok: false, checkpoint: undefined, signedBy, findings };
  const refuse = (found: Finding): CheckpointVerdict => {
    return { ok: false, checkpoint: undefined, signedBy, findings: [found] };
  };
  try {
    const checkpoint = parseCheckpoint(text);
    if (signedBy.includes(checkpoint.origin)) return { ok, checkpoint, signedBy, findings };
    return refuse(finding('SIGNER_WRONG', `no key named ${checkpoint.origin} has signed it`));
  } catch (error) {
    if (!(error instanceof DockError)) throw error;
    return refuse(finding('CHECKPOINT_MALFORMED', error.message));
  }
}

function invalid(reason: string): DockError {
  return new DockError('NOTE_INVALID', `the checkpoint is refused: ${reason}`);
}

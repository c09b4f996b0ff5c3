import { formatHex } from '../core/bytes.ts';
import { ed25519Key, verifyNote } from '../core/custody/note.ts';
import { DockError, type ErrorCode, isDockError } from '../core/errors.ts';
import type { ClipId } from '../core/evidence/clip.ts';
import { commitmentOf, type Manifest, parseManifest } from '../core/evidence/manifest.ts';
import type { Evidence } from './evidence.ts';

export interface SignedManifest {
  readonly manifest: Manifest;
  readonly note: string;
}

const DAMAGE: ReadonlySet<ErrorCode> = new Set([
  'MANIFEST_INVALID',
  'NOTE_INVALID',
  'SIGNATURE_INVALID',
  'SEGMENT_DIGEST_MISMATCH',
  'VAULT_MISSING',
]);

/** What is wrong with the clip itself; anything else is wrong with the dock. */
export function isDamage(error: unknown): error is DockError {
  return isDockError(error) && DAMAGE.has(error.code);
}

/** A manifest as this dock signed it. */
export async function readVerifiedManifest(
  { vault, keys, crypto }: Pick<Evidence, 'vault' | 'keys' | 'crypto'>,
  clip: ClipId,
): Promise<SignedManifest> {
  const note = await vault.readManifest(clip);
  const key = ed25519Key(keys.manifest.name, keys.manifest.publicKey);
  const verdict = verifyNote(note, [key], crypto);
  if (!verdict.ok || verdict.text === undefined) {
    const why = verdict.findings.map((found) => found.detail).join('; ');
    throw new DockError(
      'SIGNATURE_INVALID',
      `the manifest of clip ${clip} does not verify: ${why}`,
    );
  }
  const manifest = parseManifest(verdict.text);
  if (manifest.clip !== clip) {
    throw new DockError('MANIFEST_INVALID', `clip ${clip} has the manifest of another clip`);
  }
  return { manifest, note };
}

/** The manifest is the one that the log's entry was made of. */
export function verifyCommitment(
  { crypto }: Pick<Evidence, 'crypto'>,
  { manifest, note }: SignedManifest,
  commitment: string,
): void {
  if (commitmentOf(note, manifest.salt, crypto.sha256) === commitment) return;
  throw new DockError(
    'MANIFEST_INVALID',
    `the log vouches for another manifest of ${manifest.clip}`,
  );
}

/** Reads every file of the clip and compares it with the manifest. */
export async function verifyFiles(evidence: Evidence, manifest: Manifest): Promise<void> {
  const { vault, sealer, crypto } = evidence;
  const { clip, details } = manifest;
  for (const segment of manifest.segments) {
    const file = await vault.openSegment(clip, segment.index);
    try {
      const { sha256, fileBytes } = await sealer.rehash(file);
      if (sha256 === segment.sha256 && fileBytes === segment.fileBytes) continue;
    } finally {
      await vault.closeSegment(file);
    }
    throw mismatch(`segment ${segment.index}`, clip);
  }
  const sealed = await vault.readDetails(clip);
  if (formatHex(crypto.sha256(sealed)) !== details.sha256) throw mismatch('the details', clip);
}

function mismatch(what: string, clip: ClipId): DockError {
  return new DockError('SEGMENT_DIGEST_MISMATCH', `${what} of clip ${clip} is not what was sealed`);
}

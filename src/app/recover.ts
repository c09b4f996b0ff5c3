import type { EntryBody } from '../core/custody/entry.ts';
import { ed25519Key, verifyNote } from '../core/custody/note.ts';
import { asDockError, DockError, type ErrorCode } from '../core/errors.ts';
import type { ClipId } from '../core/evidence/clip.ts';
import { commitmentOf, type Manifest, parseManifest } from '../core/evidence/manifest.ts';
import type { Evidence } from './evidence.ts';
import { vaultedEntry } from './ingest.ts';
import { makeReceipt } from './receipts.ts';

export interface Recovery {
  readonly draftsRemoved: number;
  readonly clipsRecovered: number;
  readonly clipsQuarantined: readonly ClipId[];
  readonly clipsMissing: readonly ClipId[];
}

/**
 * Makes log and vault agree after any stop: half-written work is removed, a clip that is whole but has no entry is entered, one that the log names and the vault lacks
 * is recorded as missing. Fills the index. May be interrupted at any point and run again.
 */
export async function recover(evidence: Evidence): Promise<Recovery> {
  const draftsRemoved = await removeDrafts(evidence);
  const found = new Set(await evidence.vault.clips());
  const clipsQuarantined: ClipId[] = [];
  let clipsRecovered = 0;
  for (const clip of found) {
    const outcome = await recoverClip(evidence, clip);
    if (outcome === 'recovered') clipsRecovered += 1;
    if (outcome === 'quarantined') clipsQuarantined.push(clip);
  }
  const clipsMissing = await recordMissing(evidence, found);
  return { draftsRemoved, clipsRecovered, clipsQuarantined, clipsMissing };
}

async function removeDrafts({ vault, custody }: Evidence): Promise<number> {
  const drafts = await vault.drafts();
  for (const clip of drafts) {
    await vault.removeDraft(clip);
    await custody.append([{ kind: 'draft-removed', clip, reason: 'INTERRUPTED' }]);
  }
  return drafts.length;
}

async function recoverClip(
  evidence: Evidence,
  clip: ClipId,
): Promise<'known' | 'recovered' | 'quarantined'> {
  const status = evidence.custody.state.clips.get(clip);
  try {
    const { manifest, note } = await readVerifiedManifest(evidence, clip);
    if (status === undefined) {
      await verifySegments(evidence, manifest);
      await evidence.custody.append([
        { kind: 'clip-recovered', clip },
        vaultedEntry(evidence, manifest, note),
      ]);
    } else if (status.commitment !== '') {
      compareCommitment(evidence, { manifest, note, commitment: status.commitment });
    }
    addToIndex(evidence, manifest);
    if (status === undefined) await makeReceipt(evidence, manifest);
    return status === undefined ? 'recovered' : 'known';
  } catch (error) {
    const { code } = asDockError(error, 'MANIFEST_INVALID', 'the clip cannot be read');
    if (!DAMAGE.has(code)) throw error;
    if (status?.state === 'quarantined') return 'known';
    await evidence.custody.append([quarantined(clip, code)]);
    return 'quarantined';
  }
}

/** What is wrong with the clip itself; anything else is wrong with the dock, and stops the start. */
const DAMAGE: ReadonlySet<ErrorCode> = new Set([
  'MANIFEST_INVALID',
  'NOTE_INVALID',
  'SIGNATURE_INVALID',
  'SEGMENT_DIGEST_MISMATCH',
  'VAULT_MISSING',
]);

function quarantined(clip: ClipId, reason: ErrorCode): EntryBody {
  return { kind: 'clip-quarantined', clip, reason };
}

/** A manifest as this dock signed it. */
export async function readVerifiedManifest(
  { vault, keys, crypto }: Pick<Evidence, 'vault' | 'keys' | 'crypto'>,
  clip: ClipId,
): Promise<{ readonly manifest: Manifest; readonly note: string }> {
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

async function verifySegments({ vault, sealer }: Evidence, manifest: Manifest): Promise<void> {
  for (const segment of manifest.segments) {
    const file = await vault.openSegment(manifest.clip, segment.index);
    try {
      const { sha256, fileBytes } = await sealer.rehash(file);
      if (sha256 === segment.sha256 && fileBytes === segment.fileBytes) continue;
    } finally {
      await vault.closeSegment(file);
    }
    throw new DockError(
      'SEGMENT_DIGEST_MISMATCH',
      `segment ${segment.index} of clip ${manifest.clip}`,
    );
  }
}

function compareCommitment(
  { crypto }: Evidence,
  { manifest, note, commitment }: { manifest: Manifest; note: string; commitment: string },
): void {
  if (commitmentOf(note, manifest.salt, crypto.sha256) === commitment) return;
  throw new DockError(
    'MANIFEST_INVALID',
    `the log vouches for another manifest of ${manifest.clip}`,
  );
}

function addToIndex({ index }: Evidence, manifest: Manifest): void {
  index.add({
    clip: manifest.clip,
    serial: manifest.camera,
    counter: manifest.counter,
    recordSha256: manifest.recordSha256,
  });
}

async function recordMissing(evidence: Evidence, found: ReadonlySet<ClipId>): Promise<ClipId[]> {
  const missing: ClipId[] = [];
  for (const { clip, state } of evidence.custody.state.clips.values()) {
    if (!found.has(clip) && state !== 'missing') missing.push(clip);
  }
  if (missing.length > 0) {
    await evidence.custody.append(missing.map((clip) => ({ kind: 'clip-missing', clip })));
  }
  return missing;
}

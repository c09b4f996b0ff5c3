import type { EntryBody } from '../core/custody/entry.ts';
import type { ClipId } from '../core/evidence/clip.ts';
import type { Manifest } from '../core/evidence/manifest.ts';
import type { Evidence } from './evidence.ts';
import { vaultedEntries } from './ingest.ts';
import { readDraftState } from './reopen-draft.ts';
import { isDamage, readVerifiedManifest, verifyCommitment, verifyFiles } from './verify-clip.ts';

export interface Recovery {
  readonly draftsRemoved: number;
  /** Their cameras may bring the rest. */
  readonly draftsKept: number;
  readonly clipsRecovered: number;
  readonly clipsQuarantined: readonly ClipId[];
  readonly clipsMissing: readonly ClipId[];
}

/**
 * Makes log and vault agree after any stop: half-written work is removed unless it can be gone on with, a clip that is whole but has no entry is entered, one that the log names and
 * the vault lacks is recorded as missing. Fills the index. May be interrupted at any point and run again.
 */
export async function recover(evidence: Evidence): Promise<Recovery> {
  const found = new Set(await evidence.vault.clips());
  const clipsQuarantined: ClipId[] = [];
  let clipsRecovered = 0;
  for (const clip of found) {
    const outcome = await recoverClip(evidence, clip);
    if (outcome === 'recovered') clipsRecovered += 1;
    if (outcome === 'quarantined') clipsQuarantined.push(clip);
  }
  const clipsMissing = await recordMissing(evidence, found);
  const drafts = await sortDrafts(evidence);
  return { ...drafts, clipsRecovered, clipsQuarantined, clipsMissing };
}

/** Recorded first: an entry said twice is better than a removal that no entry tells of. */
async function sortDrafts(
  evidence: Evidence,
): Promise<Pick<Recovery, 'draftsRemoved' | 'draftsKept'>> {
  const { vault, custody, index } = evidence;
  const drafts = await vault.drafts();
  const lost: ClipId[] = [];
  for (const clip of drafts) {
    const state = await readDraftState(evidence, clip);
    const less = state && index.unfinished.add({ kind: 'draft', state });
    if (state === undefined) lost.push(clip);
    else if (less?.kind === 'draft') lost.push(less.state.clip);
  }
  if (lost.length > 0) {
    await custody.append(
      lost.map((clip): EntryBody => ({ kind: 'draft-removed', clip, reason: 'INTERRUPTED' })),
    );
    for (const clip of lost) await vault.removeDraft(clip);
  }
  await index.unfinished.expire(evidence);
  return { draftsRemoved: lost.length, draftsKept: drafts.length - lost.length };
}

/**
 * A clip without an entry gets no receipt here: only its camera's record, which is sealed, tells whether its digest is the camera's.
 * That is compared when the camera comes back, and nothing is released before.
 */
async function recoverClip(
  evidence: Evidence,
  clip: ClipId,
): Promise<'known' | 'recovered' | 'quarantined'> {
  const status = evidence.custody.state.clips.get(clip);
  try {
    const signed = await readVerifiedManifest(evidence, clip);
    if (status === undefined) {
      await verifyFiles(evidence, signed.manifest);
      await evidence.custody.append([
        { kind: 'clip-recovered', clip },
        ...vaultedEntries(evidence, signed, false),
      ]);
    } else if (status.commitment !== '') {
      verifyCommitment(evidence, signed, status.commitment);
    }
    addToIndex(evidence, signed.manifest);
    return status === undefined ? 'recovered' : 'known';
  } catch (error) {
    if (!isDamage(error)) throw error;
    if (status?.state === 'quarantined') return 'known';
    await evidence.custody.append([{ kind: 'clip-quarantined', clip, reason: error.code }]);
    return 'quarantined';
  }
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
    if (!found.has(clip) && state !== 'missing' && state !== 'disposed') missing.push(clip);
  }
  if (missing.length > 0) {
    await evidence.custody.append(missing.map((clip) => ({ kind: 'clip-missing', clip })));
  }
  return missing;
}

import { ed25519Key, verifyNote } from '../core/custody/note.ts';
import type { ClipId } from '../core/evidence/clip.ts';
import { type DraftState, parseDraftState } from '../core/evidence/draft-state.ts';
import { segmentBytesFor } from '../core/evidence/naming.ts';
import type { ClipDraft } from '../ports/vault.ts';
import { ClipIntake, type ClipSource } from './clip-intake.ts';
import type { Evidence } from './evidence.ts';
import { ReadBack } from './read-back.ts';
import { isDamage } from './verify-clip.ts';

/** What an earlier run left of that draft, when this run may go on with it: signed by this dock, for the same recipients and sizes. */
export async function readDraftState(
  evidence: Evidence,
  clip: ClipId,
): Promise<DraftState | undefined> {
  const { vault, keys, crypto, logger } = evidence;
  try {
    const note = await vault.readDraftState(clip);
    if (note === undefined) return undefined;
    const key = ed25519Key(keys.manifest.name, keys.manifest.publicKey);
    const verdict = verifyNote(note, [key], crypto);
    if (!verdict.ok || verdict.text === undefined) return undefined;
    const state = parseDraftState(verdict.text);
    return state.clip === clip && isOfThisRun(evidence, state) ? state : undefined;
  } catch (error) {
    if (!isDamage(error)) throw error;
    logger.warn('draft-state-refused', { clip, code: error.code, why: error.message });
    return undefined;
  }
}

function isOfThisRun(
  { dock, sealer, segmentBytes, index }: Evidence,
  { dock: of, recipientsSha256, camera, recordSha256, ...sizes }: DraftState,
): boolean {
  if (of !== dock || recipientsSha256 !== sealer.recipientsSha256) return false;
  if (segmentBytesFor(sizes.sizeBytes, segmentBytes) !== sizes.segmentBytes) return false;
  return !index.of(camera).some((known) => known.recordSha256 === recordSha256);
}

/** Goes on with what the disk has. Undefined when the disk does not give it back as it was written: it is gone then, and an entry tells of it. */
export async function reopenIntake(
  evidence: Evidence,
  source: ClipSource,
  state: DraftState,
): Promise<ClipIntake | undefined> {
  const { vault, custody } = evidence;
  const { clip, segments } = state;
  const draft = await vault.reopenDraft(clip, segments.length);
  try {
    await readAllBack(evidence, draft, state);
    return new ClipIntake(evidence, { source, draft, from: state });
  } catch (error) {
    if (!isDamage(error)) {
      await draft.leave();
      throw error;
    }
    await custody.append([{ kind: 'draft-removed', clip, reason: error.code }]);
    await draft.abandon();
    return undefined;
  }
}

async function readAllBack(
  { sealer }: Evidence,
  draft: ClipDraft,
  { segments }: DraftState,
): Promise<void> {
  const readBack = new ReadBack(sealer, draft);
  try {
    for (const segment of segments) await readBack.begin(segment);
    await readBack.finish();
  } finally {
    await readBack.settle();
  }
}

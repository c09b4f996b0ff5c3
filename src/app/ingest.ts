import { formatHex } from '../core/bytes.ts';
import { signNote } from '../core/custody/note.ts';
import { DockError, type ErrorCode, isDockError } from '../core/errors.ts';
import type { ClipId, ClipRecord } from '../core/evidence/clip.ts';
import { formatDetails } from '../core/evidence/details.ts';
import {
  commitmentOf,
  formatManifest,
  type Manifest,
  SALT_SIZE,
} from '../core/evidence/manifest.ts';
import { segmentBytesFor } from '../core/evidence/naming.ts';
import type { CameraSession } from '../ports/camera-link.ts';
import type { ClipDraft } from '../ports/vault.ts';
import { admit } from './admission.ts';
import type { ComingClip } from './clip-index.ts';
import { ClipIntake, type ClipSource, sourceOf, type Taken } from './clip-intake.ts';
import type { ActBody } from './custody-batch.ts';
import { type Evidence, newClipId } from './evidence.ts';
import type { IngestTurn } from './ingest-queue.ts';
import { makeReceipt } from './receipts.ts';
import { reopenIntake } from './reopen-draft.ts';
import { doneBytesOf, type UnfinishedClip } from './unfinished.ts';
import type { SignedManifest } from './verify-clip.ts';

export interface IngestRequest {
  readonly session: CameraSession;
  readonly record: ClipRecord;
  readonly bay: number;
  /** Undefined when it could not be measured. */
  readonly cameraClockOffsetMs: number | undefined;
  /** Place a hold together with the vaulting. */
  readonly isHeld: () => boolean;
  readonly onProgress: (doneBytes: number) => void;
  readonly turn: IngestTurn;
  readonly signal: AbortSignal;
}

export interface IngestOutcome {
  readonly clip: ClipId;
  readonly held: boolean;
  /** Undefined for a clip that went into quarantine: the camera must keep it. */
  readonly receipt: string | undefined;
}

/**
 * Takes one clip from the camera into the vault. When it returns, every segment was fsynced and read back, the manifest is signed and
 * durable, the custody entry and a checkpoint over it are durable, and the receipt is made (the first four parts of the erase contract). A clip
 * whose digest is not the camera's is kept, and marked. Throws what stopped it; the camera still has the clip then, and what had arrived is kept
 * where the line alone was at fault: the next ingest of the same record goes on from there.
 */
export async function ingestClip(
  evidence: Evidence,
  request: IngestRequest,
): Promise<IngestOutcome> {
  const { index } = evidence;
  await index.unfinished.expire(evidence);
  const source = sourceOf(evidence, request.session, request.record);
  const found = index.unfinished.claim(source);
  const coming = await admitOrKeep(evidence, source, found);
  try {
    const intake = await openIntake(evidence, source, found);
    if (intake.doneBytes > 0) noteResumed(evidence, request, intake);
    return await enter(evidence, request, await keep(evidence, { ...request, coming }, intake));
  } finally {
    index.coming.delete(coming);
  }
}

async function openIntake(
  evidence: Evidence,
  source: ClipSource,
  found: UnfinishedClip | undefined,
): Promise<ClipIntake> {
  if (found?.kind === 'parked') return found.intake;
  const left = found && (await reopenIntake(evidence, source, found.state));
  if (left !== undefined) return left;
  const draft = await evidence.vault.draft(newClipId(evidence.random));
  return new ClipIntake(evidence, { source, draft });
}

/** Only what is still to come needs room. */
async function admitOrKeep(
  evidence: Evidence,
  { sizeBytes }: ClipSource,
  found: UnfinishedClip | undefined,
): Promise<ComingClip> {
  try {
    return await admit(evidence, sizeBytes - (found === undefined ? 0 : doneBytesOf(found)));
  } catch (error) {
    if (found !== undefined) evidence.index.unfinished.add(found);
    throw error;
  }
}

function noteResumed(
  { logger }: Evidence,
  { bay, record }: IngestRequest,
  { draft, doneBytes }: ClipIntake,
): void {
  const { counter } = record;
  logger.info('clip-resumed', { bay, clip: draft.clip, counter, fromByte: doneBytes });
}

interface AdmittedRequest extends IngestRequest {
  readonly coming: ComingClip;
}

async function keep(
  evidence: Evidence,
  request: AdmittedRequest,
  intake: ClipIntake,
): Promise<SignedManifest> {
  const taken = await takeOrPark(evidence, request, intake);
  const { draft } = intake;
  try {
    const manifest = await describe(evidence, request, { draft, taken });
    const note = signNote(formatManifest(manifest), evidence.keys.manifest, evidence.crypto.sha256);
    await draft.commit(note);
    return { manifest, note };
  } catch (error) {
    await intake.abandon();
    throw await asCommitFailure(evidence, draft.clip, error);
  }
}

async function takeOrPark(
  evidence: Evidence,
  request: AdmittedRequest,
  intake: ClipIntake,
): Promise<Taken> {
  try {
    const taken = await intake.take(request);
    await intake.end();
    return taken;
  } catch (error) {
    if (isOfLine(error)) await evidence.index.unfinished.park(evidence, intake);
    else await intake.abandon();
    throw error;
  }
}

const OF_LINE: readonly ErrorCode[] = [
  ...(['LINK_CLOSED', 'LINK_TIMEOUT', 'SERIAL_FAILED', 'CAMERA_REFUSED'] as const),
  ...(['CAMERA_FULL_OF_ERRORS', 'CANCELLED'] as const),
];

/** What arrived before is as good as it was: the rest may come from the same bay, another one, or after a restart. */
function isOfLine(error: unknown): boolean {
  return isDockError(error) && OF_LINE.includes(error.code);
}

/** A commit may fail after it moved the clip. To take that clip again would vault it twice, so only a new start, which looks, goes on. */
async function asCommitFailure(
  { vault }: Evidence,
  clip: ClipId,
  error: unknown,
): Promise<unknown> {
  if (!(await vault.clips()).includes(clip)) return error;
  return new DockError('VAULT_UNWRITABLE', `clip ${clip} is in the vault, and may not be durable`, {
    cause: error,
    action: 'Check the disk, then restart the dock.',
  });
}

async function describe(
  evidence: Evidence,
  { session, record, bay, cameraClockOffsetMs }: IngestRequest,
  { draft, taken }: { draft: ClipDraft; taken: Taken },
): Promise<Manifest> {
  const { crypto, sealer, clock, random } = evidence;
  const { clip } = draft;
  const details = await sealer.sealSmall(
    formatDetails({
      clip,
      sha256: taken.sha256,
      record: record.raw,
      name: record.name,
      wearer: record.wearer,
    }),
  );
  await draft.putDetails(details);
  const { startedAtMs, endedAtMs, clockQuality, trigger, incident, counter } = record;
  return {
    ...{ dock: evidence.dock, clip, camera: session.serial, cameraKey: session.publicKey, counter },
    ...{ startedAtMs, endedAtMs, clockQuality, cameraClockOffsetMs, trigger, incident, bay },
    ingestedAtMs: clock.nowMs(),
    sizeBytes: taken.sizeBytes,
    sha256: taken.sha256,
    recordSha256: formatHex(crypto.sha256(record.raw)),
    segmentBytes: segmentBytesFor(taken.sizeBytes, evidence.segmentBytes),
    segments: taken.segments,
    recipientCount: sealer.recipientCount,
    recipientsSha256: sealer.recipientsSha256,
    details: { fileBytes: details.length, sha256: formatHex(crypto.sha256(details)) },
    salt: random.bytes(SALT_SIZE),
    software: evidence.software,
    boot: evidence.boot,
  };
}

async function enter(
  evidence: Evidence,
  { record, isHeld, session }: IngestRequest,
  { manifest, note }: SignedManifest,
): Promise<IngestOutcome> {
  const { clip } = manifest;
  const isTrue = manifest.sha256 === record.sha256;
  const isWanted = isHeld();
  const bodies = [...vaultedEntries(evidence, { manifest, note }, isWanted)];
  if (!isTrue) bodies.push({ kind: 'clip-quarantined', clip, reason: 'CLIP_DIGEST_MISMATCH' });
  await evidence.custody.append(bodies);
  evidence.index.add({
    clip,
    serial: session.serial,
    counter: record.counter,
    recordSha256: manifest.recordSha256,
  });
  const receipt = isTrue ? await makeReceipt(evidence, manifest) : undefined;
  return { clip, receipt, held: isWanted || manifest.incident };
}

/** A clip that was marked, on the camera or with the bay's button, is held from its first moment in the vault. */
export function vaultedEntries(
  { crypto }: Pick<Evidence, 'crypto'>,
  { manifest, note }: SignedManifest,
  isMarked: boolean,
): readonly ActBody[] {
  const { clip, incident } = manifest;
  const vaulted: ActBody = {
    kind: 'clip-vaulted',
    clip,
    commitment: commitmentOf(note, manifest.salt, crypto.sha256),
    segments: manifest.segments.length,
    bytes: manifest.sizeBytes,
    cameraAuth: manifest.cameraKey === undefined ? 'none' : 'ed25519',
  };
  if (!incident && !isMarked) return [vaulted];
  const reason = incident ? 'INCIDENT' : 'WEARER-BUTTON';
  return [
    vaulted,
    { actor: 'wearer', kind: 'incident-marked', clip },
    { actor: 'wearer', kind: 'hold-placed', clip, reason },
  ];
}

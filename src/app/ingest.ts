import { formatHex } from '../core/bytes.ts';
import { signNote } from '../core/custody/note.ts';
import { asDockError, DockError } from '../core/errors.ts';
import type { ClipId, ClipRecord, SegmentRecord } from '../core/evidence/clip.ts';
import { formatDetails } from '../core/evidence/details.ts';
import {
  commitmentOf,
  formatManifest,
  type Manifest,
  SALT_SIZE,
} from '../core/evidence/manifest.ts';
import { segmentBytesFor, segmentCount, segmentRange } from '../core/evidence/naming.ts';
import type { CameraSession } from '../ports/camera-link.ts';
import type { Sealing } from '../ports/sealer.ts';
import type { ClipDraft } from '../ports/vault.ts';
import { admit } from './admission.ts';
import type { ComingClip } from './clip-index.ts';
import type { ActBody } from './custody-batch.ts';
import { type Evidence, newClipId } from './evidence.ts';
import { ReadBack } from './read-back.ts';
import { makeReceipt } from './receipts.ts';
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
  readonly signal: AbortSignal;
}

export interface IngestOutcome {
  readonly clip: ClipId;
  readonly held: boolean;
  /** Undefined for a clip that went into quarantine: the camera must keep it. */
  readonly receipt: string | undefined;
}

interface Taken {
  readonly segments: readonly SegmentRecord[];
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * Takes one clip from the camera into the vault. When it returns, every segment was fsynced and read back, the manifest is signed and
 * durable, the custody entry and a checkpoint over it are durable, and the receipt is made (the first four parts of the erase contract). A clip
 * whose digest is not the camera's is kept, and marked. Throws what stopped it; nothing of the clip is left then, and the camera still has it.
 */
export async function ingestClip(
  evidence: Evidence,
  request: IngestRequest,
): Promise<IngestOutcome> {
  const coming = await admit(evidence, request.record);
  try {
    const draft = await evidence.vault.draft(newClipId(evidence.random));
    const kept = await keep(evidence, { ...request, coming }, draft);
    return await enter(evidence, request, kept);
  } finally {
    evidence.index.coming.delete(coming);
  }
}

interface AdmittedRequest extends IngestRequest {
  readonly coming: ComingClip;
}

async function keep(
  evidence: Evidence,
  request: AdmittedRequest,
  draft: ClipDraft,
): Promise<SignedManifest> {
  try {
    const taken = await takeSegments(evidence, request, draft);
    const manifest = await describe(evidence, request, { draft, taken });
    const note = signNote(formatManifest(manifest), evidence.keys.manifest, evidence.crypto.sha256);
    await draft.commit(note);
    return { manifest, note };
  } catch (error) {
    await abandon(evidence, draft);
    throw await asCommitFailure(evidence, draft.clip, error);
  }
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

async function takeSegments(
  evidence: Evidence,
  request: AdmittedRequest,
  draft: ClipDraft,
): Promise<Taken> {
  const { sizeBytes } = request.record;
  const segmentBytes = segmentBytesFor(sizeBytes, evidence.segmentBytes);
  const segments: SegmentRecord[] = [];
  const sealing = evidence.sealer.begin();
  const readBack = new ReadBack(evidence.sealer, draft);
  try {
    for (let index = 0; index < segmentCount(sizeBytes, segmentBytes); index++) {
      const range = segmentRange(index, sizeBytes, segmentBytes);
      const parts = { draft, sealing, readBack, index, ...range };
      const segment = await takeSegment(request, parts);
      segments.push(segment);
      await readBack.begin(segment);
    }
    await readBack.finish();
    return { segments, ...(await sealing.finish()) };
  } finally {
    sealing.abort();
    await readBack.settle();
  }
}

interface SegmentRequest {
  readonly draft: ClipDraft;
  readonly sealing: Sealing;
  readonly readBack: ReadBack;
  readonly index: number;
  readonly fromByte: number;
  readonly toByte: number;
}

async function takeSegment(
  { session, record, signal, onProgress, coming }: AdmittedRequest,
  { draft, sealing, readBack, index, fromByte, toByte }: SegmentRequest,
): Promise<SegmentRecord> {
  let doneBytes = fromByte;
  const file = await draft.createSegment(index);
  await sealing.beginSegment(file);
  if (toByte > fromByte) {
    const onBytes = async (bytes: Uint8Array): Promise<void> => {
      readBack.throwIfFailed();
      await sealing.write(bytes);
      doneBytes += bytes.length;
      coming.leftBytes = record.sizeBytes - doneBytes;
      onProgress(doneBytes);
    };
    await session.read(record, { fromByte, toByte, onBytes, signal });
  }
  if (doneBytes !== toByte) {
    throw new DockError('LINK_PROTOCOL', `the read ended at byte ${doneBytes} of ${toByte}`);
  }
  const sealed = await sealing.endSegment();
  await draft.closeSegment(file);
  return { index, ...sealed };
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

async function abandon({ logger }: Evidence, draft: ClipDraft): Promise<void> {
  try {
    await draft.abandon();
  } catch (error) {
    // The next start removes it; what stopped the ingest is what matters now.
    const { code } = asDockError(error, 'VAULT_UNWRITABLE', 'the draft was not removed');
    logger.warn('draft-not-removed', { clip: draft.clip, code });
  }
}

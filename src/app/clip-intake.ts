import { formatHex } from '../core/bytes.ts';
import { signNote } from '../core/custody/note.ts';
import { asDockError, DockError } from '../core/errors.ts';
import type { CameraSerial, ClipRecord, SegmentRecord } from '../core/evidence/clip.ts';
import {
  type ClipMidstate,
  type DraftState,
  formatDraftState,
  MIDSTATE_STEP,
} from '../core/evidence/draft-state.ts';
import { segmentBytesFor, segmentCount, segmentRange } from '../core/evidence/naming.ts';
import type { CameraSession, ReadCarry } from '../ports/camera-link.ts';
import type { Sealing } from '../ports/sealer.ts';
import type { ClipDraft, SegmentFile } from '../ports/vault.ts';
import type { ComingClip } from './clip-index.ts';
import type { Evidence } from './evidence.ts';
import type { IngestTurn } from './ingest-queue.ts';
import { ReadBack } from './read-back.ts';

/** Which recording it is, by what the camera signed: a clip goes on only as the very same one. */
export interface ClipSource {
  readonly camera: CameraSerial;
  /** Undefined for a camera without a key. */
  readonly cameraKey: Uint8Array | undefined;
  readonly recordSha256: string;
  readonly sizeBytes: number;
  readonly segmentBytes: number;
}

export function sourceOf(
  { crypto, segmentBytes }: Pick<Evidence, 'crypto' | 'segmentBytes'>,
  { serial, publicKey }: Pick<CameraSession, 'serial' | 'publicKey'>,
  { raw, sizeBytes }: ClipRecord,
): ClipSource {
  return {
    ...{ camera: serial, cameraKey: publicKey, recordSha256: formatHex(crypto.sha256(raw)) },
    ...{ sizeBytes, segmentBytes: segmentBytesFor(sizeBytes, segmentBytes) },
  };
}

export interface IntakeParts {
  readonly source: ClipSource;
  readonly draft: ClipDraft;
  /** What the draft holds already. */
  readonly from?: DraftState;
}

export interface IntakeRequest {
  readonly session: CameraSession;
  readonly record: ClipRecord;
  readonly coming: ComingClip;
  readonly onProgress: (doneBytes: number) => void;
  readonly turn: IngestTurn;
  readonly signal: AbortSignal;
}

export interface Taken {
  readonly segments: readonly SegmentRecord[];
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * One clip on its way into a draft. When the line breaks it stays as it is, and `take` goes on with another session at the byte that is next.
 * After each segment that the disk gave back as it was written, the draft also holds what a later run needs to go on from there.
 */
export class ClipIntake {
  readonly source: ClipSource;
  readonly draft: ClipDraft;
  readonly carry: ReadCarry = { held: undefined };
  readonly #evidence: Evidence;
  readonly #sealing: Sealing;
  readonly #readBack: ReadBack;
  readonly #segments: SegmentRecord[];
  #doneBytes: number;
  #file: SegmentFile | undefined;
  #writing: Promise<void> = Promise.resolve();
  #saved: DraftState | undefined;

  constructor(evidence: Evidence, { source, draft, from }: IntakeParts) {
    this.#evidence = evidence;
    this.source = source;
    this.draft = draft;
    this.#saved = from;
    this.#segments = [...(from?.segments ?? [])];
    this.#doneBytes = from?.midstate.sizeBytes ?? 0;
    this.#sealing = evidence.sealer.begin(from?.midstate);
    this.#readBack = new ReadBack(evidence.sealer, draft);
  }

  /** Taken from the camera, and given to the sealer. */
  get doneBytes(): number {
    return this.#doneBytes;
  }

  /** Every segment was fsynced and read back when it returns. It may be called again after a trouble of the line alone. */
  async take(request: IntakeRequest): Promise<Taken> {
    const { sizeBytes, segmentBytes } = this.source;
    request.coming.leftBytes = sizeBytes - this.#doneBytes;
    if (this.#doneBytes > 0) request.onProgress(this.#doneBytes);
    const count = segmentCount(sizeBytes, segmentBytes);
    while (this.#segments.length < count) {
      const segment = await this.#takeSegment(request, this.#segments.length);
      this.#segments.push(segment);
      await this.#readBack.begin(segment, this.#saverOf(count));
    }
    await this.#readBack.finish();
    return { segments: this.#segments, ...(await this.#sealing.finish()) };
  }

  /** Nothing of it is in use when it returns. The draft stays. */
  async end(): Promise<void> {
    await Promise.allSettled([this.#writing]);
    this.#sealing.abort();
    await this.#readBack.settle();
  }

  /** Nothing of the draft is left. Never throws: the next start removes what stayed. */
  async abandon(): Promise<void> {
    await this.end();
    try {
      await this.draft.abandon();
    } catch (error) {
      const { code } = asDockError(error, 'VAULT_UNWRITABLE', 'the draft was not removed');
      this.#evidence.logger.warn('draft-not-removed', { clip: this.draft.clip, code });
    }
  }

  /** Gives up what is in memory. What is left on the disk, if that is worth anything: else there is no draft any more. */
  async putDown(): Promise<DraftState | undefined> {
    this.carry.held = undefined;
    await this.end();
    if (this.#saved === undefined) await this.abandon();
    else await this.draft.leave();
    return this.#saved;
  }

  /** A line that broke in the middle of a write: the bytes are the sealer's until it is done with them. */
  async rest(): Promise<void> {
    await Promise.allSettled([this.#writing]);
  }

  async #takeSegment(request: IntakeRequest, index: number): Promise<SegmentRecord> {
    const { session, record, signal } = request;
    const { sizeBytes, segmentBytes } = this.source;
    const { toByte } = segmentRange(index, sizeBytes, segmentBytes);
    this.#file ??= await this.#beginSegment(index);
    if (this.#doneBytes < toByte) {
      const onBytes = (bytes: Uint8Array): Promise<void> => {
        this.#writing = this.#write(request, bytes);
        return this.#writing;
      };
      const range = { fromByte: this.#doneBytes, toByte, carry: this.carry };
      await session.read(record, { ...range, onBytes, signal });
    }
    if (this.#doneBytes !== toByte) {
      throw new DockError(
        'LINK_PROTOCOL',
        `the read ended at byte ${this.#doneBytes} of ${toByte}`,
      );
    }
    const sealed = await this.#sealing.endSegment();
    await this.draft.closeSegment(this.#file);
    this.#file = undefined;
    return { index, ...sealed };
  }

  async #beginSegment(index: number): Promise<SegmentFile> {
    const file = await this.draft.createSegment(index);
    await this.#sealing.beginSegment(file);
    return file;
  }

  async #write({ turn, coming, onProgress }: IntakeRequest, bytes: Uint8Array): Promise<void> {
    this.#readBack.throwIfFailed();
    await turn.seal(bytes.length, () => this.#sealing.write(bytes));
    this.#doneBytes += bytes.length;
    coming.leftBytes = this.source.sizeBytes - this.#doneBytes;
    onProgress(this.#doneBytes);
  }

  /** Makes what was taken so far outlast the run, once it was read back. A clip that is whole needs none of it. */
  #saverOf(count: number): (() => Promise<void>) | undefined {
    const isStep = this.#doneBytes % MIDSTATE_STEP === 0;
    if (this.#segments.length === count || !isStep) return undefined;
    const segments = [...this.#segments];
    const midstate = this.#sealing.midstate();
    return () => this.#save(segments, midstate);
  }

  /** Signed, because a segment that was exchanged while the dock was off would become evidence: nothing on the dock can open one to look. */
  async #save(segments: readonly SegmentRecord[], midstate: ClipMidstate): Promise<void> {
    const { dock, clock, keys, crypto, sealer } = this.#evidence;
    const state = {
      ...{ dock, clip: this.draft.clip, ...this.source, segments, midstate },
      ...{ recipientsSha256: sealer.recipientsSha256, savedAtMs: clock.nowMs() },
    };
    await this.draft.putState(signNote(formatDraftState(state), keys.manifest, crypto.sha256));
    this.#saved = state;
  }
}

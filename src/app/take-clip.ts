import { formatHex } from '../core/bytes.ts';
import { isVouched } from '../core/dock/clip-table.ts';
import { type ErrorCode, isDockError } from '../core/errors.ts';
import type { ClipRecord } from '../core/evidence/clip.ts';
import type { Manifest } from '../core/evidence/manifest.ts';
import type { CameraInventory } from '../ports/camera-link.ts';
import type { VisitDeps } from './camera-visit.ts';
import type { IndexedClip } from './clip-index.ts';
import { ingestClip } from './ingest.ts';
import type { IngestTurn } from './ingest-queue.ts';
import { makeReceipt } from './receipts.ts';
import { isDamage, readVerifiedManifest, verifyCommitment, verifyFiles } from './verify-clip.ts';

export interface TakerDeps extends VisitDeps {
  /** Runs an ingest when it is this bay's turn. */
  readonly inTurn: <T>(record: ClipRecord, work: (turn: IngestTurn) => Promise<T>) => Promise<T>;
  /** By how much the camera's clock was ahead when it made that recording; undefined when it could not be measured. */
  readonly clockOffsetOf: (counter: number) => number | undefined;
}

/** Takes single clips: into the vault if they are not there, and then off the camera. */
export class ClipTaker {
  readonly #deps: TakerDeps;

  constructor(deps: TakerDeps) {
    this.#deps = deps;
  }

  /** Returns when the camera has erased it, or when the camera must keep it. Throws what stopped it; the camera has the clip then. */
  async take(record: ClipRecord): Promise<void> {
    const { index } = this.#deps.evidence;
    await index.exclusively(record, async () => {
      const known = index.find(record);
      if (known === undefined) await this.#ingest(record);
      else await this.#takeKnown(record, known);
    });
  }

  /**
   * Power may have gone after the camera erased a clip and before the log said so. SPEC 7: a receipt for an erased clip is answered
   * again.
   */
  async confirmReleases({ records, refused }: CameraInventory): Promise<void> {
    const { evidence, session, bay } = this.#deps;
    if (refused.some(({ counter }) => counter === undefined)) return;
    const listed = new Set([...records, ...refused].map(({ counter }) => counter));
    for (const known of evidence.index.of(session.serial)) {
      if (listed.has(known.counter) || this.#stateOf(known) !== 'vaulted') continue;
      try {
        await this.#confirmRelease(known);
      } catch (error) {
        const isAnswer = isDockError(error, 'CAMERA_REFUSED') || isDamage(error);
        if (!isAnswer && !isDockError(error, 'RECEIPT_REFUSED')) throw error;
        const { counter, clip } = known;
        evidence.logger.warn('release-not-confirmed', { bay, clip, counter, code: error.code });
      }
    }
  }

  async #confirmRelease({ clip, counter }: IndexedClip): Promise<void> {
    const { evidence, session, signal, bay, onEvent } = this.#deps;
    const { manifest } = await readVerifiedManifest(evidence, clip);
    const receipt = await makeReceipt(evidence, manifest);
    await session.release(counter, receipt, signal);
    await evidence.custody.append([{ kind: 'clip-released', clip }]);
    onEvent('clip-release-confirmed', { bay, clip, camera: session.serial, counter });
  }

  async #ingest(record: ClipRecord): Promise<void> {
    const { evidence, session, bay, signal, input, onEvent, state } = this.#deps;
    const { counter } = record;
    const work = (turn: IngestTurn) =>
      ingestClip(evidence, {
        ...{ session, record, bay, signal, turn },
        cameraClockOffsetMs: this.#deps.clockOffsetOf(counter),
        isHeld: () => state().holdsWanted.includes(counter),
        onProgress: (doneBytes) => input({ kind: 'progress', counter, doneBytes }),
      });
    const { clip, held, receipt } = await this.#deps.inTurn(record, work);
    if (held) input({ kind: 'held', counter });
    const event = { bay, clip, camera: session.serial, counter };
    if (receipt === undefined) {
      onEvent('clip-quarantined', event);
      return input({ kind: 'clip-quarantined', counter });
    }
    onEvent('clip-vaulted', event);
    input({ kind: 'clip-vaulted', counter });
    await this.#release(event, receipt);
  }

  async #takeKnown(record: ClipRecord, known: IndexedClip): Promise<void> {
    const { evidence, session, bay, input } = this.#deps;
    const { counter } = record;
    const manifest = await this.#vouchedManifest(record, known);
    if (manifest === undefined) return input({ kind: 'clip-quarantined', counter });
    const receipt = await makeReceipt(evidence, manifest);
    input({ kind: 'clip-vaulted', counter });
    await this.#release({ bay, clip: known.clip, camera: session.serial, counter }, receipt);
  }

  async #release(
    event: Pick<IndexedClip, 'clip' | 'counter'> & {
      readonly bay: number;
      readonly camera: string;
    },
    receipt: string,
  ): Promise<void> {
    const { evidence, session, signal, input, onEvent } = this.#deps;
    const { clip, counter } = event;
    await session.release(counter, receipt, signal);
    if (this.#stateOf(event) === 'vaulted') {
      await evidence.custody.append([{ kind: 'clip-released', clip }]);
    }
    input({ kind: 'clip-released', counter });
    onEvent('clip-released', event);
  }

  /** The manifest of a clip that the log vouches for and the vault still has, byte for byte; undefined for one that must not be released. */
  async #vouchedManifest(record: ClipRecord, known: IndexedClip): Promise<Manifest | undefined> {
    const { evidence } = this.#deps;
    const status = evidence.custody.state.clips.get(known.clip);
    if (status === undefined || !isVouched(status)) {
      return undefined;
    }
    if (known.recordSha256 !== formatHex(evidence.crypto.sha256(record.raw))) {
      await this.#refuseReuse(record);
      return undefined;
    }
    try {
      const signed = await readVerifiedManifest(evidence, known.clip);
      verifyCommitment(evidence, signed, status.commitment);
      await verifyFiles(evidence, signed.manifest);
      if (signed.manifest.sha256 === record.sha256) return signed.manifest;
      // Entered at a start, when there was no camera to compare it with.
      await this.#quarantine(known, 'CLIP_DIGEST_MISMATCH');
    } catch (error) {
      if (!isDamage(error)) throw error;
      await this.#quarantine(known, error.code);
    }
    return undefined;
  }

  /** The camera has used a counter twice: the second recording stays on it. */
  async #refuseReuse({ counter, raw }: ClipRecord): Promise<void> {
    const { evidence, session, refusals, bay, onEvent } = this.#deps;
    const key = `${session.serial} ${counter} ${formatHex(evidence.crypto.sha256(raw))}`;
    if (refusals.has(key)) return;
    refusals.add(key);
    await evidence.custody.append([
      { kind: 'clip-refused', counter, reason: 'CLIP_RECORD_INVALID' },
    ]);
    onEvent('clip-refused', { bay, code: 'CLIP_RECORD_INVALID' });
  }

  async #quarantine({ clip, counter }: IndexedClip, reason: ErrorCode): Promise<void> {
    const { evidence, session, bay, onEvent } = this.#deps;
    await evidence.custody.append([{ kind: 'clip-quarantined', clip, reason }]);
    onEvent('clip-quarantined', { bay, clip, camera: session.serial, counter });
  }

  #stateOf({ clip }: Pick<IndexedClip, 'clip'>) {
    return this.#deps.evidence.custody.state.clips.get(clip)?.state;
  }
}

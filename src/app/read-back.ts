import { DockError } from '../core/errors.ts';
import type { SealedSegment, Sealer } from '../ports/sealer.ts';
import type { ClipDraft } from '../ports/vault.ts';

interface WrittenSegment extends SealedSegment {
  readonly index: number;
}

type DraftSegments = Pick<ClipDraft, 'clip' | 'reopenSegment' | 'closeSegment'>;

/** Reads the segments of one clip back from the disk, each while the next one is taken from the camera. Never more than one at a time. */
export class ReadBack {
  readonly #sealer: Pick<Sealer, 'rehash'>;
  readonly #draft: DraftSegments;
  #running: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  constructor(sealer: Pick<Sealer, 'rehash'>, draft: DraftSegments) {
    this.#sealer = sealer;
    this.#draft = draft;
  }

  /** Returns when the segment before was found good, and throws when it was not. `onGood` is part of it: what it throws counts likewise. */
  async begin(segment: WrittenSegment, onGood?: () => Promise<void>): Promise<void> {
    await this.finish();
    this.#running = this.#check(segment)
      .then(onGood)
      .catch((error: unknown) => {
        this.#failure = { error };
      });
  }

  /** What was found so far: a camera need not send more of a clip that the disk has spoilt. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async finish(): Promise<void> {
    await this.#running;
    this.throwIfFailed();
  }

  /** Nothing of the draft is in use when it returns. Never throws. */
  async settle(): Promise<void> {
    await this.#running;
  }

  /** What the disk gives back is what counts, not what was written to it. */
  async #check({ index, fileBytes, sha256 }: WrittenSegment): Promise<void> {
    const file = await this.#draft.reopenSegment(index);
    try {
      const found = await this.#sealer.rehash(file);
      if (found.sha256 === sha256 && found.fileBytes === fileBytes) return;
    } finally {
      await this.#draft.closeSegment(file);
    }
    throw new DockError(
      'SEGMENT_DIGEST_MISMATCH',
      `segment ${index} of clip ${this.#draft.clip} reads back differently from what was written`,
      { action: 'Replace the disk; the clip is still on the camera.' },
    );
  }
}

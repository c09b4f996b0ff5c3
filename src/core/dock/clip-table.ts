import type { ClipId } from '../evidence/clip.ts';

export const CLIP_STATES = [
  'vaulted',
  'released',
  'quarantined',
  'missing',
  /** Its removal has begun: nothing may count on its files. */
  'disposing',
  'disposed',
] as const;
export type ClipState = (typeof CLIP_STATES)[number];

/** What the log says about one clip. */
export interface ClipStatus {
  readonly clip: ClipId;
  readonly state: ClipState;
  readonly held: boolean;
  readonly restricted: boolean;
  readonly incident: boolean;
  readonly vaultedAtMs: number;
  readonly releasedAtMs: number | undefined;
  /** Of the entry that put it into the vault. */
  readonly entryIndex: number;
  /** Lower-case hex; empty for a clip that was quarantined without ever being vaulted. */
  readonly commitment: string;
  readonly bytes: number;
  readonly segments: number;
}

/** Whether the log still says that the dock has the clip, whole. */
export function isVouched({ state }: Pick<ClipStatus, 'state'>): boolean {
  return state === 'vaulted' || state === 'released';
}

export function isGone({ state }: Pick<ClipStatus, 'state'>): boolean {
  return state === 'disposing' || state === 'disposed';
}

type Bucket = ReadonlyMap<ClipId, ClipStatus>;
const BUCKET_COUNT = 256;

/** Where a clip's status is looked up and put while entries are folded. */
export interface ClipStore {
  get(clip: ClipId): ClipStatus | undefined;
  put(status: ClipStatus): void;
}

/**
 * Clips by id, never changed in place. Ids are random, so their first byte spreads them evenly over the buckets, and a new
 * table shares all buckets but one with the old.
 */
export class ClipTable {
  static readonly empty = new ClipTable(Array.from({ length: BUCKET_COUNT }, () => new Map()));
  readonly #buckets: readonly Bucket[];

  private constructor(buckets: readonly Bucket[]) {
    this.#buckets = buckets;
  }

  get size(): number {
    return this.#buckets.reduce((size, bucket) => size + bucket.size, 0);
  }

  get(clip: ClipId): ClipStatus | undefined {
    return this.#buckets[bucketOf(clip)]?.get(clip);
  }

  *values(): IterableIterator<ClipStatus> {
    for (const bucket of this.#buckets) yield* bucket.values();
  }

  /** One new table for any number of changes: each bucket is copied once, when it is first put to. */
  change(edit: (store: ClipStore) => void): ClipTable {
    const buckets = [...this.#buckets];
    const owned = new Map<number, Map<ClipId, ClipStatus>>();
    edit({
      get: (clip) => buckets[bucketOf(clip)]?.get(clip),
      put: (status) => {
        const index = bucketOf(status.clip);
        const bucket = owned.get(index) ?? new Map(buckets[index]);
        bucket.set(status.clip, status);
        owned.set(index, bucket);
        buckets[index] = bucket;
      },
    });
    return owned.size === 0 ? this : new ClipTable(buckets);
  }
}

function bucketOf(clip: ClipId): number {
  return Number.parseInt(clip.slice(0, 2), 16) % BUCKET_COUNT;
}

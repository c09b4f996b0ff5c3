import type { CameraSerial, ClipId, ClipRecord } from '../core/evidence/clip.ts';
import { Unfinished } from './unfinished.ts';

export interface IndexedClip {
  readonly clip: ClipId;
  readonly serial: CameraSerial;
  readonly counter: number;
  /** SHA-256 (hex) of the camera's record bytes. */
  readonly recordSha256: string;
}

/** A clip on its way into the vault, and the bytes that it will still take. */
export interface ComingClip {
  leftBytes: number;
}

type ClipKey = Pick<ClipRecord, 'serial' | 'counter'>;

/** Which clip of which camera is which clip of the vault: what makes "vaulted exactly once" true. Rebuilt from manifests at start. */
export class ClipIndex {
  readonly coming = new Set<ComingClip>();
  readonly unfinished = new Unfinished();
  readonly #byCamera = new Map<CameraSerial, Map<number, IndexedClip>>();
  readonly #busy = new Map<string, Promise<unknown>>();

  add(entry: IndexedClip): void {
    const counters = this.#byCamera.get(entry.serial) ?? new Map<number, IndexedClip>();
    counters.set(entry.counter, entry);
    this.#byCamera.set(entry.serial, counters);
  }

  find({ serial, counter }: ClipKey): IndexedClip | undefined {
    return this.#byCamera.get(serial)?.get(counter);
  }

  byClip(clip: ClipId): IndexedClip | undefined {
    for (const counters of this.#byCamera.values()) {
      for (const entry of counters.values()) if (entry.clip === clip) return entry;
    }
    return undefined;
  }

  remove({ serial, counter, clip }: IndexedClip): void {
    const counters = this.#byCamera.get(serial);
    if (counters?.get(counter)?.clip === clip) counters.delete(counter);
  }

  of(serial: CameraSerial): readonly IndexedClip[] {
    return [...(this.#byCamera.get(serial)?.values() ?? [])];
  }

  /** One at a time for one clip: a camera may sit in another bay before the first bay is done with it. */
  async exclusively<T>({ serial, counter }: ClipKey, act: () => Promise<T>): Promise<T> {
    const key = `${serial} ${counter}`;
    const work = (this.#busy.get(key) ?? Promise.resolve()).then(act);
    const settled = Promise.allSettled([work]);
    this.#busy.set(key, settled);
    try {
      return await work;
    } finally {
      if (this.#busy.get(key) === settled) this.#busy.delete(key);
    }
  }
}

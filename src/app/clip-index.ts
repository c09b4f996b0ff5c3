import type { CameraSerial, ClipId, ClipRecord } from '../core/evidence/clip.ts';

export interface IndexedClip {
  readonly clip: ClipId;
  readonly serial: CameraSerial;
  readonly counter: number;
  /** SHA-256 (hex) of the camera's record bytes. */
  readonly recordSha256: string;
}

/** Which clip of which camera is which clip of the vault: what makes "vaulted exactly once" true. Rebuilt from manifests at start. */
export class ClipIndex {
  readonly #byCamera = new Map<CameraSerial, Map<number, IndexedClip>>();

  add(entry: IndexedClip): void {
    const counters = this.#byCamera.get(entry.serial) ?? new Map<number, IndexedClip>();
    counters.set(entry.counter, entry);
    this.#byCamera.set(entry.serial, counters);
  }

  find(record: Pick<ClipRecord, 'serial' | 'counter'>): IndexedClip | undefined {
    return this.#byCamera.get(record.serial)?.get(record.counter);
  }

  counters(serial: CameraSerial): ReadonlySet<number> {
    return new Set(this.#byCamera.get(serial)?.keys() ?? []);
  }

  /** The clip with the highest counter of that camera. */
  last(serial: CameraSerial): IndexedClip | undefined {
    let last: IndexedClip | undefined;
    for (const clip of this.#byCamera.get(serial)?.values() ?? []) {
      if (last === undefined || clip.counter > last.counter) last = clip;
    }
    return last;
  }
}

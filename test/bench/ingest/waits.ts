import type { Evidence } from '../../../src/app/evidence.ts';
import type { Sealer, Sealing } from '../../../src/ports/sealer.ts';
import type { ClipDraft, Vault } from '../../../src/ports/vault.ts';

type Act = 'seal' | 'disk' | 'readBack';

/** What share of the bays' time went where; together 1. */
export interface WaitShares {
  /** What the other three leave: the camera, the line, the decoder, the log. */
  readonly linkShare: number;
  /** Until the sealer had taken the bytes. */
  readonly sealShare: number;
  /** Last chunk, fsync, manifest, folders. */
  readonly diskShare: number;
  /** Reading back and hashing again. What overlaps with the next segment's ingest counts here, not as link. */
  readonly readBackShare: number;
}

/** Takes the time of every call to the sealer and the vault. Wraps the parts of a composed dock, before it starts. */
export class Waits {
  readonly #ms: Record<Act, number> = { seal: 0, disk: 0, readBack: 0 };

  constructor(evidence: Evidence) {
    const parts: { sealer: Sealer; vault: Vault } = evidence;
    parts.sealer = this.#watchSealer(evidence.sealer);
    parts.vault = this.#watchVault(evidence.vault);
  }

  shares(baySeconds: number): WaitShares {
    const share = (act: Act) => this.#ms[act] / 1000 / baySeconds;
    const [seal, disk, readBack] = [share('seal'), share('disk'), share('readBack')];
    return {
      linkShare: Math.max(0, 1 - seal - disk - readBack),
      sealShare: seal,
      diskShare: disk,
      readBackShare: readBack,
    };
  }

  async #time<T>(act: Act, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await work();
    } finally {
      this.#ms[act] += performance.now() - started;
    }
  }

  #watchSealing(sealing: Sealing): Sealing {
    return {
      beginSegment: (file) => this.#time('seal', () => sealing.beginSegment(file)),
      write: (bytes) => this.#time('seal', () => sealing.write(bytes)),
      endSegment: () => this.#time('disk', () => sealing.endSegment()),
      midstate: () => sealing.midstate(),
      finish: () => sealing.finish(),
      abort: () => sealing.abort(),
    };
  }

  #watchSealer(sealer: Sealer): Sealer {
    return {
      recipientCount: sealer.recipientCount,
      recipientsSha256: sealer.recipientsSha256,
      begin: (from) => this.#watchSealing(sealer.begin(from)),
      sealSmall: (plain) => this.#time('seal', () => sealer.sealSmall(plain)),
      rehash: (file) => this.#time('readBack', () => sealer.rehash(file)),
    };
  }

  #watchDraft(draft: ClipDraft): ClipDraft {
    const timed = (name: 'putDetails' | 'commit') => (value: never) =>
      this.#time('disk', () => draft[name](value));
    return new Proxy(draft, {
      get: (target, name) => {
        if (name === 'putDetails' || name === 'commit') return timed(name);
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  #watchVault(vault: Vault): Vault {
    return new Proxy(vault, {
      get: (target, name) => {
        if (name === 'draft') {
          return async (clip: Parameters<Vault['draft']>[0]) =>
            this.#watchDraft(await target.draft(clip));
        }
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }
}

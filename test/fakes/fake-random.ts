import type { Random } from '../../src/ports/random.ts';

/** The same bytes for the same seed (xorshift32). Good for nothing but tests. */
export class FakeRandom implements Random {
  #state: number;

  constructor(seed = 1) {
    this.#state = (seed | 0) === 0 ? 1 : seed | 0;
  }

  bytes(sizeBytes: number): Uint8Array {
    return Uint8Array.from({ length: sizeBytes }, () => this.#next() & 0xff);
  }

  #next(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return this.#state >>> 11;
  }
}

import { type Cipher, createCipheriv } from 'node:crypto';

/** The same bytes for the same seed. */
export class RandomBytes {
  readonly #cipher: Cipher;

  constructor(seed: number) {
    const key = Buffer.alloc(16);
    key.writeUInt32BE(seed);
    this.#cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  }

  bytes(sizeBytes: number): Buffer {
    return this.#cipher.update(Buffer.alloc(sizeBytes));
  }

  /** A whole number from 0 to less than `end`. */
  below(end: number): number {
    return Number(this.bytes(6).readUIntBE(0, 6) % Math.ceil(end));
  }
}

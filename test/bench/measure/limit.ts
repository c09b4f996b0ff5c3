/** Bytes a second of the two primitives on one core. */
export interface PrimitiveRates {
  readonly chacha20Poly1305: number;
  readonly sha256: number;
}

/**
 * What one worker cannot exceed that runs the primitives one after the other: each byte is sealed once and hashed twice, as plaintext and as
 * ciphertext. `limit1 = 1 / (1/chacha20poly1305 + 2/sha256)`. A kernel that hashes both streams in lock-step may exceed it.
 */
export function limitOfOneWorker({ chacha20Poly1305, sha256 }: PrimitiveRates): number {
  return 1 / (1 / chacha20Poly1305 + 2 / sha256);
}

/** Twice that, but never faster than the slowest serial chain: the SHA-256 of one stream cannot be divided. */
export function limitOfTwoWorkers(rates: PrimitiveRates): number {
  return Math.min(2 * limitOfOneWorker(rates), rates.sha256);
}

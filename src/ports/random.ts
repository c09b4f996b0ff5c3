export interface Random {
  /** Cryptographically secure. */
  bytes(sizeBytes: number): Uint8Array;
}

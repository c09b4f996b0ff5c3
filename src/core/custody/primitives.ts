/** Core computes with digests and signatures that its caller brings. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;
export type VerifyEd25519 = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean;

import { createHash, createPublicKey, verify } from 'node:crypto';
import nacl from 'tweetnacl';
import { formatBase64 } from '../../core/bytes.ts';
import type { Sha256, VerifyEd25519 } from '../../core/custody/primitives.ts';
import { DockError } from '../../core/errors.ts';
import type { Signer } from '../../ports/signer.ts';

const SEED_BYTES = 32;
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

function base64Url(bytes: Uint8Array): string {
  return formatBase64(bytes, false).replaceAll('+', '-').replaceAll('/', '_');
}

/** One Ed25519 key from its 32-byte seed, which is copied. KEY_INVALID for a seed of another size. */
export class NaclSigner implements Signer {
  readonly name: string;
  readonly publicKey: Uint8Array;
  readonly #secretKey: Uint8Array;

  constructor(name: string, seed: Uint8Array) {
    if (seed.length !== SEED_BYTES) {
      throw new DockError('KEY_INVALID', `the key ${name} has ${seed.length} bytes, not 32`);
    }
    const pair = nacl.sign.keyPair.fromSeed(seed);
    this.name = name;
    this.publicKey = pair.publicKey;
    this.#secretKey = pair.secretKey;
  }

  sign(message: Uint8Array): Uint8Array {
    return nacl.sign.detached(message, this.#secretKey);
  }
}

/**
 * With OpenSSL and not with tweetnacl, which accepts signatures that were altered to another spelling of the same
 * value. False for keys and signatures of a wrong size.
 */
export const verifyEd25519: VerifyEd25519 = (publicKey, message, signature) => {
  if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: base64Url(publicKey) };
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  return verify(null, message, key, signature);
};

export const sha256: Sha256 = (bytes) =>
  Uint8Array.from(createHash('sha256').update(bytes).digest());

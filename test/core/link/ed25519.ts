import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { VerifyEd25519 } from '../../../src/core/custody/primitives.ts';

const PKCS8 = '302e020100300506032b657004220420';
const SPKI = '302a300506032b6570032100';

function der(prefix: string, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(prefix, 'hex'), bytes]);
}

export const verifyEd25519: VerifyEd25519 = (publicKey, message, signature) => {
  const key = createPublicKey({ key: der(SPKI, publicKey), format: 'der', type: 'spki' });
  return verify(null, message, key, signature);
};

export interface TestKey {
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

/** An Ed25519 key from a seed of 32 bytes. */
export function testKey(seed: Uint8Array): TestKey {
  const key = createPrivateKey({ key: der(PKCS8, seed), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return {
    publicKey: new Uint8Array(spki.subarray(-32)),
    sign: (message) => new Uint8Array(sign(null, message, key)),
  };
}

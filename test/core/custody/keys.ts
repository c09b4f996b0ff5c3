import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { NoteCrypto, NoteSigner } from '../../../src/core/custody/note.ts';

const PRIVATE_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

export const testCrypto: NoteCrypto = {
  sha256,
  verify: (publicKey, message, signature) => {
    const key = createPublicKey({
      key: der(PUBLIC_PREFIX, publicKey),
      format: 'der',
      type: 'spki',
    });
    return verify(null, message, key, signature);
  },
};

/** A key whose seed is 32 times the same byte. */
export function testSigner(name: string, seedByte: number): NoteSigner {
  const seed = new Uint8Array(32).fill(seedByte);
  const key = createPrivateKey({ key: der(PRIVATE_PREFIX, seed), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return {
    name,
    publicKey: new Uint8Array(spki).subarray(PUBLIC_PREFIX.length),
    sign: (message) => new Uint8Array(sign(null, message, key)),
  };
}

function der(prefix: Buffer, key: Uint8Array): Buffer {
  return Buffer.from([...prefix, ...key]);
}

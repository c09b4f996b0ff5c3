import { concatBytes, formatBase64, formatHex, parseBase64 } from '../bytes.ts';
import { DockError } from '../errors.ts';
import { ED25519_TYPE, ed25519Key, isKeyName, keyIdOf } from './note.ts';
import type { Sha256 } from './primitives.ts';

const SEED_BYTES = 32;

/** An Ed25519 key that signs notes, written as Go's note package writes it: `PRIVATE+KEY+name+keyid+base64`. */
export interface PrivateKey {
  readonly name: string;
  readonly seed: Uint8Array;
}

export function formatPrivateKey(key: PrivateKey, publicKey: Uint8Array, sha256: Sha256): string {
  const encoded = formatBase64(concatBytes(Uint8Array.of(ED25519_TYPE), key.seed), true);
  const keyId = formatHex(keyIdOf(ed25519Key(key.name, publicKey), sha256));
  return `PRIVATE+KEY+${key.name}+${keyId}+${encoded}\n`;
}

/** KEY_INVALID never repeats what it refuses. */
export function parsePrivateKey(text: string): PrivateKey {
  const [, name = '', encoded = ''] =
    /^PRIVATE\+KEY\+([^+\n]+)\+[0-9a-f]{8}\+([A-Za-z0-9+/=]+)\n?$/.exec(text) ?? [];
  const bytes = parseBase64(encoded, true);
  if (!isKeyName(name) || bytes?.length !== SEED_BYTES + 1 || bytes[0] !== ED25519_TYPE) {
    throw new DockError('KEY_INVALID', 'a signing key is written PRIVATE+KEY+name+keyid+base64', {
      action: 'Restore the key file from its backup; do not make a new one over it.',
    });
  }
  return { name, seed: bytes.subarray(1) };
}

import { createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { concatBytes, parseBase64 } from '../../core/bytes.ts';
import type { AgeKeySchedule, AgeStanza } from '../../core/evidence/age-header.ts';
import { FILE_KEY_BYTES, refuseHeader } from '../../core/evidence/age-header.ts';
import {
  agree,
  importPoint,
  importSecret,
  pointOf,
  X25519_BYTES,
  type X25519Secret,
} from './x25519.ts';

const STANZA_TYPE = 'X25519';
const WRAP_INFO = 'age-encryption.org/v1/X25519';
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const BODY_BYTES = FILE_KEY_BYTES + TAG_BYTES;
// age: a wrap key wraps one file key, so a fixed nonce is never used twice.
const ZERO_NONCE = new Uint8Array(12);
const AEAD = 'chacha20-poly1305';

function hkdfSha256(ikm: Uint8Array, salt: Uint8Array, info: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', ikm, salt, info, KEY_BYTES));
}

export const NODE_KEY_SCHEDULE: AgeKeySchedule = {
  hkdfSha256,
  hmacSha256: (key, message) => Uint8Array.from(createHmac('sha256', key).update(message).digest()),
};

function openBody(body: Uint8Array, wrapKey: Uint8Array): Uint8Array | undefined {
  const decipher = createDecipheriv(AEAD, wrapKey, ZERO_NONCE, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(body.subarray(FILE_KEY_BYTES));
  const fileKey = Uint8Array.from(decipher.update(body.subarray(0, FILE_KEY_BYTES)));
  try {
    decipher.final();
    return fileKey;
  } catch {
    // The tag is wrong: the stanza is another recipient's, which is an ordinary outcome.
    fileKey.fill(0);
    return undefined;
  }
}

function parseShare(stanza: AgeStanza): Uint8Array {
  const [text] = stanza.args;
  const share = text === undefined ? undefined : parseBase64(text, false);
  if (stanza.args.length !== 1 || share?.length !== X25519_BYTES) {
    throw refuseHeader('an X25519 stanza does not have one share of 32 bytes');
  }
  // age: the size is checked before decrypting, or a crafted body could fit several keys.
  if (stanza.body.length !== BODY_BYTES) {
    throw refuseHeader('an X25519 stanza does not wrap a file key of 16 bytes');
  }
  return share;
}

function unwrapStanza(stanza: AgeStanza, identity: X25519Secret): Uint8Array | undefined {
  const share = parseShare(stanza);
  const shared = agree(identity, importPoint(share));
  if (shared === undefined) throw refuseHeader('an X25519 share is a point of low order');
  const wrapKey = hkdfSha256(shared, concatBytes(share, pointOf(identity)), WRAP_INFO);
  const fileKey = openBody(stanza.body, wrapKey);
  shared.fill(0);
  wrapKey.fill(0);
  return fileKey;
}

/** The file key, or undefined when no stanza is for this identity. OPEN_FAILED for a malformed X25519 stanza. */
export function unwrapFileKey(
  stanzas: readonly AgeStanza[],
  identity: Uint8Array,
): Uint8Array | undefined {
  const secret = importSecret(identity);
  let fileKey: Uint8Array | undefined;
  for (const stanza of stanzas) {
    if (stanza.type !== STANZA_TYPE) continue;
    fileKey ??= unwrapStanza(stanza, secret);
  }
  return fileKey;
}

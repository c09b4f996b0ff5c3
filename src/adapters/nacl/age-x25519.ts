import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import nacl from 'tweetnacl';
import { concatBytes, formatBase64, parseBase64 } from '../../core/bytes.ts';
import { DockError } from '../../core/errors.ts';
import type { AgeKeySchedule, AgeStanza } from '../../core/evidence/age-header.ts';
import { FILE_KEY_BYTES, refuseHeader } from '../../core/evidence/age-header.ts';

const STANZA_TYPE = 'X25519';
const WRAP_INFO = 'age-encryption.org/v1/X25519';
const POINT_BYTES = 32;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const BODY_BYTES = FILE_KEY_BYTES + TAG_BYTES;
// age: a wrap key wraps one file key, so a fixed nonce is never used twice.
const ZERO_NONCE = new Uint8Array(12);
const AEAD = 'chacha20-poly1305';

export interface WrapKeys {
  /** 32 bytes, new for every stanza. Wiped by the caller. */
  readonly ephemeralSecret: Uint8Array;
  /** 32 bytes. */
  readonly recipient: Uint8Array;
}

function hkdfSha256(ikm: Uint8Array, salt: Uint8Array, info: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', ikm, salt, info, KEY_BYTES));
}

export const NODE_KEY_SCHEDULE: AgeKeySchedule = {
  hkdfSha256,
  hmacSha256: (key, message) => Uint8Array.from(createHmac('sha256', key).update(message).digest()),
};

/** Undefined when it is all zero: age refuses such a secret, because anyone could compute it. */
function sharedSecret(secret: Uint8Array, point: Uint8Array): Uint8Array | undefined {
  const shared = nacl.scalarMult(secret, point);
  return shared.every((byte) => byte === 0) ? undefined : shared;
}

/** RECIPIENT_INVALID for a recipient of low order. */
export function wrapFileKey(fileKey: Uint8Array, keys: WrapKeys): AgeStanza {
  const share = nacl.scalarMult.base(keys.ephemeralSecret);
  const shared = sharedSecret(keys.ephemeralSecret, keys.recipient);
  if (shared === undefined) {
    throw new DockError('RECIPIENT_INVALID', 'a recipient is a point of low order');
  }
  const wrapKey = hkdfSha256(shared, concatBytes(share, keys.recipient), WRAP_INFO);
  const cipher = createCipheriv(AEAD, wrapKey, ZERO_NONCE, { authTagLength: TAG_BYTES });
  const sealed = Uint8Array.from([
    ...cipher.update(fileKey),
    ...cipher.final(),
    ...cipher.getAuthTag(),
  ]);
  shared.fill(0);
  wrapKey.fill(0);
  return { type: STANZA_TYPE, args: [formatBase64(share, false)], body: sealed };
}

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
  if (stanza.args.length !== 1 || share?.length !== POINT_BYTES) {
    throw refuseHeader('an X25519 stanza does not have one share of 32 bytes');
  }
  // age: the size is checked before decrypting, or a crafted body could fit several keys.
  if (stanza.body.length !== BODY_BYTES) {
    throw refuseHeader('an X25519 stanza does not wrap a file key of 16 bytes');
  }
  return share;
}

function unwrapStanza(stanza: AgeStanza, identity: Uint8Array): Uint8Array | undefined {
  const share = parseShare(stanza);
  const shared = sharedSecret(identity, share);
  if (shared === undefined) throw refuseHeader('an X25519 share is a point of low order');
  const recipient = nacl.scalarMult.base(identity);
  const wrapKey = hkdfSha256(shared, concatBytes(share, recipient), WRAP_INFO);
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
  let fileKey: Uint8Array | undefined;
  for (const stanza of stanzas) {
    if (stanza.type !== STANZA_TYPE) continue;
    fileKey ??= unwrapStanza(stanza, identity);
  }
  return fileKey;
}

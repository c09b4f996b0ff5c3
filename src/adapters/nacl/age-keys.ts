import { bech32 } from '@scure/base';
import { DockError } from '../../core/errors.ts';
import type { Random } from '../../ports/random.ts';
import { agree, importPoint, importSecret, pointOf } from './x25519.ts';

/** age: X25519 recipients and identities in their Bech32 spelling. */
const RECIPIENT_PREFIX = 'age';
const IDENTITY_PREFIX = 'age-secret-key-';
const KEY_BYTES = 32;

export interface AgeKeyPair {
  /** 32 bytes. */
  readonly identity: Uint8Array;
  readonly recipient: Uint8Array;
}

/** True when every shared secret with this point is zero: whoever sees the file could open it. */
export function isLowOrder(point: Uint8Array): boolean {
  return (
    agree(importSecret(new Uint8Array(KEY_BYTES).fill(0x55)), importPoint(point)) === undefined
  );
}

function recipientFault(reason: string): DockError {
  return new DockError('RECIPIENT_INVALID', `not a valid age recipient: ${reason}`, {
    action: 'Copy the recipient (age1...) again from the file that the key generation wrote.',
  });
}

function identityFault(reason: string): DockError {
  return new DockError('IDENTITY_INVALID', `not a valid age identity: ${reason}`, {
    action: 'Give the identity file (AGE-SECRET-KEY-1...) that the key generation wrote.',
  });
}

function decodeKey(text: string, prefix: string): Uint8Array | string {
  const decoded = bech32.decodeUnsafe(text, false);
  if (decoded === undefined) return 'its checksum or spelling is wrong';
  if (decoded.prefix !== prefix) return 'it is of another kind';
  const bytes = bech32.fromWordsUnsafe(decoded.words);
  if (!(bytes instanceof Uint8Array)) return 'its last character is wrong';
  return bytes.length === KEY_BYTES ? bytes : `it holds ${bytes.length} bytes, not 32`;
}

/** 32 bytes. Throws RECIPIENT_INVALID, whose message never repeats what may be a secret. */
export function parseRecipient(text: string): Uint8Array {
  if (/^age-secret-key-/i.test(text)) {
    throw recipientFault('this is a secret identity, which must never be on a dock');
  }
  if (/^age1(pq|tag|se|yubikey)/.test(text) && text.length > 62) {
    throw recipientFault('only X25519 recipients are supported');
  }
  if (!/^age1[0-9a-z]+$/.test(text)) throw recipientFault('it does not look like age1...');
  const key = decodeKey(text, RECIPIENT_PREFIX);
  if (typeof key === 'string') throw recipientFault(`${text}: ${key}`);
  if (isLowOrder(key)) throw recipientFault(`${text}: it is a point of low order`);
  return key;
}

export function formatRecipient(recipient: Uint8Array): string {
  return bech32.encode(RECIPIENT_PREFIX, bech32.toWords(recipient), false);
}

/** 32 bytes. Throws IDENTITY_INVALID without repeating the text. */
export function parseIdentity(text: string): Uint8Array {
  if (!/^AGE-SECRET-KEY-1[0-9A-Z]+$/.test(text)) {
    throw identityFault('it does not look like AGE-SECRET-KEY-1...');
  }
  const key = decodeKey(text, IDENTITY_PREFIX);
  if (typeof key === 'string') throw identityFault(key);
  return key;
}

export function formatIdentity(identity: Uint8Array): string {
  return bech32.encode(IDENTITY_PREFIX, bech32.toWords(identity), false).toUpperCase();
}

export function recipientOf(identity: Uint8Array): Uint8Array {
  return pointOf(importSecret(identity));
}

export function generateKeyPair(random: Random): AgeKeyPair {
  const identity = random.bytes(KEY_BYTES);
  return { identity, recipient: recipientOf(identity) };
}

/** Laid out as age-keygen does it. */
export function formatIdentityFile(identity: Uint8Array, createdAt: Date): string {
  const created = createdAt.toISOString().replace(/\.\d+Z$/, 'Z');
  const recipient = formatRecipient(recipientOf(identity));
  return `# created: ${created}\n# public key: ${recipient}\n${formatIdentity(identity)}\n`;
}

/** The identities of a file as age-keygen writes it: one a line, `#` begins a comment. Throws IDENTITY_INVALID. */
export function parseIdentityFile(text: string): readonly Uint8Array[] {
  const identities: Uint8Array[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line === '' || line.startsWith('#')) continue;
    try {
      identities.push(parseIdentity(line));
    } catch (error) {
      throw new DockError(
        'IDENTITY_INVALID',
        `identity file, line ${index + 1}: no valid identity`,
        {
          cause: error,
          action: 'Give the identity file that the key generation wrote, unchanged.',
        },
      );
    }
  }
  if (identities.length === 0) throw identityFault('the file holds none');
  return identities;
}

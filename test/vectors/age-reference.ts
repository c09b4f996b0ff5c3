/** age headers made in TypeScript, beside the native ones: tests shape what they open with these. */
import { createCipheriv } from 'node:crypto';
import { NODE_KEY_SCHEDULE } from '../../src/adapters/nacl/age-x25519.ts';
import {
  agree,
  pointOf,
  type X25519Point,
  type X25519Secret,
} from '../../src/adapters/nacl/x25519.ts';
import { concatBytes, formatBase64, utf8 } from '../../src/core/bytes.ts';
import type { AgeKeySchedule, AgeStanza } from '../../src/core/evidence/age-header.ts';

const COLUMNS = 64;

export interface WrapKeys {
  readonly ephemeral: X25519Secret;
  readonly recipient: X25519Point;
}

/** An X25519 stanza of this file key. */
export function wrapFileKey(fileKey: Uint8Array, { ephemeral, recipient }: WrapKeys): AgeStanza {
  const share = pointOf(ephemeral);
  const shared = agree(ephemeral, recipient);
  if (shared === undefined) throw new Error('a point of low order');
  const salt = concatBytes(share, recipient.bytes);
  const key = NODE_KEY_SCHEDULE.hkdfSha256(shared, salt, 'age-encryption.org/v1/X25519');
  const cipher = createCipheriv('chacha20-poly1305', key, new Uint8Array(12), {
    authTagLength: 16,
  });
  const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
  return {
    type: 'X25519',
    args: [formatBase64(share, false)],
    body: Uint8Array.from(body),
  };
}

function formatStanza({ type, args, body }: AgeStanza): string {
  const text = formatBase64(body, false);
  const lines: string[] = [];
  for (let at = 0; at <= text.length; at += COLUMNS) lines.push(text.slice(at, at + COLUMNS));
  return `-> ${[type, ...args].join(' ')}\n${lines.join('\n')}\n`;
}

/** A whole header with its MAC. */
export function formatAgeHeader(
  stanzas: readonly AgeStanza[],
  fileKey: Uint8Array,
  schedule: AgeKeySchedule,
): Uint8Array {
  const start = utf8(`age-encryption.org/v1\n${stanzas.map(formatStanza).join('')}---`);
  const key = schedule.hkdfSha256(fileKey, new Uint8Array(0), 'header');
  const mac = formatBase64(schedule.hmacSha256(key, start), false);
  return concatBytes(start, utf8(` ${mac}\n`));
}

import { DockError } from '../../core/errors.ts';
import type { AgeHeader, OpenAgeHeader, OpenedAgeHeader } from '../../core/evidence/age-header.ts';
import {
  derivePayloadKey,
  PAYLOAD_NONCE_BYTES,
  parseAgeHeader,
  refuseHeader,
  verifyAgeHeaderMac,
} from '../../core/evidence/age-header.ts';
import { parseRecipient } from './age-keys.ts';
import { NODE_KEY_SCHEDULE, unwrapFileKey } from './age-x25519.ts';

/** What files are sealed to, 32 bytes each. RECIPIENT_INVALID now, not at the first clip. */
export function parseRecipients(recipients: readonly string[]): readonly Uint8Array[] {
  const points = recipients.map(parseRecipient);
  if (points.length === 0) {
    throw new DockError('RECIPIENT_INVALID', 'there is no recipient to seal to', {
      action: "Give the council's recipients: evidence and escrow.",
    });
  }
  if (new Set(recipients).size !== recipients.length) {
    throw new DockError('RECIPIENT_INVALID', 'a recipient is given twice', {
      action: 'Give each recipient once; the escrow needs a key of its own.',
    });
  }
  return points;
}

function fileKeyOf(header: AgeHeader, identities: readonly Uint8Array[]): Uint8Array {
  // age: a passphrase stanza stands alone, and the vault never has one.
  if (header.stanzas.some((stanza) => stanza.type === 'scrypt')) {
    throw refuseHeader('it is sealed with a passphrase');
  }
  for (const identity of identities) {
    const fileKey = unwrapFileKey(header.stanzas, identity);
    if (fileKey !== undefined) return fileKey;
  }
  throw new DockError('OPEN_FAILED', 'the file is not sealed to this identity', {
    action: 'Use the identity of one of the recipients of this dock.',
  });
}

function openHeader(start: Uint8Array, identities: readonly Uint8Array[]): OpenedAgeHeader {
  const header = parseAgeHeader(start);
  const fileKey = fileKeyOf(header, identities);
  if (!verifyAgeHeaderMac(header, fileKey, NODE_KEY_SCHEDULE)) {
    throw new DockError('OPEN_FAILED', 'age header MAC is wrong: the header was altered');
  }
  const prefix = start.slice(0, header.sizeBytes + PAYLOAD_NONCE_BYTES);
  if (prefix.length < header.sizeBytes + PAYLOAD_NONCE_BYTES) {
    throw refuseHeader('the payload nonce is cut');
  }
  const nonce = prefix.subarray(header.sizeBytes);
  const payloadKey = derivePayloadKey(fileKey, nonce, NODE_KEY_SCHEDULE);
  fileKey.fill(0);
  return { prefix, payloadKey, stanzaCount: header.stanzas.length };
}

export function ageHeaderOpener(identities: readonly Uint8Array[]): OpenAgeHeader {
  return (start) => openHeader(start, identities);
}

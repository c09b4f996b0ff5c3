import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concatBytes, utf8 } from '../../../src/core/bytes.ts';
import { isDockError } from '../../../src/core/errors.ts';
import type { AgeKeySchedule, AgeStanza } from '../../../src/core/evidence/age-header.ts';
import {
  AGE_HEADER_BYTES_MAX,
  derivePayloadKey,
  parseAgeHeader,
  verifyAgeHeaderMac,
} from '../../../src/core/evidence/age-header.ts';
import { formatAgeHeader } from '../../vectors/age-reference.ts';

const header = suite('age header');
const FILE_KEY = Uint8Array.from({ length: 16 }, (_, index) => index);
const MAC = 'A'.repeat(43);
const VERSION = 'age-encryption.org/v1\n';
const STANZA = '-> X25519 abc\nAAAA\n';
const GOOD = `${VERSION}${STANZA}--- ${MAC}\n`;

/** Enough of a key schedule to see what goes into it. */
const SCHEDULE: AgeKeySchedule = {
  hkdfSha256: (ikm, salt, info) => {
    const key = new Uint8Array(32);
    for (const [index, byte] of concatBytes(ikm, salt, utf8(info)).entries()) {
      key[index % 32] = ((key[index % 32] ?? 0) * 31 + byte) & 0xff;
    }
    return key;
  },
  hmacSha256: (key, message) => SCHEDULE.hkdfSha256(key, message, 'mac'),
};

function stanza(bodyBytes: number): AgeStanza {
  return {
    type: 'X25519',
    args: ['share', `n${bodyBytes}`],
    body: new Uint8Array(bodyBytes).fill(7),
  };
}

header('is read again as it was written, with bodies of every length around a line', () => {
  const stanzas = [0, 1, 32, 47, 48, 49, 96, 97].map(stanza);
  const bytes = formatAgeHeader(stanzas, FILE_KEY, SCHEDULE);
  const parsed = parseAgeHeader(concatBytes(bytes, new Uint8Array(40)));
  assert.equal(parsed.stanzas, stanzas);
  assert.is(parsed.sizeBytes, bytes.length);
  assert.ok(verifyAgeHeaderMac(parsed, FILE_KEY, SCHEDULE));
  assert.not(verifyAgeHeaderMac(parsed, FILE_KEY.toReversed(), SCHEDULE));
});

header('has a MAC over all of it up to the three hyphens', () => {
  const parsed = parseAgeHeader(utf8(GOOD));
  assert.equal(parsed.macInput, utf8(`${VERSION}${STANZA}---`));
  assert.is(parsed.mac.length, 32);
});

header('gives another payload key for another nonce', () => {
  const key = derivePayloadKey(FILE_KEY, new Uint8Array(16), SCHEDULE);
  assert.not.equal(key, derivePayloadKey(FILE_KEY, new Uint8Array(16).fill(1), SCHEDULE));
});

const BAD: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['another version', GOOD.replace('v1', 'v2')],
  ['no stanza', `${VERSION}--- ${MAC}\n`],
  ['no MAC', `${VERSION}${STANZA}`],
  ['a MAC without its line feed', GOOD.slice(0, -1)],
  ['a short MAC', `${VERSION}${STANZA}--- ${MAC.slice(1)}\n`],
  ['a padded MAC', `${VERSION}${STANZA}--- ${MAC}=\n`],
  ['a MAC that is not canonical', `${VERSION}${STANZA}--- ${MAC.slice(1)}B\n`],
  ['two spaces before the MAC', `${VERSION}${STANZA}---  ${MAC}\n`],
  ['a space after the MAC', `${VERSION}${STANZA}--- ${MAC} \n`],
  ['CRLF', GOOD.replaceAll('\n', '\r\n')],
  ['a stanza without arguments', GOOD.replace('-> X25519 abc', '->')],
  ['an empty argument', GOOD.replace('X25519 abc', 'X25519  abc')],
  ['a trailing space', GOOD.replace('abc\n', 'abc \n')],
  ['a control character', GOOD.replace('abc', 'a\tc')],
  ['a letter beyond ASCII', GOOD.replace('abc', 'aé')],
  ['a padded body', GOOD.replace('AAAA', 'AAA=')],
  ['a body that is not canonical', GOOD.replace('AAAA', 'AB')],
  ['a body line that is too long', GOOD.replace('AAAA', 'A'.repeat(68))],
  ['a full body line without a short one', GOOD.replace('AAAA', 'A'.repeat(64))],
  ['two short body lines', GOOD.replace('AAAA', 'AAAA\nAAAA')],
  ['a stanza without a body', GOOD.replace('AAAA\n', '')],
];

for (const [name, text] of BAD) {
  header(`is refused with ${name}`, () => {
    assert.throws(
      () => parseAgeHeader(utf8(text)),
      (error: unknown) => isDockError(error, 'OPEN_FAILED') && error.message.includes('refused'),
    );
  });
}

header('is refused when cut at any byte', () => {
  for (let size = 0; size < GOOD.length; size++) {
    assert.throws(() => parseAgeHeader(utf8(GOOD.slice(0, size))), /age header refused/, `${size}`);
  }
});

header('is refused when it is longer than any real one', () => {
  const long = `${VERSION}${STANZA.repeat(Math.ceil(AGE_HEADER_BYTES_MAX / STANZA.length))}--- ${MAC}\n`;
  assert.throws(() => parseAgeHeader(utf8(long)), /age header refused/);
  assert.throws(() => parseAgeHeader(new Uint8Array(1 << 20).fill(65)), /age header refused/);
});

header.run();

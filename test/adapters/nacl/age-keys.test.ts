import { bech32 } from '@scure/base';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ageHeaderOpener, parseRecipients } from '../../../src/adapters/nacl/age-file.ts';
import {
  formatIdentity,
  formatIdentityFile,
  formatRecipient,
  generateKeyPair,
  isLowOrder,
  parseIdentity,
  parseIdentityFile,
  parseRecipient,
  recipientOf,
} from '../../../src/adapters/nacl/age-keys.ts';
import { NODE_KEY_SCHEDULE, unwrapFileKey } from '../../../src/adapters/nacl/age-x25519.ts';
import { importPoint, newSecret } from '../../../src/adapters/nacl/x25519.ts';
import { concatBytes, parseHex, utf8 } from '../../../src/core/bytes.ts';
import { isDockError } from '../../../src/core/errors.ts';
import { FakeRandom } from '../../fakes/fake-random.ts';
import { formatAgeHeader, wrapFileKey } from '../../vectors/age-reference.ts';

const keys = suite('age keys');
const random = new FakeRandom(5);
const pair = generateKeyPair(random);
const recipient = formatRecipient(pair.recipient);
const LOW_ORDER = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
];

function refuses(act: () => unknown, code: 'RECIPIENT_INVALID' | 'IDENTITY_INVALID', text: RegExp) {
  assert.throws(act, (error: unknown) => isDockError(error, code) && text.test(error.message));
}

keys('are spelled as another age program spells them', async () => {
  const text = await generateX25519Identity();
  const identity = parseIdentity(text);
  assert.is(formatIdentity(identity), text);
  assert.is(formatRecipient(recipientOf(identity)), await identityToRecipient(text));
  assert.equal(parseRecipient(recipient), pair.recipient);
});

keys('say what is wrong with a recipient', () => {
  const last = recipient.at(-1) === 'q' ? 'p' : 'q';
  const short = bech32.encode('age', bech32.toWords(new Uint8Array(31)), false);
  refuses(() => parseRecipient(''), 'RECIPIENT_INVALID', /does not look like/);
  refuses(() => parseRecipient(` ${recipient}`), 'RECIPIENT_INVALID', /does not look like/);
  refuses(() => parseRecipient(recipient.toUpperCase()), 'RECIPIENT_INVALID', /does not look like/);
  refuses(() => parseRecipient(recipient.slice(0, -1) + last), 'RECIPIENT_INVALID', /checksum/);
  refuses(() => parseRecipient(short), 'RECIPIENT_INVALID', /31 bytes/);
  refuses(() => parseRecipient(`age1pq${'q'.repeat(100)}`), 'RECIPIENT_INVALID', /only X25519/);
});

keys('never repeat a secret that is given as a recipient', () => {
  const secret = formatIdentity(pair.identity);
  for (const text of [secret, secret.toLowerCase()]) {
    refuses(() => parseRecipient(text), 'RECIPIENT_INVALID', /never be on a dock/);
    refuses(
      () => parseRecipient(text),
      'RECIPIENT_INVALID',
      /^(?!.*age-secret-key-1q?[0-9a-z]{9})/i,
    );
  }
  refuses(
    () => parseIdentity(`${secret}Q`),
    'IDENTITY_INVALID',
    /^(?!.*AGE-SECRET-KEY-1[0-9A-Z]{9})/,
  );
});

for (const hex of LOW_ORDER) {
  keys(`of low order are refused: ${hex.slice(0, 12)}`, () => {
    const point = parseHex(hex, 32) ?? new Uint8Array(0);
    assert.ok(isLowOrder(point));
    refuses(() => parseRecipient(formatRecipient(point)), 'RECIPIENT_INVALID', /low order/);
  });
}

keys('are read from a file as it is written, with comments and several identities', () => {
  const other = generateKeyPair(random);
  const text = formatIdentityFile(pair.identity, new Date(0));
  assert.match(
    text,
    /^# created: 1970-01-01T00:00:00Z\n# public key: age1[0-9a-z]{58}\nAGE-SECRET-KEY-1/,
  );
  assert.equal(parseIdentityFile(text), [pair.identity]);
  const two = `${text}\r\n\n${formatIdentity(other.identity)}\r\n`;
  assert.equal(parseIdentityFile(two), [pair.identity, other.identity]);
});

keys('say which line of an identity file is wrong', () => {
  refuses(() => parseIdentityFile(''), 'IDENTITY_INVALID', /holds none/);
  refuses(() => parseIdentityFile(`# x\n${recipient}\n`), 'IDENTITY_INVALID', /line 2/);
});

keys('wrap a file key that only the right identity unwraps', () => {
  const fileKey = random.bytes(16);
  const wrap = { ephemeral: newSecret(), recipient: importPoint(pair.recipient) };
  const stanza = wrapFileKey(fileKey, wrap);
  assert.equal(unwrapFileKey([stanza], pair.identity), fileKey);
  assert.is(unwrapFileKey([stanza], generateKeyPair(random).identity), undefined);
});

keys('refuse an altered header by its MAC', () => {
  const fileKey = random.bytes(16);
  const keysOf = { ephemeral: newSecret(), recipient: importPoint(pair.recipient) };
  const header = formatAgeHeader([wrapFileKey(fileKey, keysOf)], fileKey, NODE_KEY_SCHEDULE);
  const good = concatBytes(header, new Uint8Array(16));
  assert.is(ageHeaderOpener([pair.identity])(good).stanzaCount, 1);
  const text = new TextDecoder('latin1').decode(good);
  const grease = Uint8Array.from(text.replace('--- ', '-> grease\n\n--- '), (letter) =>
    letter.charCodeAt(0),
  );
  assert.throws(() => ageHeaderOpener([pair.identity])(grease), /MAC is wrong/);
  assert.throws(() => ageHeaderOpener([pair.identity])(utf8('age')), /refused/);
});

keys('are refused when there is none, or the same one twice', () => {
  refuses(() => parseRecipients([]), 'RECIPIENT_INVALID', /no recipient/);
  refuses(() => parseRecipients([recipient, recipient]), 'RECIPIENT_INVALID', /twice/);
});

keys.run();

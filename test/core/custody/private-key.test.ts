import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatPrivateKey, parsePrivateKey } from '../../../src/core/custody/private-key.ts';
import { isDockError } from '../../../src/core/errors.ts';
import { sha256, testSigner } from './keys.ts';

const keys = suite('private key');
const seed = new Uint8Array(32).fill(7);
const { publicKey } = testSigner('site/dock/log', 7);
const text = formatPrivateKey({ name: 'site/dock/log', seed }, publicKey, sha256);

keys('reads what it wrote', () => {
  assert.equal(parsePrivateKey(text), { name: 'site/dock/log', seed });
  assert.equal(parsePrivateKey(text.trimEnd()).seed, seed);
});

keys('is written as the note package of Go writes it', () => {
  assert.match(
    text,
    /^PRIVATE\+KEY\+site\/dock\/log\+[0-9a-f]{8}\+AQcHBwcH[A-Za-z0-9+/]+={0,2}\n$/,
  );
});

keys('refuses anything else, and never repeats it', () => {
  const encoded = text.split('+').at(-1)?.trim() ?? '';
  const wrong = [
    '',
    '\n',
    `${text}\n`,
    ` ${text}`,
    text.replace('PRIVATE+KEY', 'PUBLIC+KEY'),
    text.replace('AQcH', 'AgcH'),
    text.slice(0, -6),
    `${text.trimEnd()}AAAA\n`,
    text.replace('site/dock/log', 'site dock log'),
    text.replace('site/dock/log', ''),
    text.toUpperCase(),
  ];
  for (const each of wrong) {
    try {
      parsePrivateKey(each);
      assert.unreachable(`taken: ${JSON.stringify(each)}`);
    } catch (error) {
      assert.ok(isDockError(error, 'KEY_INVALID'), String(error));
      assert.not(String(error).includes(encoded.slice(4, 30)));
    }
  }
});

keys.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatVerifierKey } from '../../../src/core/custody/note.ts';
import { isDockError } from '../../../src/core/errors.ts';
import { cosignatureKey } from '../../../src/core/witness/cosignature.ts';
import { parseVerifyPolicy, verifyCosigned } from '../../../src/core/witness/policy.ts';
import { sha256, testCrypto, testSigner } from '../custody/keys.ts';
import { AT_MS, cosigned, LOG, POLICY, signed, treeOf, WITNESS_KEY } from './kit.ts';

const policy = suite('verify policy');
const [LOG_KEY] = POLICY.logs;
const LOG_LINE = `log ${LOG_KEY === undefined ? '' : formatVerifierKey(LOG_KEY, sha256)}\n`;
const WITNESS_LINE = `witness ${formatVerifierKey(WITNESS_KEY, sha256)}\n`;

policy('reads logs, witnesses and the quorum, and leaves comments alone', () => {
  const text = `# ours\n${WITNESS_LINE}quorum 1\n\n${LOG_LINE}`;
  const read = parseVerifyPolicy(text, sha256);
  assert.equal(read, { logs: [LOG_KEY], witnesses: [WITNESS_KEY], quorum: 1 });
  const named = parseVerifyPolicy(
    WITNESS_LINE.replace(' ', ' centre ').concat('quorum centre\n'),
    sha256,
  );
  assert.equal(named, { logs: [], witnesses: [WITNESS_KEY], quorum: 1 });
  assert.is(parseVerifyPolicy(`${LOG_LINE}quorum none\n`, sha256).quorum, 0);
});

policy('refuses what it does not know, keys of the wrong kind, and a quorum out of reach', () => {
  const wrong: readonly [string, string][] = [
    ['trust me\n', 'CONFIG_INVALID'],
    [`${WITNESS_LINE}quorum 2\n`, 'CONFIG_INVALID'],
    ['quorum 1\n', 'CONFIG_INVALID'],
    [`${WITNESS_LINE}quorum some\n`, 'CONFIG_INVALID'],
    [LOG_LINE.replace('log', 'witness'), 'KEY_INVALID'],
    [WITNESS_LINE.replace('witness', 'log'), 'KEY_INVALID'],
    ['log x\n', 'KEY_INVALID'],
  ];
  for (const [text, code] of wrong) {
    try {
      parseVerifyPolicy(text, sha256);
      assert.unreachable(text);
    } catch (error) {
      assert.ok(isDockError(error) && error.code === code, `${text}: ${error}`);
    }
  }
});

policy('counts each witness once, and every one that it demands', () => {
  const second = testSigner('other/witness', 12);
  const keys = [WITNESS_KEY, cosignatureKey(second.name, second.publicKey)];
  const two = { ...POLICY, witnesses: keys, quorum: 2 };
  const note = cosigned(signed(treeOf(3)));
  const doubled = note + note.slice(note.lastIndexOf('—'));
  assert.is(verifyCosigned(note, two, testCrypto).checkpoint, undefined);
  assert.is(verifyCosigned(doubled, two, testCrypto).checkpoint, undefined);
  const other = cosigned(signed(treeOf(3)), AT_MS, second);
  const both = note + other.slice(other.lastIndexOf('—'));
  assert.is(verifyCosigned(both, two, testCrypto).checkpoint?.treeSize, 3);
});

policy('needs the signature of the log, whoever else has signed', () => {
  const note = cosigned(signed(treeOf(3)));
  const unsigned = note.replace(/— leeds[^\n]*\n/, '');
  assert.is(verifyCosigned(unsigned, POLICY, testCrypto).checkpoint, undefined);
  assert.is(verifyCosigned(note, { ...POLICY, logs: [] }, testCrypto).checkpoint, undefined);
  assert.is(verifyCosigned(note, POLICY, testCrypto).checkpoint?.origin, LOG.name);
});

policy.run();

import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatBase64, utf8 } from '../../../src/core/bytes.ts';
import {
  ed25519Key,
  formatNote,
  formatVerifierKey,
  parseNote,
  parseVerifierKey,
  signNote,
  verifyNote,
} from '../../../src/core/custody/note.ts';
import { isDockError } from '../../../src/core/errors.ts';
import { sha256, testCrypto, testSigner } from './keys.ts';

const log = testSigner('depot/dock-1/log', 1);
const stranger = testSigner('depot/dock-2/log', 2);
const logKey = ed25519Key(log.name, log.publicKey);
const strangerKey = ed25519Key(stranger.name, stranger.publicKey);
const TEXT = 'docket/test/v1\nanswer 42\n';

function codesOf(note: string | Uint8Array, keys = [logKey]): string[] {
  return verifyNote(note, keys, testCrypto).findings.map(({ code }) => code);
}

function refused(note: string | Uint8Array): boolean {
  try {
    parseNote(note);
    return false;
  } catch (error) {
    return isDockError(error, 'NOTE_INVALID');
  }
}

/** The note with a further signature line. */
function withLine(note: string, line: string): string {
  return `${note}${line}\n`;
}

function lineOf(note: string): string {
  return note.split('\n').at(-2) ?? '';
}

const note = suite('note');

note('verifies what it signed and names the signer', () => {
  const signed = signNote(TEXT, log, sha256);
  const verdict = verifyNote(signed, [logKey, strangerKey], testCrypto);
  assert.equal(verdict, { ok: true, text: TEXT, signedBy: [log.name], findings: [] });
  assert.equal(verifyNote(utf8(signed), [logKey], testCrypto).ok, true);
});

note('keeps any text of printable lines through signing and parsing', () => {
  const line = fc.stringMatching(/^[ -~\u00a0-\u024f\u2010-\u2027]{0,40}$/);
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), (lines) => {
      const text = `${lines.join('\n')}\n`;
      const signed = signNote(text, log, sha256);
      assert.is(parseNote(signed).text, text);
      assert.is(formatNote(parseNote(signed)), signed);
      assert.ok(verifyNote(signed, [logKey], testCrypto).ok);
    }),
    { numRuns: 200 },
  );
});

note('rejects every note with one byte changed', () => {
  const signed = utf8(signNote(TEXT, log, sha256));
  for (let at = 0; at < signed.length; at++) {
    for (const flip of [0x01, 0x20, 0x80]) {
      const mutated = signed.slice();
      mutated[at] = (mutated[at] ?? 0) ^ flip;
      assert.not(verifyNote(mutated, [logKey], testCrypto).ok, `byte ${at} ^ ${flip}`);
    }
  }
});

note('rejects every note that was cut or that something was added to', () => {
  const signed = signNote(TEXT, log, sha256);
  for (let length = 0; length < signed.length; length++) {
    assert.not(verifyNote(signed.slice(0, length), [logKey], testCrypto).ok, `cut at ${length}`);
  }
  for (const tail of ['\n', ' ', 'x', '\n\n', '— \n', '\u2014 name\n', '\u0000']) {
    assert.not(verifyNote(signed + tail, [logKey], testCrypto).ok, JSON.stringify(tail));
  }
});

note('ignores unknown keys, and rejects when no known key has signed', () => {
  const signed = signNote(TEXT, log, sha256);
  const both = withLine(signed, lineOf(signNote(TEXT, stranger, sha256)));
  assert.ok(verifyNote(both, [logKey], testCrypto).ok);
  assert.equal(verifyNote(both, [logKey, strangerKey], testCrypto).signedBy, [
    log.name,
    stranger.name,
  ]);
  assert.equal(codesOf(signed, [strangerKey]), ['NOTE_UNSIGNED']);
  assert.equal(codesOf(signed, []), ['NOTE_UNSIGNED']);
});

note('rejects the whole note when one known key has signed it wrongly', () => {
  const signed = signNote(TEXT, log, sha256);
  const wrong = lineOf(signNote('docket/test/v1\nanswer 43\n', stranger, sha256));
  assert.equal(codesOf(withLine(signed, wrong), [logKey, strangerKey]), ['SIGNATURE_WRONG']);
  assert.equal(codesOf(withLine(signed, wrong), [logKey]), []);
});

note('takes a key of the same name but another id for a stranger', () => {
  const impostor = testSigner(log.name, 3);
  assert.equal(codesOf(signNote(TEXT, impostor, sha256)), ['NOTE_UNSIGNED']);
});

note('rejects a signature of the wrong length without asking the primitive', () => {
  const { keyId } = parseNote(signNote(TEXT, log, sha256)).signatures[0] ?? { keyId: utf8('') };
  for (const length of [1, 63, 65]) {
    const signature = new Uint8Array(length);
    const short = formatNote({ text: TEXT, signatures: [{ name: log.name, keyId, signature }] });
    assert.equal(codesOf(short), ['SIGNATURE_WRONG']);
  }
});

note('takes the last blank line for the end of the text', () => {
  const text = 'one\n\n\u2014 depot/dock-1/log AAAAAAAA\n\ntwo\n';
  const signed = signNote(text, log, sha256);
  assert.is(parseNote(signed).text, text);
});

note('refuses control characters, broken UTF-8 and lone surrogates', () => {
  const signed = signNote(TEXT, log, sha256);
  for (const bad of ['\u0000', '\t', '\r', '\u001b[31m', '\ud800']) {
    assert.ok(refused(signed.replace('answer', bad)), JSON.stringify(bad));
    assert.throws(() => signNote(`a${bad}b\n`, log, sha256), isInvalid);
  }
  assert.ok(refused(Uint8Array.of(...utf8('a\xff\n').subarray(0, 1), 0xff, 0x0a)));
});

note('refuses more than sixteen signatures and more than 64 KiB of text', () => {
  const signed = signNote(TEXT, log, sha256);
  const line = `${lineOf(signed)}\n`;
  assert.not(refused(signed + line.repeat(15)));
  assert.ok(refused(signed + line.repeat(16)));
  assert.ok(refused(`${'a'.repeat(65_536)}\n\n${line}`));
  assert.throws(() => signNote(`${'a'.repeat(65_536)}\n`, log, sha256), isInvalid);
});

note('refuses names and base64 outside the grammar', () => {
  const good = formatBase64(new Uint8Array(68), true);
  for (const line of [
    `- name ${good}`,
    `\u2014  ${good}`,
    `\u2014 na+me ${good}`,
    `\u2014 na\u00a0me ${good}`,
    `\u2014 name ${good} x`,
    `\u2014 name ${good.slice(0, -2)}`,
    '\u2014 name AAAA',
    '\u2014 name',
  ]) {
    assert.ok(refused(`${TEXT}\n${line}\n`), line);
  }
});

note('writes a verifier key that it reads again, and refuses one whose id is another key’s', () => {
  const text = formatVerifierKey(logKey, sha256);
  assert.match(text, /^depot\/dock-1\/log\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$/);
  assert.equal(parseVerifierKey(text, sha256), logKey);
  const [name = '', id = ''] = text.split('+');
  const other = formatVerifierKey(strangerKey, sha256).slice(stranger.name.length + 10);
  for (const bad of [`${name}+${id}+${other}`, `${name}+${id}`, '', `${name}+00000000+AQ==`]) {
    assert.throws(
      () => parseVerifierKey(bad, sha256),
      (error: unknown) => isDockError(error, 'KEY_INVALID'),
    );
  }
});

function isInvalid(error: unknown): boolean {
  return isDockError(error, 'NOTE_INVALID');
}

note.run();

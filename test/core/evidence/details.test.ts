import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { utf8 } from '../../../src/core/bytes.ts';
import { isDockError } from '../../../src/core/errors.ts';
import type { ClipId } from '../../../src/core/evidence/clip.ts';
import {
  DETAILS_BYTES_MAX,
  escapeForTerminal,
  formatDetails,
  parseDetails,
} from '../../../src/core/evidence/details.ts';

const details = suite('details');

const CLIP = '0123456789abcdef0123456789abcdef' as ClipId;
const SHA256 = 'ab'.repeat(32);

function sample(name: string, wearer = '') {
  return { clip: CLIP, sha256: SHA256, record: Uint8Array.of(1, 2, 3), name, wearer };
}

function refuses(text: string): void {
  try {
    parseDetails(utf8(text));
  } catch (error) {
    assert.ok(isDockError(error, 'OPEN_FAILED'), String(error));
    return;
  }
  assert.unreachable(`it took ${text}`);
}

details('keeps every name verbatim, however hostile', () => {
  const names = [
    '',
    '../../etc/passwd',
    'a\nb\0c',
    '\u202egpj.exe',
    '\u001b[2J',
    '"\\',
    'Ünïcode 🎥',
  ];
  for (const name of names) {
    const value = sample(name, name);
    assert.equal(parseDetails(formatDetails(value)), value);
  }
});

details('says the same after it was written and read', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 60 });
  fc.assert(
    fc.property(text, text, fc.uint8Array({ maxLength: 576 }), (name, wearer, record) => {
      const value = { ...sample(name, wearer), record };
      assert.equal(parseDetails(formatDetails(value)), value);
    }),
  );
});

details('the longest names and record fit', () => {
  const value = {
    ...sample('\u0001'.repeat(255), '\u0001'.repeat(255)),
    record: new Uint8Array(576),
  };
  const bytes = formatDetails(value);
  assert.ok(bytes.length <= DETAILS_BYTES_MAX);
  assert.equal(parseDetails(bytes), value);
});

details('refuses another spelling, another type and anything more', () => {
  const text = new TextDecoder().decode(formatDetails(sample('a', 'b')));
  refuses(text.replace('"a"', '"\\u0061"'));
  refuses(text.replace('{', '{ '));
  refuses(text.replace('details/v1', 'details/v2'));
  refuses(text.replace('"name"', '"extra":1,"name"'));
  refuses(text.replace(CLIP, '../x'));
  refuses(text.replace('AQID', 'AQID='));
  refuses(text.trimEnd());
  refuses(`${text}\n`);
  refuses('');
  refuses('null');
  refuses('[]');
  refuses('{"__proto__":{}}');
  refuses(' '.repeat(DETAILS_BYTES_MAX + 1));
});

details('what is shown on a terminal cannot move, colour, hide or reorder', () => {
  assert.is(escapeForTerminal('clip 1.mp4'), 'clip 1.mp4');
  assert.is(escapeForTerminal('Ünïcode 🎥 日本'), 'Ünïcode 🎥 日本');
  assert.is(escapeForTerminal('\u001b[31m\r\n'), '\\u{1b}[31m\\u{d}\\u{a}');
  assert.is(escapeForTerminal('\u009b2J'), '\\u{9b}2J');
  assert.is(
    escapeForTerminal('a\u202eb\u2066c\u200bd\ufeffe'),
    'a\\u{202e}b\\u{2066}c\\u{200b}d\\u{feff}e',
  );
  assert.is(escapeForTerminal('\ud800x'), '\\u{d800}x');
  assert.is(escapeForTerminal('a\u00a0b\u2028'), 'a\\u{a0}b\\u{2028}');
  assert.is(escapeForTerminal('\\u{1b}'), '\\\\u{1b}');
  assert.is(escapeForTerminal('\u{e0041}'), '\\u{e0041}');
});

details('two names that differ are shown differently', () => {
  const text = fc.string({ unit: 'binary', maxLength: 6 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      assert.is(escapeForTerminal(a) === escapeForTerminal(b), a === b);
    }),
  );
});

details.run();

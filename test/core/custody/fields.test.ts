import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  FieldReader,
  formatFields,
  formatIsoMs,
  parseDecimal,
  parseFields,
  parseIsoMs,
} from '../../../src/core/custody/fields.ts';
import { isDockError } from '../../../src/core/errors.ts';

const TYPE = 'docket/test/v1';
const key = fc.stringMatching(/^[a-z0-9-]{1,12}$/);
const value = fc.stringMatching(/^[!-~]{1,12}( [!-~]{1,12}){0,2}$/);

const fields = suite('fields');

fields('keeps keys, values, repeats and order through text', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value), { maxLength: 12 }), (lines) => {
      const result = parseFields(TYPE, formatFields(TYPE, lines));
      assert.ok(result.ok);
      assert.equal(result.ok && result.fields, { type: TYPE, lines });
    }),
  );
});

fields('has one spelling: whatever it parses it writes again', () => {
  const anything = fc.string({ unit: fc.constantFrom('a', ' ', '\n', '-', '1', 'é', '\t') });
  fc.assert(
    fc.property(anything, (body) => {
      const text = `${TYPE}\n${body}`;
      const result = parseFields(TYPE, text);
      if (result.ok) assert.is(formatFields(TYPE, result.fields.lines), text);
    }),
    { numRuns: 2_000 },
  );
});

fields('refuses everything else and says the line', () => {
  for (const [text, line] of [
    ['', 1],
    [TYPE, 1],
    ['docket/test/v2\na 1\n', 1],
    [`${TYPE}\na 1`, 2],
    [`${TYPE}\na 1\n\n`, 3],
    [`${TYPE}\na\n`, 2],
    [`${TYPE}\na \n`, 2],
    [`${TYPE}\n 1\n`, 2],
    [`${TYPE}\nA 1\n`, 2],
    [`${TYPE}\na  1\n`, 2],
    [`${TYPE}\na 1 \n`, 2],
    [`${TYPE}\nb 1\na 1\u0000\n`, 3],
    [`${TYPE}\r\na 1\r\n`, 1],
    [`${TYPE}\na caf\u00e9\n`, 2],
    [`${TYPE}\na \u202e1\n`, 2],
  ] as const) {
    const result = parseFields(TYPE, text);
    assert.not(result.ok, JSON.stringify(text));
    if (!result.ok) assert.match(result.finding.detail, new RegExp(`^line ${line}:`));
  }
});

fields('writes no key or value that it would not read', () => {
  for (const line of [
    ['a', ''],
    ['a', 'x\ny z'],
    ['a b', 'x'],
    ['a', ' x'],
    ['', 'x'],
  ] as const) {
    assert.throws(
      () => formatFields(TYPE, [line]),
      (error: unknown) => isDockError(error, 'NOTE_INVALID'),
    );
  }
});

fields('reads lines in their order and names the line that is not expected', () => {
  const lines = [
    ['a', '1'],
    ['b', '2'],
    ['b', '3'],
    ['c', 'x'],
  ] as const;
  const reader = new FieldReader({ type: TYPE, lines }, 'MANIFEST_INVALID');
  assert.is(reader.takeParsed('a', parseDecimal), 1);
  assert.is(reader.takeOptional('z'), undefined);
  assert.equal(reader.takeAll('b'), ['2', '3']);
  const isAt = (pattern: RegExp) => (error: unknown) =>
    isDockError(error, 'MANIFEST_INVALID') && pattern.test(error.message);
  assert.throws(() => reader.take('d'), isAt(/^line 5: d is missing/));
  assert.throws(() => reader.end(), isAt(/^line 5: /));
  assert.throws(() => reader.takeParsed('c', parseDecimal), isAt(/^line 5: c has/));
  reader.end();
});

fields('takes one spelling of a number and of a time', () => {
  for (const text of ['', '00', '01', '+1', '-1', '1.0', '1e3', ' 1', '9007199254740992', 'x']) {
    assert.is(parseDecimal(text), undefined, text);
  }
  assert.is(parseDecimal('9007199254740991'), Number.MAX_SAFE_INTEGER);
  for (const text of [
    '2026-02-30T00:00:00.000Z',
    '2026-01-01T00:00:00Z',
    '2026-01-01T24:00:00.000Z',
  ]) {
    assert.is(parseIsoMs(text), undefined, text);
  }
  assert.is(parseIsoMs(formatIsoMs(1_795_400_000_123)), 1_795_400_000_123);
  assert.throws(
    () => formatIsoMs(Number.NaN),
    (error: unknown) => isDockError(error, 'ARGUMENT_INVALID'),
  );
});

fields.run();

import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseUtf8, utf8 } from '../../../src/core/bytes.ts';
import {
  ENTRY_BYTES_MAX,
  ENTRY_FIELDS,
  type Entry,
  type EntryStamp,
  formatEntry,
  parseEntry,
} from '../../../src/core/custody/entry.ts';
import { REASONS } from '../../../src/core/custody/entry-grammar.ts';
import { isDockError } from '../../../src/core/errors.ts';
import type { ClipId, DockId } from '../../../src/core/evidence/clip.ts';

const stamp: EntryStamp = {
  atMs: 1_795_400_000_123,
  clock: 'system',
  boot: '0a1b2c3d',
  actor: 'dock',
};
const clip = 'ffeeddccbbaa99887766554433221100' as ClipId;
const digest = 'ab'.repeat(32);
const keys = {
  manifestKey: new Uint8Array(32).fill(1),
  receiptKey: new Uint8Array(32).fill(2),
  linkKey: new Uint8Array(32).fill(255),
};
const MAX = Number.MAX_SAFE_INTEGER;

/** One of each kind, with the longest values where there are longest ones. */
const EXAMPLES: readonly Entry[] = [
  { ...stamp, kind: 'log-opened', ...keys, dock: `${'s'.repeat(64)}/${'d'.repeat(64)}` as DockId },
  { ...stamp, kind: 'dock-started', version: '0.1.0', clean: false, retentionDays: 60 },
  { ...stamp, kind: 'dock-stopped' },
  {
    ...stamp,
    kind: 'clip-vaulted',
    clip,
    commitment: digest,
    segments: MAX,
    bytes: MAX,
    cameraAuth: 'ed25519',
  },
  { ...stamp, kind: 'clip-released', clip },
  { ...stamp, kind: 'clip-quarantined', clip, reason: 'CLIP_DIGEST_MISMATCH' },
  { ...stamp, kind: 'clip-refused', counter: MAX, reason: 'CLIP_RECORD_INVALID' },
  { ...stamp, kind: 'clip-refused', reason: 'CLIP_RECORD_INVALID' },
  { ...stamp, kind: 'draft-removed', clip, reason: 'INTERRUPTED' },
  { ...stamp, kind: 'clip-recovered', clip },
  { ...stamp, kind: 'counter-gap', camera: digest, first: 1, last: MAX },
  { ...stamp, kind: 'camera-refused', bay: 64, reason: 'CAMERA_NOT_AUTHENTIC' },
  { ...stamp, actor: 'wearer', kind: 'hold-placed', clip, reason: 'WEARER-BUTTON' },
  { ...stamp, actor: 'centre', kind: 'hold-lifted', clip },
  { ...stamp, actor: 'wearer', kind: 'incident-marked', clip },
  { ...stamp, kind: 'clip-missing', clip },
  { ...stamp, kind: 'clip-restricted', clip, reason: 'OBJECTION' },
  { ...stamp, kind: 'clip-unrestricted', clip, reason: 'OBJECTION-REFUSED' },
  { ...stamp, kind: 'disposal-begun', clip, reason: 'RETENTION-ENDED' },
  { ...stamp, kind: 'disposal-begun', clip, reason: 'ISSUED', camera: digest, recording: MAX },
  { ...stamp, kind: 'clip-disposed', clip, reason: 'ERASURE-GRANTED', certificate: digest },
  { ...stamp, kind: 'roles-accepted', version: MAX, roles: digest },
  {
    ...{ ...stamp, actor: 'centre', kind: 'order-accepted', counter: MAX, order: digest },
    ...{ action: 'unrestrict', subject: { kind: 'camera', id: digest }, reference: digest },
    ...{ reason: 'CAMERA_FULL_OF_ERRORS', signers: '01234567,01234567,01234567,89abcdef' },
  },
  { ...stamp, kind: 'order-refused', counter: MAX, order: digest, reason: 'TIME_UNKNOWN' },
  { ...stamp, kind: 'orders-discarded', reason: 'ORDER_SIGNATURES_MISSING', count: MAX },
  { ...stamp, kind: 'custody-repaired', tornBytes: 17 },
  { ...stamp, kind: 'bay-fault', bay: 1, reason: 'GPIO_FAILED' },
  { ...stamp, kind: 'clock-offset', clip, ms: -86_400_000 },
  { ...stamp, kind: 'clock-offset', ms: 0 },
  { ...stamp, kind: 'clock-offset', camera: digest, first: 1, last: MAX, ms: -1 },
];

function refused(leaf: Uint8Array): boolean {
  try {
    parseEntry(leaf);
    return false;
  } catch (error) {
    return isDockError(error, 'ENTRY_INVALID');
  }
}

const entry = suite('entry');

entry('is this text', () => {
  const leaf = formatEntry({ ...stamp, kind: 'custody-repaired', tornBytes: 17 }, 3);
  assert.is(
    parseUtf8(leaf),
    `docket/entry/v1
index 3
at ${new Date(stamp.atMs).toISOString()}
clock system
boot 0a1b2c3d
actor dock
kind custody-repaired
torn-bytes 17
`,
  );
});

entry('keeps every kind through text, within its size', () => {
  assert.equal(new Set(EXAMPLES.map(({ kind }) => kind)).size, Object.keys(ENTRY_FIELDS).length);
  for (const example of EXAMPLES) {
    const leaf = formatEntry(example, MAX);
    assert.ok(leaf.length <= ENTRY_BYTES_MAX);
    assert.equal(parseEntry(leaf), { entry: example, index: MAX });
  }
});

entry('has one spelling: what parses is what would be written', () => {
  const mutation = fc.record({
    example: fc.constantFrom(...EXAMPLES),
    at: fc.nat({ max: 400 }),
    insert: fc.constantFrom('', '0', '1', 'a', ' ', '\n', '-', 'at 1\n'),
    remove: fc.nat({ max: 3 }),
  });
  fc.assert(
    fc.property(mutation, ({ example, at, insert, remove }) => {
      const text = parseUtf8(formatEntry(example, 12)) ?? '';
      const from = at % text.length;
      const mutant = utf8(text.slice(0, from) + insert + text.slice(from + remove));
      if (refused(mutant)) return;
      const { entry: read, index } = parseEntry(mutant);
      assert.equal(formatEntry(read, index), mutant);
    }),
    { numRuns: 3_000 },
  );
});

entry('refuses free words wherever a name could hide', () => {
  const hide: readonly [string, string][] = [
    ['reason CLIP_DIGEST_MISMATCH', 'reason JANE_DOE'],
    ['reason CLIP_DIGEST_MISMATCH', 'reason constructor'],
    ['actor dock', 'actor jane'],
    ['boot 0a1b2c3d', 'boot janedoe1'],
    [`clip ${clip}`, `clip ${'g'.repeat(32)}`],
    ['kind clip-quarantined', 'kind toString'],
    ['clock system', 'clock 10:00'],
    ['kind', 'wearer jane\nkind'],
  ];
  const text = parseUtf8(formatEntry(EXAMPLES[5] as Entry, 0)) ?? '';
  for (const [from, to] of hide) {
    assert.ok(text.includes(from));
    assert.ok(refused(utf8(text.replace(from, to))), to);
  }
});

entry('refuses to write a value outside its grammar', () => {
  for (const bad of [
    { ...stamp, kind: 'clip-released', clip: 'x' },
    { ...stamp, kind: 'clip-released' },
    { ...stamp, kind: 'log-opened', dock: 'a/b', ...keys, linkKey: new Uint8Array(31) },
    { ...stamp, kind: 'dock-started', version: '0.1.0', clean: true, retentionDays: 0 },
    { ...stamp, kind: 'bay-fault', bay: 0, reason: 'GPIO_FAILED' },
    { ...stamp, kind: 'bay-fault', bay: 1, reason: 'JANE' },
    { ...stamp, kind: 'custody-repaired', tornBytes: 1.5 },
    { ...stamp, boot: 'x', kind: 'dock-stopped' },
    { ...stamp, kind: 'clock-offset', ms: 0.5 },
  ]) {
    assert.throws(
      () => formatEntry(bad as never, 0),
      (error: unknown) => isDockError(error, 'ENTRY_INVALID'),
      JSON.stringify(bad),
    );
  }
});

entry('takes every coded reason', () => {
  for (const reason of [...REASONS, 'VAULT_FULL', 'LINK_TIMEOUT'] as const) {
    const leaf = formatEntry({ ...stamp, kind: 'hold-placed', clip, reason }, 0);
    assert.is((parseEntry(leaf).entry as { reason?: string }).reason, reason);
  }
});

entry('refuses what is not an entry at all', () => {
  const leaf = formatEntry(EXAMPLES[2] as Entry, 0);
  for (let length = 0; length < leaf.length; length++) assert.ok(refused(leaf.slice(0, length)));
  assert.ok(refused(Uint8Array.of(0xff, 0xfe)));
  assert.ok(refused(new Uint8Array(ENTRY_BYTES_MAX + 1)));
  assert.ok(refused(utf8('')));
});

entry.run();

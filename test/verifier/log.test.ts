import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeBundle, encodeRecord } from '../../src/adapters/fs/journal.ts';
import { ENTRY_FIELDS } from '../../src/core/custody/entry.ts';
import { checkDock } from '../../src/verifier/dock.ts';
import { KNOWN_KINDS } from '../../src/verifier/formats/entries.ts';
import { nodeCrypto } from '../../src/verifier/node.ts';
import type { Report } from '../../src/verifier/report.ts';
import { testSigner } from '../core/custody/keys.ts';
import { cosigned, type Files, namesOf, policyOf, sourceOf, WITNESS_VKEY } from './kit.ts';
import {
  type Act,
  BEGUN,
  CLIP,
  checkpointOf,
  DISPOSED,
  HELD,
  LIFTED,
  LOG_VKEY,
  leafOf,
  logFiles,
  logOf,
  OPENED,
  RELEASED,
  treeOf,
  VAULTED,
} from './logs.ts';

const ALONE = policyOf(`log ${LOG_VKEY}`, 'quorum none');
const WITNESSED = policyOf(`log ${LOG_VKEY}`, `witness ${WITNESS_VKEY}`, 'quorum 1');
const log = suite('docket-verify: log');

async function check(files: Files, policy = ALONE): Promise<Report> {
  return await checkDock(sourceOf(files), policy, nodeCrypto);
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text));
}

log('is verified alone, and says that no clip was looked at', async () => {
  const report = await check(logOf(OPENED, VAULTED, RELEASED, HELD, LIFTED));
  assert.equal(report.findings, []);
  assert.is(report.kind, 'log');
  assert.ok(report.notes.some(({ name }) => name === 'LOG_ONLY'));
  assert.is(report.counts.entries, 5);
  assert.is(report.counts.checkpoints, 6);
});

log('every kind of entry that a dock writes is known', () => {
  const unknown = Object.keys(ENTRY_FIELDS).filter((kind) => !KNOWN_KINDS.includes(kind));
  assert.equal(unknown, []);
});

const OTHER = 'ef'.repeat(16);
const OTHER_VAULTED: Act = ['clip-vaulted', `clip ${OTHER}`, ...VAULTED.slice(2)];
const RESTRICTED: Act = ['clip-restricted', `clip ${CLIP}`, 'reason OBJECTION'];
const QUARANTINED: Act = ['clip-quarantined', `clip ${CLIP}`, 'reason SEGMENT_DIGEST_MISMATCH'];

const BROKEN_RULES: readonly (readonly [what: string, acts: readonly Act[], names: string[]])[] = [
  ['a hold on a clip that it was never given', [HELD], ['RULE_UNKNOWN_CLIP']],
  ['a clip that it was given twice', [VAULTED, VAULTED], ['RULE_VAULTED_TWICE']],
  [
    'a release of a clip in quarantine',
    [VAULTED, QUARANTINED, RELEASED],
    ['RULE_RELEASED_NOT_VAULTED'],
  ],
  ['a lift without a hold', [VAULTED, LIFTED], ['RULE_LIFTED_NOT_HELD']],
  ['a disposal while held', [VAULTED, HELD, BEGUN], ['RULE_DISPOSED_WHILE_HELD']],
  [
    'a disposal while held again',
    [VAULTED, HELD, LIFTED, HELD, BEGUN, DISPOSED],
    ['CERTIFICATE_MISSING', 'RULE_DISPOSED_WHILE_HELD'],
  ],
  ['a disposal while restricted', [VAULTED, RESTRICTED, BEGUN], ['RULE_DISPOSED_WHILE_RESTRICTED']],
  [
    'a disposal that never began',
    [VAULTED, DISPOSED],
    ['CERTIFICATE_MISSING', 'RULE_DISPOSED_NOT_BEGUN'],
  ],
  ['a disposal without a certificate', [VAULTED, BEGUN, DISPOSED], ['CERTIFICATE_MISSING']],
  ['a hold after the disposal began', [VAULTED, BEGUN, HELD], ['RULE_AFTER_DISPOSAL']],
  [
    'a disposal twice',
    [VAULTED, BEGUN, DISPOSED, BEGUN],
    ['CERTIFICATE_MISSING', 'RULE_AFTER_DISPOSAL'],
  ],
];

for (const [what, acts, names] of BROKEN_RULES) {
  log(`names ${what}`, async () => {
    // Rules are broken by name in a folder with a vault; a disposal is looked for there.
    const files = logOf(OPENED, ...acts, OTHER_VAULTED);
    files.set('cache.json', new Uint8Array(0));
    const found = namesOf(await check(files));
    assert.equal(
      found.filter((name) => name !== 'ENTRY_WITHOUT_CLIP'),
      names,
    );
  });
}

log('names a disposed clip that is still there', async () => {
  const files = logOf(OPENED, VAULTED, BEGUN, DISPOSED);
  files.set(`vault/${CLIP}`, undefined);
  assert.ok(namesOf(await check(files)).includes('DISPOSED_CLIP_PRESENT'));
});

log('counts what a hostile log breaks by the thousand, and keeps no more of it', async () => {
  const acts = Array.from({ length: 1_500 }, (): Act => ['clip-forgotten']);
  const leaves = [OPENED, ...acts].map(leafOf);
  const note = bytesOf(checkpointOf(leaves));
  const report = await check(
    new Map([
      ['custody/entries', encodeRecord(encodeBundle(leaves))],
      ['custody/checkpoints', encodeRecord(note)],
      ['custody/checkpoint', note],
    ]),
  );
  assert.equal([report.findingCount, report.findings.length], [1_500, 1_000]);
});

log('leaves what remains of a disposal that was cut off to the dock', async () => {
  const files = logOf(OPENED, VAULTED, HELD, LIFTED, BEGUN);
  files.set(`vault/${CLIP}`, undefined);
  const report = await check(files);
  assert.equal(report.findings, []);
  assert.ok(report.notes.some(({ name }) => name === 'DISPOSAL_UNFINISHED'));
});

log('names an entry of an unknown kind, and does not guess what it means', async () => {
  const files = logOf(OPENED, VAULTED, ['clip-forgotten', `clip ${CLIP}`]);
  assert.equal(namesOf(await check(files)), ['LOG_ENTRY_UNKNOWN']);
});

const MALFORMED: readonly (readonly [what: string, act: Act])[] = [
  ['without a line', ['clip-released']],
  ['with a line too much', ['clip-released', `clip ${CLIP}`, 'by nobody']],
  ['with a value outside its grammar', ['clip-released', 'clip ../../etc']],
  ['with an empty value', ['clip-released', 'clip ']],
  ['longer than an entry can be', ['clip-released', `clip ${'a'.repeat(600)}`]],
];

for (const [what, act] of MALFORMED) {
  log(`names an entry ${what}`, async () => {
    assert.equal(namesOf(await check(logOf(OPENED, VAULTED, act))), ['LOG_ENTRY_MALFORMED']);
  });
}

log('names entries in another order, even when all of it is signed', async () => {
  const leaves = [leafOf(OPENED, 0), leafOf(VAULTED, 2), leafOf(RELEASED, 1)];
  assert.equal(namesOf(await check(logFiles(leaves))), ['LOG_ENTRY_ORDER']);
});

log('names a log that does not begin by opening, or opens twice', async () => {
  assert.ok(namesOf(await check(logOf(VAULTED))).includes('LOG_OPENED_WRONG'));
  assert.ok(namesOf(await check(logOf(OPENED, OPENED))).includes('LOG_OPENED_WRONG'));
});

log('says between which entries one was altered', async () => {
  const leaves = [OPENED, VAULTED, HELD, RELEASED].map(leafOf);
  const files = logFiles(leaves);
  const altered = leaves.map((leaf, index) => (index === 2 ? leafOf(LIFTED, 2) : leaf));
  files.set('custody/entries', Buffer.concat(altered.map((l) => encodeRecord(encodeBundle([l])))));
  const report = await check(files);
  const found = report.findings.find(({ name }) => name === 'LOG_ENTRY_ALTERED');
  assert.match(found?.detail ?? '', /entries 2 to 2/);
});

log('names entries that are missing, and entries that nobody has signed', async () => {
  const leaves = [OPENED, VAULTED, HELD].map(leafOf);
  const short = logFiles(leaves);
  short.set('custody/entries', logFiles(leaves.slice(0, 2)).get('custody/entries'));
  assert.equal(namesOf(await check(short)), ['LOG_ENTRY_MISSING']);
  const long = logFiles(leaves.slice(0, 2));
  long.set('custody/entries', logFiles(leaves).get('custody/entries'));
  assert.equal(namesOf(await check(long)), ['LOG_ENTRY_UNSIGNED']);
});

log('takes the torn tail of a power cut, which holds nothing signed, for what it is', async () => {
  const files = logOf(OPENED, VAULTED);
  const whole = files.get('custody/entries') ?? new Uint8Array(0);
  const next = encodeRecord(encodeBundle([leafOf(HELD, 2)]));
  for (const kept of [1, 7, 8, next.length - 1]) {
    files.set('custody/entries', Buffer.concat([whole, next.subarray(0, kept)]));
    const report = await check(files);
    assert.equal(report.findings, [], `${kept} bytes`);
    assert.ok(report.notes.some(({ name }) => name === 'LOG_TAIL_TORN'));
  }
});

log('reads a log that has no bytes, or no file, as one that proves nothing', async () => {
  const empty = logOf(OPENED);
  empty.set('custody/entries', new Uint8Array(0));
  const found = namesOf(await check(empty));
  assert.ok(found.includes('LOG_OPENED_WRONG') && found.includes('LOG_ENTRY_MISSING'));
  assert.ok(namesOf(await check(new Map())).includes('LOG_MISSING'));
});

log('names a history of checkpoints that goes back', async () => {
  const leaves = [OPENED, VAULTED, HELD].map(leafOf);
  const files = logFiles(leaves);
  const notes = [1, 3, 2, 3].map((size) => Buffer.from(checkpointOf(leaves.slice(0, size))));
  files.set('custody/checkpoints', Buffer.concat(notes.map((note) => encodeRecord(note))));
  assert.equal(namesOf(await check(files)), ['CHECKPOINT_ORDER']);
});

log('refuses a checkpoint of another log, and one by another key of the name', async () => {
  const leaves = [OPENED, VAULTED].map(leafOf);
  for (const signer of [testSigner('depot/dock-2/log', 1), testSigner('depot/dock-1/log', 2)]) {
    const found = namesOf(await check(logFiles(leaves, signer)));
    assert.ok(found.includes('CHECKPOINT_SIGNATURE'), signer.name);
  }
});

log('refuses a right signature under the id of another key', async () => {
  const leaves = [OPENED, VAULTED].map(leafOf);
  const files = logFiles(leaves);
  const note = checkpointOf(leaves);
  const at = note.lastIndexOf(' ') + 1;
  const line = Buffer.from(note.slice(at), 'base64');
  line[0] = (line[0] ?? 0) ^ 1;
  files.set('custody/checkpoint', bytesOf(`${note.slice(0, at)}${line.toString('base64')}\n`));
  const report = await check(files);
  assert.equal(namesOf(report), ['CHECKPOINT_SIGNATURE']);
  assert.is(report.findings[0]?.path, 'custody/checkpoint');
});

log('tells a fork by its cosigned checkpoint', async () => {
  const truth = [OPENED, VAULTED, HELD].map(leafOf);
  const forged = logFiles([OPENED, VAULTED, RELEASED].map(leafOf));
  const note = Buffer.from(cosigned(checkpointOf(truth)));
  forged.set('custody/cosigned', note);
  forged.set('custody/cosignatures', encodeRecord(note));
  const found = namesOf(await check(forged, WITNESSED));
  assert.equal(found, ['COSIGNATURE_MISSING', 'LOG_ENTRY_ALTERED']);
});

log('counts a cosignature for the key and the checkpoint that it was made with', async () => {
  const leaves = [OPENED, VAULTED].map(leafOf);
  const checkpoint = checkpointOf(leaves);
  const other = cosigned(checkpoint, { signer: testSigner('council/witness', 8) });
  const elsewhere = cosigned(checkpointOf(leaves.slice(0, 1)))
    .split('\n')
    .at(-2);
  const untimed = cosigned(checkpoint, { seconds: 1 }).split('\n').at(-2) ?? '';
  const late = cosigned(checkpoint, { seconds: 2 }).split('\n').at(-2) ?? '';
  const mixed = untimed.slice(0, 40) + late.slice(40);
  for (const [note, name] of [
    [other, 'COSIGNATURE_MISSING'],
    [`${checkpoint}${elsewhere}\n`, 'COSIGNATURE_WRONG'],
    [`${checkpoint}${mixed}\n`, 'COSIGNATURE_WRONG'],
  ] as const) {
    const files = logFiles(leaves);
    files.set('custody/cosigned', bytesOf(note));
    files.set('custody/cosignatures', encodeRecord(bytesOf(note)));
    const found = namesOf(await check(files, WITNESSED));
    assert.ok(found.includes(name) && found.includes('COSIGNATURE_MISSING'), name);
  }
});

log('says how far the witness has seen', async () => {
  const leaves = [OPENED, VAULTED, HELD].map(leafOf);
  const files = logFiles(leaves);
  const note = bytesOf(cosigned(checkpointOf(leaves.slice(0, 2))));
  files.set('custody/cosigned', note);
  files.set('custody/cosignatures', encodeRecord(note));
  const report = await check(files, WITNESSED);
  assert.equal(report.findings, []);
  assert.is(report.counts.cosignedEntries, 2);
  assert.match(
    report.notes.find(({ name }) => name === 'NOT_COSIGNED_YET')?.detail ?? '',
    /2 to 2/,
  );
});

log('names what a witness kept of a log that it caught', async () => {
  const files = logOf(OPENED, VAULTED);
  files.set('conflict.note', bytesOf(checkpointOf([OPENED, HELD].map(leafOf))));
  assert.equal(namesOf(await check(files)), ['LOG_FORKED']);
});

log('compares every tile with the entries', async () => {
  const acts = [OPENED, ...Array.from({ length: 299 }, (): Act => ['dock-stopped'])];
  const leaves = acts.map(leafOf);
  const files = logFiles([leaves[0] ?? new Uint8Array(0)]);
  const note = bytesOf(checkpointOf(leaves));
  files.set('custody/entries', encodeRecord(encodeBundle(leaves)));
  files.set('custody/checkpoints', encodeRecord(note));
  files.set('custody/checkpoint', note);
  const tree = treeOf(leaves);
  const hashes = Array.from({ length: 256 }, (_, index) => tree.subtree(0, index));
  files.set('custody/tile/0/000', Buffer.concat(hashes));
  files.set('custody/tile/entries/000', encodeBundle(leaves.slice(0, 256)));
  assert.equal((await check(files)).findings, []);
  for (const path of ['custody/tile/0/000', 'custody/tile/entries/000']) {
    const spoiled: Files = new Map(files);
    const bytes = Uint8Array.from(files.get(path) ?? []);
    bytes[5000] = (bytes[5000] ?? 0) ^ 1;
    spoiled.set(path, bytes);
    assert.equal(namesOf(await check(spoiled)), ['TILE_ALTERED'], path);
  }
  files.set('custody/tile/0/001', Buffer.concat(hashes));
  assert.equal(namesOf(await check(files)), ['TILE_ALTERED']);
});

log.run();

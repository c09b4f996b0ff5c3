import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { verifyCheckpoint } from '../../../src/core/custody/checkpoint.ts';
import { formatNote, parseNote } from '../../../src/core/custody/note.ts';
import { cosignatureKey, verifyCosignatures } from '../../../src/core/witness/cosignature.ts';
import { testCrypto, testSigner } from '../custody/keys.ts';
import { AT_MS, cosigned, LOG, POLICY, signed, treeOf, WITNESS, WITNESS_KEY } from './kit.ts';

const cosignature = suite('cosignature');
const NOTE = cosigned(signed(treeOf(5)), AT_MS + 999);

cosignature('holds, and says in whole seconds when the witness saw the checkpoint', () => {
  const { cosignatures, findings } = verifyCosignatures(NOTE, [WITNESS_KEY], testCrypto);
  assert.equal(findings, []);
  assert.equal(cosignatures, [{ name: 'council/witness', atMs: AT_MS }]);
});

cosignature('is over the time and the text, as C2SP tlog-cosignature writes them', () => {
  const { text, signatures } = parseNote(NOTE);
  const line = signatures[1]?.signature ?? new Uint8Array(0);
  assert.is(line.length, 72);
  assert.is(new DataView(line.buffer, line.byteOffset).getBigUint64(0), BigInt(AT_MS / 1000));
  const message = new TextEncoder().encode(`cosignature/v1\ntime ${AT_MS / 1000}\n${text}`);
  assert.ok(testCrypto.verify(WITNESS.publicKey, message, line.subarray(8)));
});

cosignature('leaves the signature of the log as it was', () => {
  assert.ok(verifyCheckpoint(NOTE, POLICY.logs, testCrypto).ok);
  assert.is(parseNote(NOTE).signatures[0]?.name, LOG.name);
});

cosignature('drops every line that somebody else has put there', () => {
  const { text, signatures } = parseNote(signed(treeOf(5)));
  const [log] = signatures;
  assert.ok(log);
  const stranger = {
    name: 'stranger',
    keyId: Uint8Array.of(1, 2, 3, 4),
    signature: new Uint8Array(64),
  };
  const note = formatNote({ text, signatures: [stranger, ...(log ? [log] : []), stranger] });
  assert.is(cosigned(note, AT_MS + 999), NOTE);
});

cosignature('of an unknown witness is ignored', () => {
  const stranger = testSigner('council/witness', 77);
  const key = cosignatureKey(stranger.name, stranger.publicKey);
  const verdict = verifyCosignatures(NOTE, [key], testCrypto);
  assert.equal(verdict, { cosignatures: [], findings: [] });
});

cosignature('does not hold with any byte of it changed', () => {
  const { text, signatures } = parseNote(NOTE);
  const [log, line] = signatures;
  assert.ok(log && line);
  if (log === undefined || line === undefined) return;
  for (let at = 0; at < line.signature.length; at++) {
    const changed = line.signature.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    const note = formatNote({ text, signatures: [log, { ...line, signature: changed }] });
    const verdict = verifyCosignatures(note, [WITNESS_KEY], testCrypto);
    assert.equal(verdict.cosignatures, [], `byte ${at}`);
    assert.equal(
      verdict.findings.map(({ code }) => code),
      ['COSIGNATURE_WRONG'],
    );
  }
});

cosignature('of another length, or of a time that no calendar shows, is a finding', () => {
  const { text, signatures } = parseNote(NOTE);
  const line = signatures[1];
  assert.ok(line);
  if (line === undefined) return;
  const far = line.signature.slice();
  far.fill(0xff, 0, 8);
  for (const signature of [line.signature.subarray(1), new Uint8Array(64), far]) {
    const note = formatNote({ text, signatures: [{ ...line, signature }] });
    const { findings } = verifyCosignatures(note, [WITNESS_KEY], testCrypto);
    assert.equal(
      findings.map(({ code }) => code),
      ['COSIGNATURE_WRONG'],
    );
  }
});

cosignature.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatHex, utf8 } from '../../../src/core/bytes.ts';
import { leafHash, MerkleTree } from '../../../src/core/custody/merkle.ts';
import { ed25519Key, signNote } from '../../../src/core/custody/note.ts';
import {
  formatReceipt,
  parseReceipt,
  type Receipt,
  signReceipt,
  verifyReceipt,
} from '../../../src/core/custody/receipt.ts';
import { isDockError } from '../../../src/core/errors.ts';
import { parseCameraSerial, parseClipId, parseDockId } from '../../../src/core/evidence/clip.ts';
import { sha256, testCrypto, testSigner } from './keys.ts';

const dock = parseDockId('depot/dock-1');
const camera = parseCameraSerial('CAM-0001');
const clip = parseClipId('00112233445566778899aabbccddeeff');
if (dock === undefined || camera === undefined || clip === undefined) throw new Error('bad ids');

const signer = testSigner('depot/dock-1/receipt', 4);
const keys = [ed25519Key(signer.name, signer.publicKey)];

function receiptIn(treeSize: number, index: number): Receipt {
  const tree = new MerkleTree(sha256);
  for (let at = 0; at < treeSize; at++) tree.append(utf8(`entry ${at}`));
  return {
    dock: dock as never,
    camera: camera as never,
    counter: 7,
    sizeBytes: 1_048_576,
    sha256: formatHex(sha256(utf8('clip'))),
    clip: clip as never,
    leafHash: leafHash(utf8(`entry ${index}`), sha256),
    index,
    treeSize,
    root: tree.root(),
    proof: tree.inclusionProof(index),
  };
}

function codesOf(note: string): string[] {
  return verifyReceipt(note, keys, testCrypto).findings.map(({ code }) => code);
}

const receipt = suite('receipt');

receipt('is the text of SPEC 7, line for line', () => {
  const { leafHash: leaf, root, sha256: digest, proof } = receiptIn(3, 1);
  const expected = `docket/receipt/v1
dock depot/dock-1
camera CAM-0001
counter 7
size 1048576
sha256 ${digest}
clip 00112233445566778899aabbccddeeff
leaf ${formatHex(leaf)}
index 1
tree 3
root ${formatHex(root)}
${proof.map((hash) => `proof ${formatHex(hash)}`).join('\n')}
`;
  assert.is(formatReceipt(receiptIn(3, 1)), expected);
  assert.not.match(formatReceipt(receiptIn(1, 0)), /proof/);
});

receipt('holds for every leaf of its tree, and reads as it was written', () => {
  for (const [treeSize, index] of [
    [1, 0],
    [2, 1],
    [7, 3],
    [256, 255],
    [257, 256],
  ] as const) {
    const made = receiptIn(treeSize, index);
    const verdict = verifyReceipt(signReceipt(made, signer, sha256), keys, testCrypto);
    assert.equal(verdict, { ok: true, receipt: made, signedBy: [signer.name], findings: [] });
    assert.equal(parseReceipt(formatReceipt(made)), made);
  }
});

receipt('does not hold when its proof leads elsewhere', () => {
  const made = receiptIn(7, 3);
  assert.equal(codesOf(signReceipt({ ...made, index: 2 }, signer, sha256)), ['ROOT_MISMATCH']);
  assert.equal(codesOf(signReceipt({ ...made, index: 7 }, signer, sha256)), ['INDEX_OUTSIDE_TREE']);
  assert.equal(codesOf(signReceipt({ ...made, proof: [] }, signer, sha256)), ['PROOF_TOO_SHORT']);
});

receipt('does not hold when another key has signed it, or two keys', () => {
  const made = receiptIn(2, 0);
  const other = testSigner('depot/dock-1/manifest', 5);
  const text = formatReceipt(made);
  const otherKey = ed25519Key(other.name, other.publicKey);
  const note = signNote(text, other, sha256);
  const verdict = verifyReceipt(note, [...keys, otherKey], testCrypto);
  assert.equal(
    verdict.findings.map(({ code }) => code),
    ['SIGNER_WRONG'],
  );
  assert.equal(codesOf(note), ['NOTE_UNSIGNED']);
  const two = `${signReceipt(made, signer, sha256)}${note.split('\n').at(-2)}\n`;
  assert.equal(codesOf(two), ['RECEIPT_MALFORMED']);
  assert.throws(
    () => signReceipt(made, other, sha256),
    (error: unknown) => isDockError(error, 'KEY_INVALID'),
  );
});

receipt('does not hold with a line missing, repeated, moved, added or spelt otherwise', () => {
  const lines = formatReceipt(receiptIn(3, 1)).trimEnd().split('\n');
  const mutants: string[][] = [];
  for (const [at, line] of lines.entries()) {
    mutants.push([...lines.slice(0, at), line, ...lines.slice(at)]);
    if (!line.startsWith('proof')) mutants.push([...lines.slice(0, at), ...lines.slice(at + 1)]);
    if (at > 0) mutants.push([...lines.slice(0, at), 'extra 1', ...lines.slice(at)]);
    mutants.push(lines.with(at, line.replace(/(\d)$/, '0$1').toUpperCase()));
  }
  mutants.push([lines[0] ?? '', lines[2] ?? '', lines[1] ?? '', ...lines.slice(3)]);
  for (const mutant of mutants) {
    const note = signNote(`${mutant.join('\n')}\n`, signer, sha256);
    assert.not(verifyReceipt(note, keys, testCrypto).ok, mutant.join(' | '));
  }
});

receipt.run();

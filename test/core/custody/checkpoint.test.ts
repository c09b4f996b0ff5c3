import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { utf8 } from '../../../src/core/bytes.ts';
import {
  formatCheckpoint,
  parseCheckpoint,
  readCheckpointNote,
  signCheckpoint,
  verifyCheckpoint,
} from '../../../src/core/custody/checkpoint.ts';
import { MerkleTree } from '../../../src/core/custody/merkle.ts';
import { ed25519Key, signNote } from '../../../src/core/custody/note.ts';
import { formatLogProof, parseLogProof, verifyLogProof } from '../../../src/core/custody/proof.ts';
import { isDockError } from '../../../src/core/errors.ts';
import { sha256, testCrypto, testSigner } from './keys.ts';

const log = testSigner('depot/dock-1/log', 1);
const keys = [ed25519Key(log.name, log.publicKey)];
const trust = { keys, crypto: testCrypto };

function treeOf(size: number): MerkleTree {
  const tree = new MerkleTree(sha256);
  for (let index = 0; index < size; index++) tree.append(utf8(`entry ${index}`));
  return tree;
}

function proofOf(treeSize: number, index: number): string {
  const tree = treeOf(treeSize);
  const checkpoint = signCheckpoint({ treeSize, root: tree.root() }, log, sha256);
  return formatLogProof({ index, hashes: tree.inclusionProof(index), checkpoint });
}

function codesOf(verdict: { findings: readonly { code: string }[] }): string[] {
  return verdict.findings.map(({ code }) => code);
}

const checkpoint = suite('checkpoint');

checkpoint('is three lines: origin, size, root', () => {
  const root = treeOf(0).root();
  const text = formatCheckpoint({ origin: log.name, treeSize: 0, root });
  assert.is(text, 'depot/dock-1/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n');
  assert.equal(parseCheckpoint(text), { origin: log.name, treeSize: 0, root });
});

checkpoint('refuses every other spelling', () => {
  const [origin = '', size = '', root = ''] = formatCheckpoint({
    origin: log.name,
    treeSize: 12,
    root: treeOf(12).root(),
  }).split('\n');
  for (const text of [
    `${origin}\n${size}\n${root}`,
    `${origin}\n${size}\n${root}\nextension\n`,
    `${origin}\n0${size}\n${root}\n`,
    `${origin}\n-1\n${root}\n`,
    `${origin}\n${size}\n${root.slice(0, -1)}\n`,
    `${origin}\n${size}\nAAAA\n`,
    `\n${size}\n${root}\n`,
    `or igin\n${size}\n${root}\n`,
    '',
  ]) {
    assert.throws(
      () => parseCheckpoint(text),
      (error: unknown) => isDockError(error, 'NOTE_INVALID'),
    );
  }
});

checkpoint('holds when the key named as its origin has signed it, and else does not', () => {
  const tree = { treeSize: 5, root: treeOf(5).root() };
  const note = signCheckpoint(tree, log, sha256);
  assert.equal(readCheckpointNote(note), { ...tree, origin: log.name });
  assert.equal(verifyCheckpoint(note, keys, testCrypto).checkpoint, { ...tree, origin: log.name });
  const witness = testSigner('witness', 9);
  const bothKeys = [...keys, ed25519Key(witness.name, witness.publicKey)];
  const byWitness = signNote(formatCheckpoint({ ...tree, origin: log.name }), witness, sha256);
  assert.equal(codesOf(verifyCheckpoint(byWitness, bothKeys, testCrypto)), ['SIGNER_WRONG']);
  assert.equal(codesOf(verifyCheckpoint(byWitness, keys, testCrypto)), ['NOTE_UNSIGNED']);
  const manifest = signNote('docket/manifest/v1\nclip 1\n', log, sha256);
  assert.equal(codesOf(verifyCheckpoint(manifest, keys, testCrypto)), ['CHECKPOINT_MALFORMED']);
});

checkpoint('proves an entry offline, at its index and nowhere else', () => {
  for (const [treeSize, index] of [
    [1, 0],
    [2, 0],
    [9, 8],
    [300, 123],
  ] as const) {
    const text = proofOf(treeSize, index);
    const verdict = verifyLogProof(text, utf8(`entry ${index}`), trust);
    assert.ok(verdict.ok);
    assert.is(verdict.checkpoint?.treeSize, treeSize);
    assert.is(formatLogProof(parseLogProof(text)), text);
    assert.equal(codesOf(verifyLogProof(text, utf8('entry x'), trust)), ['ROOT_MISMATCH']);
  }
  const moved = proofOf(9, 4).replace('index 4', 'index 5');
  assert.equal(codesOf(verifyLogProof(moved, utf8('entry 4'), trust)), ['ROOT_MISMATCH']);
});

checkpoint('begins a proof as the format says', () => {
  const [header, index, hash, blank, origin] = proofOf(2, 1).split('\n');
  assert.equal([header, index, blank, origin], ['c2sp.org/tlog-proof@v1', 'index 1', '', log.name]);
  assert.is(hash?.length, 44);
});

checkpoint('rejects every proof with one byte changed or cut off', () => {
  const text = utf8(proofOf(5, 2));
  for (let at = 0; at < text.length; at++) {
    const changed = text.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x01;
    const spelt = new TextDecoder().decode(changed);
    assert.not(verifyLogProof(spelt, utf8('entry 2'), trust).ok, `byte ${at}`);
    const cut = new TextDecoder().decode(text.slice(0, at));
    assert.not(verifyLogProof(cut, utf8('entry 2'), trust).ok, `cut at ${at}`);
  }
});

checkpoint.run();

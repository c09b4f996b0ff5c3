import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatHex, parseHex, utf8 } from '../../../src/core/bytes.ts';
import { emptyRoot, leafHash, MerkleTree, nodeHash } from '../../../src/core/custody/merkle.ts';
import { verifyConsistency, verifyInclusion } from '../../../src/core/custody/verify-merkle.ts';
import { sha256 } from './keys.ts';

interface TreeVectors {
  readonly roots: readonly string[];
  readonly inclusion: readonly { index: number; treeSize: number; proof: readonly string[] }[];
  readonly consistency: readonly { oldSize: number; treeSize: number; proof: readonly string[] }[];
}

const VECTORS = JSON.parse(
  readFileSync(new URL('../../vectors/custody/tree.json', import.meta.url), 'utf8'),
) as TreeVectors;

function treeOf(size: number): MerkleTree {
  const tree = new MerkleTree(sha256);
  for (let index = 0; index < size; index++) tree.append(leafOf(index));
  return tree;
}

function leafOf(index: number): Uint8Array {
  return utf8(`entry ${index}`);
}

function naiveRoot(hashes: readonly Uint8Array[]): Uint8Array {
  const [first] = hashes;
  if (first === undefined) return emptyRoot(sha256);
  if (hashes.length === 1) return first;
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return nodeHash(naiveRoot(hashes.slice(0, split)), naiveRoot(hashes.slice(split)), sha256);
}

function inclusionOf(tree: MerkleTree, index: number, treeSize: number) {
  return {
    leafHash: leafHash(leafOf(index), sha256),
    index,
    treeSize,
    root: tree.root(treeSize),
    proof: tree.inclusionProof(index, treeSize),
  };
}

function consistencyOf(tree: MerkleTree, oldSize: number, treeSize: number) {
  return {
    oldSize,
    oldRoot: tree.root(oldSize),
    treeSize,
    root: tree.root(treeSize),
    proof: tree.consistencyProof(oldSize, treeSize),
  };
}

function codesOf(verdict: { findings: readonly { code: string }[] }): string[] {
  return verdict.findings.map(({ code }) => code);
}

const merkle = suite('merkle');

merkle('gives the roots and proofs of the independent vectors', () => {
  const tree = treeOf(19);
  for (const [treeSize, root] of VECTORS.roots.entries()) {
    assert.is(formatHex(tree.root(treeSize)), root, `root of ${treeSize}`);
  }
  for (const { index, treeSize, proof } of VECTORS.inclusion) {
    assert.equal(tree.inclusionProof(index, treeSize).map(formatHex), proof);
  }
  for (const { oldSize, treeSize, proof } of VECTORS.consistency) {
    assert.equal(tree.consistencyProof(oldSize, treeSize).map(formatHex), proof);
  }
});

merkle('has the root of the recursive definition for every size to 300', () => {
  const tree = new MerkleTree(sha256);
  const hashes: Uint8Array[] = [];
  for (let size = 0; size <= 300; size++) {
    assert.equal(tree.root(), naiveRoot(hashes), `root of ${size}`);
    hashes.push(leafHash(leafOf(size), sha256));
    assert.is(tree.append(leafOf(size)), size);
  }
  assert.equal(tree.root(123), naiveRoot(hashes.slice(0, 123)));
});

merkle('proves every leaf of every tree to 40, and every pair of sizes', () => {
  const tree = treeOf(40);
  for (let treeSize = 1; treeSize <= 40; treeSize++) {
    for (let index = 0; index < treeSize; index++) {
      assert.ok(verifyInclusion(inclusionOf(tree, index, treeSize), sha256).ok);
    }
    for (let oldSize = 0; oldSize <= treeSize; oldSize++) {
      assert.ok(verifyConsistency(consistencyOf(tree, oldSize, treeSize), sha256).ok);
    }
  }
});

merkle('proves leaves and prefixes of larger trees', () => {
  const tree = treeOf(3_000);
  const sizes = fc.tuple(fc.integer({ min: 1, max: 3_000 }), fc.nat());
  fc.assert(
    fc.property(sizes, ([treeSize, pick]) => {
      assert.ok(verifyInclusion(inclusionOf(tree, pick % treeSize, treeSize), sha256).ok);
      assert.ok(verifyConsistency(consistencyOf(tree, pick % treeSize, treeSize), sha256).ok);
    }),
  );
});

merkle('rejects a proof for another leaf, index, size or root, by name', () => {
  const tree = treeOf(13);
  const good = inclusionOf(tree, 5, 13);
  const codeOf = (change: Partial<typeof good>) =>
    codesOf(verifyInclusion({ ...good, ...change }, sha256));
  assert.equal(codeOf({ leafHash: leafHash(leafOf(6), sha256) }), ['ROOT_MISMATCH']);
  assert.equal(codeOf({ index: 4 }), ['ROOT_MISMATCH']);
  assert.equal(codeOf({ root: tree.root(12) }), ['ROOT_MISMATCH']);
  assert.equal(codeOf({ index: 13 }), ['INDEX_OUTSIDE_TREE']);
  assert.equal(codeOf({ index: -1 }), ['INDEX_OUTSIDE_TREE']);
  assert.equal(codeOf({ index: 0.5 }), ['INDEX_OUTSIDE_TREE']);
  assert.equal(codeOf({ treeSize: Number.NaN }), ['INDEX_OUTSIDE_TREE']);
  assert.equal(codeOf({ proof: good.proof.slice(1) }), ['PROOF_TOO_SHORT']);
  assert.equal(codeOf({ proof: [...good.proof, tree.root()] }), ['PROOF_TOO_LONG']);
  assert.equal(codeOf({ proof: [new Uint8Array(31), ...good.proof.slice(1)] }), [
    'HASH_SIZE_WRONG',
  ]);
});

merkle('rejects every proof with one bit changed', () => {
  const tree = treeOf(13);
  const inclusion = inclusionOf(tree, 6, 13);
  const consistency = consistencyOf(tree, 6, 13);
  for (const at of inclusion.proof.keys()) {
    assert.not(verifyInclusion({ ...inclusion, proof: flip(inclusion.proof, at) }, sha256).ok);
  }
  for (const at of consistency.proof.keys()) {
    const proof = flip(consistency.proof, at);
    assert.not(verifyConsistency({ ...consistency, proof }, sha256).ok);
  }
});

merkle('rejects a log whose past was changed, by name', () => {
  const tree = treeOf(13);
  const good = consistencyOf(tree, 6, 13);
  const codeOf = (change: Partial<typeof good>) =>
    codesOf(verifyConsistency({ ...good, ...change }, sha256));
  assert.equal(codeOf({ oldRoot: tree.root(5) }), ['OLD_ROOT_MISMATCH']);
  assert.equal(codeOf({ root: tree.root(12) }), ['ROOT_MISMATCH']);
  assert.equal(codeOf({ oldSize: 14 }), ['SIZES_REVERSED']);
  assert.equal(codeOf({ proof: [] }), ['PROOF_TOO_SHORT']);
  assert.equal(codeOf({ proof: good.proof.slice(0, -1) }), ['PROOF_TOO_SHORT']);
  assert.equal(codeOf({ proof: [...good.proof, tree.root()] }), ['PROOF_TOO_LONG']);
  assert.equal(codeOf({ oldSize: 13 }), ['PROOF_TOO_LONG']);
  const same = consistencyOf(tree, 13, 13);
  assert.equal(codesOf(verifyConsistency({ ...same, oldRoot: tree.root(12) }, sha256)), [
    'OLD_ROOT_MISMATCH',
  ]);
});

merkle('takes an empty tree for the prefix of any tree, and no other root for it', () => {
  const tree = treeOf(3);
  const good = consistencyOf(tree, 0, 3);
  assert.ok(verifyConsistency(good, sha256).ok);
  assert.equal(codesOf(verifyConsistency({ ...good, oldRoot: tree.root(1) }, sha256)), [
    'OLD_ROOT_MISMATCH',
  ]);
  assert.equal(codesOf(verifyConsistency({ ...good, proof: [tree.root()] }, sha256)), [
    'PROOF_TOO_LONG',
  ]);
});

merkle('does not take a node for a leaf', () => {
  const tree = treeOf(2);
  const asLeaf = new Uint8Array([...leafHash(leafOf(0), sha256), ...leafHash(leafOf(1), sha256)]);
  assert.not.equal(leafHash(asLeaf, sha256), tree.root());
});

merkle('verifies at sizes no dock will reach', () => {
  const treeSize = 2 ** 53 - 1;
  const claim = {
    leafHash: sha256(utf8('x')),
    index: treeSize - 1,
    treeSize,
    root: sha256(utf8('y')),
  };
  const proof = Array.from({ length: 52 }, () => parseHex('00'.repeat(32), 32) ?? utf8(''));
  assert.equal(codesOf(verifyInclusion({ ...claim, proof }, sha256)), ['ROOT_MISMATCH']);
});

function flip(proof: readonly Uint8Array[], at: number): Uint8Array[] {
  return proof.map((hash, index) => {
    if (index !== at) return hash;
    const changed = hash.slice();
    changed[at % 32] = (changed[at % 32] ?? 0) ^ 1;
    return changed;
  });
}

merkle.run();

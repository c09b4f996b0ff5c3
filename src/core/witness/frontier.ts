import { leafHash, type MerkleTree, nodeHash } from '../custody/merkle.ts';
import type { Sha256 } from '../custody/primitives.ts';

interface Peak {
  readonly level: number;
  readonly hash: Uint8Array;
}

/** The root that a tree would have with these leaves added (at least one entry in all); the tree is not changed. */
export function rootWith(
  tree: MerkleTree,
  leaves: readonly Uint8Array[],
  sha256: Sha256,
): Uint8Array {
  const peaks = peaksOf(tree);
  for (const leaf of leaves) {
    let added: Peak = { level: 0, hash: leafHash(leaf, sha256) };
    for (let last = peaks.at(-1); last?.level === added.level; last = peaks.at(-1)) {
      peaks.pop();
      added = { level: added.level + 1, hash: nodeHash(last.hash, added.hash, sha256) };
    }
    peaks.push(added);
  }
  const last = peaks.pop();
  if (last === undefined) return tree.root();
  return peaks.reduceRight((root, { hash }) => nodeHash(hash, root, sha256), last.hash);
}

/** The complete subtrees that make up the tree, largest first. */
function peaksOf(tree: MerkleTree): Peak[] {
  const peaks: Peak[] = [];
  let start = 0;
  for (let level = 30; level >= 0; level--) {
    const width = 2 ** level;
    if (tree.size - start < width) continue;
    peaks.push({ level, hash: tree.subtree(level, start / width) });
    start += width;
  }
  return peaks;
}

import { assert } from '../assert.ts';
import { concatBytes } from '../bytes.ts';
import type { Sha256 } from './primitives.ts';

export const HASH_BYTES = 32;
const LEAF_PREFIX = Uint8Array.of(0x00);
const NODE_PREFIX = Uint8Array.of(0x01);
/** Entries that a dock could write in a lifetime are thousands of times fewer. */
const TREE_SIZE_MAX = 2 ** 31;

/** RFC 6962 2.1: the prefixes keep a leaf from passing for a node. */
export function leafHash(leaf: Uint8Array, sha256: Sha256): Uint8Array {
  return sha256(concatBytes(LEAF_PREFIX, leaf));
}

export function nodeHash(left: Uint8Array, right: Uint8Array, sha256: Sha256): Uint8Array {
  return sha256(concatBytes(NODE_PREFIX, left, right));
}

export function emptyRoot(sha256: Sha256): Uint8Array {
  return sha256(new Uint8Array(0));
}

/**
 * An append-only RFC 6962 tree in memory. It keeps the hash of every complete subtree (64 bytes an entry in all), so that an
 * append costs two hashes on average, and any root or proof, of this size or an earlier one, O(log n).
 */
export class MerkleTree {
  readonly #sha256: Sha256;
  readonly #levels: HashList[] = [new HashList()];

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  get size(): number {
    return this.#level(0).length;
  }

  /** The index of the new leaf. */
  append(leaf: Uint8Array): number {
    return this.appendHash(leafHash(leaf, this.#sha256));
  }

  appendHash(hash: Uint8Array): number {
    assert(hash.length === HASH_BYTES, 'a leaf hash has 32 bytes');
    assert(this.size < TREE_SIZE_MAX, 'the tree is full');
    const index = this.size;
    this.#level(0).push(hash);
    for (let level = 0; this.#level(level).length % 2 === 0; level++) {
      const { length } = this.#level(level);
      const left = this.#level(level).at(length - 2);
      const right = this.#level(level).at(length - 1);
      this.#level(level + 1).push(nodeHash(left, right, this.#sha256));
    }
    return index;
  }

  /** Hash of the complete subtree over leaves [index * 2^level, (index + 1) * 2^level). */
  subtree(level: number, index: number): Uint8Array {
    assert(index < this.#level(level).length, 'the subtree is complete');
    return this.#level(level).at(index);
  }

  root(treeSize: number = this.size): Uint8Array {
    assert(treeSize >= 0 && treeSize <= this.size, 'the tree has that size');
    return treeSize === 0 ? emptyRoot(this.#sha256) : this.#range(0, treeSize);
  }

  /** RFC 6962 2.1.1: from the leaf's sibling up. */
  inclusionProof(index: number, treeSize: number = this.size): Uint8Array[] {
    assert(treeSize <= this.size && index >= 0 && index < treeSize, 'the leaf is in the tree');
    const proof: Uint8Array[] = [];
    let start = 0;
    let end = treeSize;
    while (end - start > 1) {
      const middle = start + splitOf(end - start);
      if (index < middle) {
        proof.push(this.#range(middle, end));
        end = middle;
      } else {
        proof.push(this.#range(start, middle));
        start = middle;
      }
    }
    return proof.reverse();
  }

  /** RFC 6962 2.1.2. Empty when the old tree is empty or is the same tree. */
  consistencyProof(oldSize: number, treeSize: number = this.size): Uint8Array[] {
    assert(oldSize >= 0 && oldSize <= treeSize && treeSize <= this.size, 'the sizes are in order');
    if (oldSize === 0 || oldSize === treeSize) return [];
    const proof: Uint8Array[] = [];
    let start = 0;
    let end = treeSize;
    let known = true;
    while (end !== oldSize) {
      const middle = start + splitOf(end - start);
      if (oldSize <= middle) {
        proof.push(this.#range(middle, end));
        end = middle;
      } else {
        proof.push(this.#range(start, middle));
        start = middle;
        known = false;
      }
    }
    if (!known) proof.push(this.#range(start, end));
    return proof.reverse();
  }

  #range(start: number, end: number): Uint8Array {
    const width = end - start;
    const level = 31 - Math.clz32(width);
    if (width === 2 ** level) return this.#level(level).at(start / width);
    const middle = start + splitOf(width);
    return nodeHash(this.#range(start, middle), this.#range(middle, end), this.#sha256);
  }

  #level(level: number): HashList {
    let list = this.#levels[level];
    if (list === undefined) {
      list = new HashList();
      this.#levels[level] = list;
    }
    return list;
  }
}

/** Hashes side by side in one buffer: an array of small arrays costs four times the memory. */
class HashList {
  length = 0;
  #bytes = new Uint8Array(HASH_BYTES * 4);

  push(hash: Uint8Array): void {
    const offset = this.length * HASH_BYTES;
    if (offset === this.#bytes.length) {
      const grown = new Uint8Array(this.#bytes.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(hash, offset);
    this.length += 1;
  }

  at(index: number): Uint8Array {
    return this.#bytes.slice(index * HASH_BYTES, (index + 1) * HASH_BYTES);
  }
}

/** Largest power of two smaller than `width`, which is at least 2. */
function splitOf(width: number): number {
  return 2 ** (31 - Math.clz32(width - 1));
}

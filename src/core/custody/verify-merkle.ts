import { equalBytes } from '../bytes.ts';
import { fails, HOLDS, type Verdict } from './finding.ts';
import { emptyRoot, HASH_BYTES, nodeHash } from './merkle.ts';
import type { Sha256 } from './primitives.ts';

export interface InclusionClaim {
  readonly leafHash: Uint8Array;
  readonly index: number;
  readonly treeSize: number;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly oldRoot: Uint8Array;
  readonly treeSize: number;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** RFC 9162 2.1.3.2. */
export function verifyInclusion(claim: InclusionClaim, sha256: Sha256): Verdict {
  const { index, treeSize, proof } = claim;
  if (!isCount(index) || !isCount(treeSize) || index >= treeSize) {
    return fails('INDEX_OUTSIDE_TREE', `index ${index} is not in a tree of ${treeSize}`);
  }
  if (![claim.leafHash, claim.root, ...proof].every(isHash)) return hashSizeWrong();
  let position = index;
  let last = treeSize - 1;
  let hash = claim.leafHash;
  for (const sibling of proof) {
    if (last === 0) return tooLong(proof.length);
    if (position % 2 === 1 || position === last) {
      hash = nodeHash(sibling, hash, sha256);
      while (position % 2 === 0 && position !== 0) [position, last] = parents(position, last);
    } else {
      hash = nodeHash(hash, sibling, sha256);
    }
    [position, last] = parents(position, last);
  }
  if (last !== 0) return tooShort(proof.length);
  return equalBytes(hash, claim.root) ? HOLDS : rootMismatch();
}

/** RFC 9162 2.1.4.2. An empty old tree is a prefix of any tree: its root must be that of no entries, its proof empty. */
export function verifyConsistency(claim: ConsistencyClaim, sha256: Sha256): Verdict {
  const { oldSize, treeSize, proof } = claim;
  if (!isCount(oldSize) || !isCount(treeSize) || oldSize > treeSize) {
    return fails('SIZES_REVERSED', `a tree of ${oldSize} does not come before one of ${treeSize}`);
  }
  if (oldSize > 0 && oldSize === treeSize) return verifySame(claim);
  if (![claim.oldRoot, claim.root, ...proof].every(isHash)) return hashSizeWrong();
  if (oldSize === 0) return verifyFromEmpty(claim, sha256);
  const [first, ...rest] = isPowerOfTwo(oldSize) ? [claim.oldRoot, ...proof] : proof;
  if (first === undefined) return tooShort(proof.length);
  let position = oldSize - 1;
  let last = treeSize - 1;
  while (position % 2 === 1) [position, last] = parents(position, last);
  let oldHash = first;
  let hash = first;
  for (const sibling of rest) {
    if (last === 0) return tooLong(proof.length);
    if (position % 2 === 1 || position === last) {
      oldHash = nodeHash(sibling, oldHash, sha256);
      hash = nodeHash(sibling, hash, sha256);
      while (position % 2 === 0 && position !== 0) [position, last] = parents(position, last);
    } else {
      hash = nodeHash(hash, sibling, sha256);
    }
    [position, last] = parents(position, last);
  }
  if (last !== 0) return tooShort(proof.length);
  if (!equalBytes(oldHash, claim.oldRoot)) return oldRootMismatch();
  return equalBytes(hash, claim.root) ? HOLDS : rootMismatch();
}

function verifySame({ proof, oldRoot, root }: ConsistencyClaim): Verdict {
  if (proof.length > 0) return tooLong(proof.length);
  return equalBytes(oldRoot, root) ? HOLDS : oldRootMismatch();
}

function verifyFromEmpty(claim: ConsistencyClaim, sha256: Sha256): Verdict {
  if (claim.proof.length > 0) return tooLong(claim.proof.length);
  const empty = emptyRoot(sha256);
  if (!equalBytes(claim.oldRoot, empty)) return oldRootMismatch();
  return claim.treeSize > 0 || equalBytes(claim.root, empty) ? HOLDS : rootMismatch();
}

function parents(position: number, last: number): [number, number] {
  return [Math.floor(position / 2), Math.floor(last / 2)];
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isHash(bytes: Uint8Array): boolean {
  return bytes.length === HASH_BYTES;
}

function isPowerOfTwo(value: number): boolean {
  let odd = value;
  while (odd % 2 === 0) odd /= 2;
  return odd === 1;
}

function hashSizeWrong(): Verdict {
  return fails('HASH_SIZE_WRONG', 'a hash does not have 32 bytes');
}

function tooShort(length: number): Verdict {
  return fails('PROOF_TOO_SHORT', `a proof of ${length} hashes does not reach the root`);
}

function tooLong(length: number): Verdict {
  return fails('PROOF_TOO_LONG', `a proof of ${length} hashes goes past the root`);
}

function rootMismatch(): Verdict {
  return fails('ROOT_MISMATCH', 'the proof leads to another root');
}

function oldRootMismatch(): Verdict {
  return fails('OLD_ROOT_MISMATCH', 'the proof leads to another old root');
}

import { type Checkpoint, formatCheckpoint } from '../../../src/core/custody/checkpoint.ts';
import { MerkleTree } from '../../../src/core/custody/merkle.ts';
import { ed25519Key, type NoteSigner, signNote } from '../../../src/core/custody/note.ts';
import { cosign, cosignatureKey } from '../../../src/core/witness/cosignature.ts';
import type { VerifyPolicy } from '../../../src/core/witness/policy.ts';
import type { WitnessedLog } from '../../../src/core/witness/rules.ts';
import { sha256, testSigner } from '../custody/keys.ts';

export const LOG = testSigner('leeds/dock-1/log', 3);
export const OTHER_LOG = testSigner('leeds/dock-2/log', 4);
export const WITNESS = testSigner('council/witness', 9);
export const WITNESS_KEY = cosignatureKey(WITNESS.name, WITNESS.publicKey);
export const POLICY: VerifyPolicy = {
  logs: [ed25519Key(LOG.name, LOG.publicKey), ed25519Key(OTHER_LOG.name, OTHER_LOG.publicKey)],
  witnesses: [WITNESS_KEY],
  quorum: 1,
};
export const AT_MS = Date.UTC(2030, 0, 1);

/** A tree whose leaf `n` is `<branch> n` from `fork` on and `main n` before. */
export function treeOf(size: number, branch = 'main', fork = 0): MerkleTree {
  const tree = new MerkleTree(sha256);
  for (let n = 0; n < size; n++) tree.append(leafOf(n < fork ? 'main' : branch, n));
  return tree;
}

export function leafOf(branch: string, n: number): Uint8Array {
  return new TextEncoder().encode(`${branch} ${n}`);
}

export function signed(tree: MerkleTree, size = tree.size, signer: NoteSigner = LOG): string {
  return signedAs({ origin: signer.name, treeSize: size, root: tree.root(size) }, signer);
}

export function signedAs(checkpoint: Checkpoint, signer: NoteSigner = LOG): string {
  return signNote(formatCheckpoint(checkpoint), signer, sha256);
}

export function cosigned(note: string, atMs = AT_MS, signer: NoteSigner = WITNESS): string {
  return cosign(note, { signer, atMs, kept: LOG.name }, sha256);
}

/** What a witness knows that has cosigned the first `size` entries and mirrors the tree. */
export function witnessed(tree: MerkleTree, size = tree.size, signer = LOG): WitnessedLog {
  return {
    key: ed25519Key(signer.name, signer.publicKey),
    treeSize: size,
    rootAt: (at) => (at <= tree.size ? tree.root(at) : undefined),
  };
}

/** Numbers from 0 to 1 that a seed decides. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

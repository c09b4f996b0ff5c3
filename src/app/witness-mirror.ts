import { equalBytes } from '../core/bytes.ts';
import { type Checkpoint, readCheckpointNote } from '../core/custody/checkpoint.ts';
import { MerkleTree } from '../core/custody/merkle.ts';
import type { NoteCrypto, VerifierKey } from '../core/custody/note.ts';
import { verifyConsistency } from '../core/custody/verify-merkle.ts';
import { rootWith } from '../core/witness/frontier.ts';
import type { EntriesPiece } from '../core/witness/messages.ts';
import type { WitnessedLog } from '../core/witness/rules.ts';
import type { CustodyStore } from '../ports/custody-store.ts';

/**
 * One dock's log at the centre.
 *
 * INVARIANTS: its checkpoints are the cosigned ones. Entries are added only under a checkpoint that the log has signed and that continues the cosigned
 * tree, so what is here is the log's own, cosigned or about to be.
 */
export class WitnessMirror implements WitnessedLog {
  readonly key: VerifierKey;
  readonly #store: CustodyStore;
  readonly #crypto: NoteCrypto;
  #tree: MerkleTree;
  #cosigned = '';
  #treeSize = 0;

  constructor(key: VerifierKey, store: CustodyStore, crypto: NoteCrypto) {
    this.key = key;
    this.#store = store;
    this.#crypto = crypto;
    this.#tree = new MerkleTree(crypto.sha256);
  }

  async open(): Promise<void> {
    const { leaves, checkpoint } = await this.#store.open();
    this.#tree = new MerkleTree(this.#crypto.sha256);
    for (const leaf of leaves) this.#tree.append(leaf);
    this.#cosigned = checkpoint ?? '';
    this.#treeSize = checkpoint === undefined ? 0 : readCheckpointNote(checkpoint).treeSize;
  }

  /** Of the tree that was cosigned last. */
  get treeSize(): number {
    return this.#treeSize;
  }

  /** Entries that are here. */
  get entryCount(): number {
    return this.#tree.size;
  }

  /** The newest cosigned checkpoint; empty for none. */
  get cosigned(): string {
    return this.#cosigned;
  }

  rootAt(treeSize: number): Uint8Array | undefined {
    return treeSize <= this.#tree.size ? this.#tree.root(treeSize) : undefined;
  }

  /** Whether the entries that are here are the checkpoint's first ones. Undefined when they cannot tell. */
  agreesWith({ treeSize, root }: Checkpoint): boolean | undefined {
    const mirrored = this.rootAt(treeSize);
    return mirrored === undefined ? undefined : equalBytes(mirrored, root);
  }

  /** Durable when it returns true. False when the entries are not those of the checkpoint, and nothing was added. */
  async add({ from, leaves, proof }: EntriesPiece, checkpoint: Checkpoint): Promise<boolean> {
    const { sha256 } = this.#crypto;
    if (from !== this.#tree.size || leaves.length === 0) return true;
    const oldSize = from + leaves.length;
    const oldRoot = rootWith(this.#tree, leaves, sha256);
    const { treeSize, root } = checkpoint;
    if (!verifyConsistency({ oldSize, oldRoot, treeSize, root, proof }, sha256).ok) return false;
    await this.#store.append(leaves);
    for (const leaf of leaves) this.#tree.append(leaf);
    return true;
  }

  /** Durable when it returns: from now on no smaller and no other tree is cosigned. */
  async keep(note: string, treeSize: number): Promise<void> {
    if (treeSize > this.#treeSize || this.#cosigned === '') {
      await this.#store.putCheckpoint(note);
      await this.#store.putCosigned(note);
    }
    this.#cosigned = note;
    this.#treeSize = treeSize;
  }

  async close(): Promise<void> {
    await this.#store.close();
  }
}

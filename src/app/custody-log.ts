import { formatHex } from '../core/bytes.ts';
import {
  type Checkpoint,
  readCheckpointNote,
  signCheckpoint,
  verifyCheckpoint,
} from '../core/custody/checkpoint.ts';
import { type EntryBody, type EntryStamp, formatEntry, parseEntry } from '../core/custody/entry.ts';
import type { Actor } from '../core/custody/entry-grammar.ts';
import { MerkleTree } from '../core/custody/merkle.ts';
import { ed25519Key, type NoteCrypto } from '../core/custody/note.ts';
import { type DockState, foldEntries, INITIAL_STATE } from '../core/dock/state.ts';
import { encodeState, parseState } from '../core/dock/state-codec.ts';
import { asDockError, DockError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { CustodyContents, CustodyStore } from '../ports/custody-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { Signer } from '../ports/signer.ts';
import type { StateCache } from '../ports/state-cache.ts';

export interface CustodyLogDeps {
  readonly store: CustodyStore;
  readonly cache: StateCache;
  readonly logKey: Signer;
  readonly crypto: NoteCrypto;
  readonly clock: Clock;
  readonly logger: Logger;
  /** 8 hex digits, drawn anew at each start. */
  readonly boot: string;
}

/** What was done, and by whom where it was not the dock. */
export type ActBody = EntryBody & { readonly actor?: Actor };

export interface AppendedEntry {
  readonly index: number;
  readonly leafHash: Uint8Array;
}

export interface InclusionProof {
  readonly treeSize: number;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

interface Waiting {
  readonly bodies: readonly ActBody[];
  readonly resolve: (appended: readonly AppendedEntry[]) => void;
  readonly reject: (error: DockError) => void;
}

const NOT_OPEN = new DockError('CUSTODY_UNWRITABLE', 'the custody log is not open');

/**
 * The dock's record of every act, and the state that is its fold.
 *
 * INVARIANTS: one append runs at a time, and those that wait meanwhile go together in the next. The state and the tree change only after
 * the entries are durable. A log that could not be opened, or whose append failed, takes nothing: the dock must be started anew.
 */
export class CustodyLog {
  readonly #deps: CustodyLogDeps;
  readonly #listeners: ((state: DockState) => void)[] = [];
  #tree: MerkleTree;
  #state: DockState = INITIAL_STATE;
  #checkpoint = '';
  #waiting: Waiting[] = [];
  #isWriting = false;
  #failure: DockError | undefined = NOT_OPEN;
  #isTilesFaultTold = false;

  constructor(deps: CustodyLogDeps) {
    this.#deps = deps;
    this.#tree = new MerkleTree(deps.crypto.sha256);
  }

  get state(): DockState {
    return this.#state;
  }

  /** The newest signed checkpoint; empty for a log without entries. */
  get checkpoint(): string {
    return this.#checkpoint;
  }

  onChange(listener: (state: DockState) => void): void {
    this.#listeners.push(listener);
  }

  /** Reads and checks the log. CUSTODY_CORRUPT when it is not what was signed. Returns the bytes of a torn tail that were cut off. */
  async open(): Promise<{ readonly tornBytes: number }> {
    const contents = await this.#deps.store.open();
    try {
      await this.#load(contents);
    } catch (error) {
      this.#failure = asDockError(error, 'CUSTODY_CORRUPT', 'the custody log was not opened');
      await this.#deps.store.close();
      throw error;
    }
    this.#failure = undefined;
    return { tornBytes: contents.tornBytes };
  }

  /** The entries are durable, and a checkpoint over them is signed and durable, when it returns. */
  append(bodies: readonly ActBody[]): Promise<readonly AppendedEntry[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bodies, resolve, reject });
      if (!this.#isWriting) void this.#writeAll();
    });
  }

  /** Proof that entry `index` is under the newest checkpoint. */
  prove(index: number): InclusionProof {
    const treeSize = this.#tree.size;
    return {
      treeSize,
      root: this.#tree.root(treeSize),
      proof: this.#tree.inclusionProof(index, treeSize),
    };
  }

  /** Hash of the leaf of an entry. */
  leafHash(index: number): Uint8Array {
    return this.#tree.subtree(0, index);
  }

  /** Keeps the state so that the next start is quick; losing it costs only time. */
  async saveCache(): Promise<void> {
    const { cache, crypto, logger } = this.#deps;
    try {
      const root = this.#tree.root(this.#state.treeSize);
      await cache.save(encodeState(this.#state, root, crypto.sha256));
    } catch (error) {
      logger.warn('cache-not-saved', { code: asDockError(error, 'CACHE_CORRUPT', 'cache').code });
    }
  }

  async close(): Promise<void> {
    this.#failure ??= NOT_OPEN;
    await this.saveCache();
    await this.#deps.store.close();
  }

  async #load(contents: CustodyContents): Promise<void> {
    const { cache, crypto, logger } = this.#deps;
    for (const leaf of contents.leaves) this.#tree.append(leaf);
    this.#checkpoint = contents.checkpoint ?? '';
    if (contents.checkpoint !== undefined) this.#verifyCheckpoint(contents.checkpoint);
    const cached = parseState(await cache.load(), crypto.sha256);
    const from = this.#isFresh(cached) ? cached.state : INITIAL_STATE;
    if (from === INITIAL_STATE && contents.leaves.length > 0) logger.info('cache-rebuilt');
    this.#state = foldLeaves(contents.leaves.slice(from.treeSize), from);
    if (this.#state.misfits > 0) logger.warn('custody-misfits', { count: this.#state.misfits });
    if (this.#tree.size > this.#signedSize()) await this.#sign();
    this.#tellTilesFault();
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        const appended = await this.#write(batch);
        for (const [i, waiting] of batch.entries()) waiting.resolve(appended[i] ?? []);
      } catch (error) {
        const failure = asDockError(error, 'CUSTODY_UNWRITABLE', 'the custody log was not written');
        for (const waiting of batch) waiting.reject(failure);
      }
    }
    this.#isWriting = false;
  }

  async #write(batch: readonly Waiting[]): Promise<readonly (readonly AppendedEntry[])[]> {
    if (this.#failure !== undefined) throw this.#failure;
    const start = this.#tree.size;
    const stamp = this.#stamp();
    const acts = batch.flatMap(({ bodies }) => bodies);
    const encoded = acts.map((act, i) => formatEntry({ ...stamp, ...act }, start + i));
    try {
      await this.#deps.store.append(encoded);
      for (const leaf of encoded) this.#tree.append(leaf);
      await this.#sign();
    } catch (error) {
      // What is on the disk is not known now: only a fresh start, which reads it back, may write again.
      this.#failure = asDockError(error, 'CUSTODY_UNWRITABLE', 'the custody log was not written');
      throw this.#failure;
    }
    this.#state = foldLeaves(encoded, this.#state);
    this.#tellTilesFault();
    for (const listener of this.#listeners) listener(this.#state);
    let index = start;
    return batch.map(({ bodies }) =>
      bodies.map(() => ({ index, leafHash: this.leafHash(index++) })),
    );
  }

  #stamp(): EntryStamp {
    const { clock, boot } = this.#deps;
    return { atMs: clock.nowMs(), clock: 'system', boot, actor: 'dock' };
  }

  async #sign(): Promise<void> {
    const { store, logKey, crypto } = this.#deps;
    const tree = { treeSize: this.#tree.size, root: this.#tree.root() };
    const note = signCheckpoint(tree, logKey, crypto.sha256);
    await store.putCheckpoint(note);
    this.#checkpoint = note;
  }

  #tellTilesFault(): void {
    const { store, logger } = this.#deps;
    if (store.tilesFault === undefined || this.#isTilesFaultTold) return;
    this.#isTilesFaultTold = true;
    const { code, message } = store.tilesFault;
    logger.warn('custody-tiles-stopped', { code, why: message });
  }

  #signedSize(): number {
    return this.#checkpoint === '' ? 0 : readCheckpointNote(this.#checkpoint).treeSize;
  }

  #verifyCheckpoint(note: string): void {
    const { logKey, crypto } = this.#deps;
    const key = ed25519Key(logKey.name, logKey.publicKey);
    const verdict = verifyCheckpoint(note, [key], crypto);
    if (verdict.checkpoint === undefined) {
      const why = verdict.findings.map((found) => found.detail).join('; ');
      throw corrupt(`its checkpoint does not verify: ${why}`);
    }
    this.#compareRoot(verdict.checkpoint);
  }

  #compareRoot(checkpoint: Checkpoint): void {
    const { treeSize, root } = checkpoint;
    if (treeSize > this.#tree.size) {
      throw corrupt(`it has ${this.#tree.size} entries, and ${treeSize} were signed`);
    }
    if (formatHex(this.#tree.root(treeSize)) !== formatHex(root)) {
      throw corrupt(`its first ${treeSize} entries are not those that were signed`);
    }
  }

  #isFresh(cached: ReturnType<typeof parseState>): cached is NonNullable<typeof cached> {
    if (cached === undefined || cached.state.treeSize > this.#tree.size) return false;
    return formatHex(this.#tree.root(cached.state.treeSize)) === formatHex(cached.root);
  }
}

function foldLeaves(leaves: readonly Uint8Array[], from: DockState): DockState {
  try {
    return foldEntries(leaves.map(parseEntry), from);
  } catch (error) {
    throw new DockError('CUSTODY_CORRUPT', 'the custody log has an entry that does not parse', {
      cause: error,
      action: 'Keep the disk as it is and verify a copy of it.',
    });
  }
}

function corrupt(why: string): DockError {
  return new DockError('CUSTODY_CORRUPT', `the custody log is damaged: ${why}`, {
    action: 'Keep the disk as it is and verify a copy of it.',
  });
}

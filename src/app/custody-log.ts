import { formatHex } from '../core/bytes.ts';
import {
  type Checkpoint,
  readCheckpointNote,
  signCheckpoint,
  verifyCheckpoint,
} from '../core/custody/checkpoint.ts';
import { type EntryStamp, formatEntry } from '../core/custody/entry.ts';
import { MerkleTree } from '../core/custody/merkle.ts';
import { ed25519Key, type NoteCrypto } from '../core/custody/note.ts';
import { type DockState, INITIAL_STATE } from '../core/dock/state.ts';
import { encodeState, parseState } from '../core/dock/state-codec.ts';
import { asDockError, DockError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { CustodyContents, CustodyStore } from '../ports/custody-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { Signer } from '../ports/signer.ts';
import type { StateCache } from '../ports/state-cache.ts';
import {
  type ActBody,
  type AppendedEntry,
  type Decide,
  takeBatch,
  type Waiting,
} from './custody-batch.ts';
import { contradiction, corrupt, foldLeaves, sizeOf } from './custody-checks.ts';

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

export interface InclusionProof {
  readonly treeSize: number;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
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
  #signedAtMs = 0;
  #cosigned = '';
  readonly #waiting: Waiting[] = [];
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

  /** When this run signed `checkpoint`, on the monotonic clock. */
  get signedAtMonotonicMs(): number {
    return this.#signedAtMs;
  }

  /** The newest checkpoint that a witness cosigned; empty for none. */
  get cosigned(): string {
    return this.#cosigned;
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
    return this.#enqueue(() => bodies, false);
  }

  /** As `append`, of what `decide` says of the state as it is then: nothing comes between. It must be pure; nothing is written for no acts. */
  appendDecided(decide: Decide): Promise<readonly AppendedEntry[]> {
    return this.#enqueue(decide, true);
  }

  /** Proof that entry `index` is in the tree, or was when that had `treeSize` entries: while entries are written it is ahead of the checkpoint. */
  prove(index: number, treeSize = this.#tree.size): InclusionProof {
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

  /** From the tree of `oldSize` entries to the newest, or to `treeSize`. */
  consistencyProof(oldSize: number, treeSize = this.#tree.size): readonly Uint8Array[] {
    return this.#tree.consistencyProof(oldSize, treeSize);
  }

  readLeaves(from: number, to: number): Promise<readonly Uint8Array[]> {
    return this.#deps.store.readLeaves(from, to);
  }

  /** The first checkpoint of each size that a witness cosigned. */
  readCosigned(): Promise<readonly string[]> {
    return this.#deps.store.readCosigned();
  }

  /**
   * Keeps a checkpoint of this log that a witness cosigned; its signatures are the caller's to verify. CUSTODY_ROLLBACK when this log is not its
   * continuation: it is kept all the same, so that the next start knows, and nothing more is written or signed. One whose time is not believed
   * (`isTimely` false) is compared and not kept.
   */
  async keepCosigned(note: string, isTimely: boolean): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const isNewer = isTimely && sizeOf(note) >= sizeOf(this.#cosigned);
    const fault = contradiction(readCheckpointNote(note), this.#tree);
    if (fault !== undefined) this.#failure = fault;
    if (isNewer || fault !== undefined) {
      await this.#deps.store.putCosigned(note);
      this.#cosigned = note;
    }
    if (fault !== undefined) throw fault;
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
    this.#cosigned = contents.cosigned ?? '';
    if (contents.cosigned !== undefined) this.#verifyCosigned(contents.cosigned);
    const cached = parseState(await cache.load(), crypto.sha256);
    const from = this.#isFresh(cached) ? cached.state : INITIAL_STATE;
    if (from === INITIAL_STATE && contents.leaves.length > 0) logger.info('cache-rebuilt');
    this.#state = foldLeaves(contents.leaves.slice(from.treeSize), from);
    if (this.#state.misfits > 0) logger.warn('custody-misfits', { count: this.#state.misfits });
    if (this.#tree.size > sizeOf(this.#checkpoint)) await this.#sign();
    this.#tellTilesFault();
  }

  #enqueue(decide: Decide, isDecided: boolean): Promise<readonly AppendedEntry[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ decide, isDecided, resolve, reject });
      if (!this.#isWriting) void this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const batch = takeBatch(this.#waiting);
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
    const groups = batch.map(({ decide }) => decide(this.#state));
    const acts = groups.flat();
    if (acts.length === 0) return groups.map(() => []);
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
    return groups.map((group) => group.map(() => ({ index, leafHash: this.leafHash(index++) })));
  }

  #stamp(): EntryStamp {
    const { clock, boot } = this.#deps;
    return { atMs: clock.nowMs(), clock: 'system', boot, actor: 'dock' };
  }

  async #sign(): Promise<void> {
    const { store, logKey, crypto, clock } = this.#deps;
    const tree = { treeSize: this.#tree.size, root: this.#tree.root() };
    const note = signCheckpoint(tree, logKey, crypto.sha256);
    await store.putCheckpoint(note);
    this.#checkpoint = note;
    this.#signedAtMs = clock.monotonicMs();
  }

  #tellTilesFault(): void {
    const { store, logger } = this.#deps;
    if (store.tilesFault === undefined || this.#isTilesFaultTold) return;
    this.#isTilesFaultTold = true;
    const { code, message } = store.tilesFault;
    logger.warn('custody-tiles-stopped', { code, why: message });
  }

  /** C2SP tlog-checkpoint: nothing is signed that contradicts what a witness has seen. */
  #verifyCosigned(note: string): void {
    const fault = contradiction(this.#readSigned(note), this.#tree);
    if (fault !== undefined) throw fault;
  }

  #verifyCheckpoint(note: string): void {
    const { treeSize, root } = this.#readSigned(note);
    if (treeSize > this.#tree.size) {
      throw corrupt(`it has ${this.#tree.size} entries, and ${treeSize} were signed`);
    }
    if (formatHex(this.#tree.root(treeSize)) !== formatHex(root)) {
      throw corrupt(`its first ${treeSize} entries are not those that were signed`);
    }
  }

  #readSigned(note: string): Checkpoint {
    const { logKey, crypto } = this.#deps;
    const key = ed25519Key(logKey.name, logKey.publicKey);
    const { checkpoint, findings } = verifyCheckpoint(note, [key], crypto);
    if (checkpoint !== undefined) return checkpoint;
    const why = findings.map((found) => found.detail).join('; ');
    throw corrupt(`its checkpoint does not verify: ${why}`);
  }

  #isFresh(cached: ReturnType<typeof parseState>): cached is NonNullable<typeof cached> {
    if (cached === undefined || cached.state.treeSize > this.#tree.size) return false;
    return formatHex(this.#tree.root(cached.state.treeSize)) === formatHex(cached.root);
  }
}

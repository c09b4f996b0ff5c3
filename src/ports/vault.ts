import type { ClipId } from '../core/evidence/clip.ts';

/** An open age file. `fd` belongs to whoever opened it and is closed through the same port. */
export interface SegmentFile {
  readonly index: number;
  readonly fd: number;
}

/** A clip on its way into the vault: not evidence yet, invisible to `clips()`. */
export interface ClipDraft {
  readonly clip: ClipId;
  /** A new file open for writing at 0, mode 0600. VAULT_FULL, VAULT_UNWRITABLE. */
  createSegment(index: number): Promise<SegmentFile>;
  /** The same file, opened anew for reading. */
  reopenSegment(index: number): Promise<SegmentFile>;
  closeSegment(file: SegmentFile): Promise<void>;
  /** Durable when it returns. */
  putDetails(sealed: Uint8Array): Promise<void>;
  /**
   * What a later run needs to go on with this draft; replaces what was said before. It is durable when it returns, and so is the
   * folder's list of the segments. A commit leaves it out of the clip.
   */
  putState(note: string): Promise<void>;
  /**
   * Makes the draft a clip: manifest written and fsynced, folder fsynced, moved into the vault, vault fsynced. All of it is durable when it
   * returns; after a power cut the clip is whole or still a draft.
   */
  commit(manifestNote: string): Promise<void>;
  /** Removes the draft and closes what is open. May be called after a failed commit. */
  abandon(): Promise<void>;
  /** Closes what is open and leaves all that is on the disk to `Vault.reopenDraft`. The last call on it. */
  leave(): Promise<void>;
}

export interface VaultSpace {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** All evidence on the dock. One writer. A clip leaves by `disposeClip` alone. */
export interface Vault {
  /** Creates and probes the folders. VAULT_UNWRITABLE names the folder and the reason. */
  start(): Promise<void>;
  /** Drafts that nobody works on; gone on with by `reopenDraft`, or removed by `removeDraft`. */
  drafts(): Promise<readonly ClipId[]>;
  removeDraft(clip: ClipId): Promise<void>;
  /** What `putState` said last; undefined when it said nothing. */
  readDraftState(clip: ClipId): Promise<string | undefined>;
  /** A draft that nobody works on, with its first segments; whatever else was in it, but for its state, is gone. VAULT_MISSING. */
  reopenDraft(clip: ClipId, segmentCount: number): Promise<ClipDraft>;
  clips(): Promise<readonly ClipId[]>;
  draft(clip: ClipId): Promise<ClipDraft>;
  /** VAULT_MISSING when there is none. */
  readManifest(clip: ClipId): Promise<string>;
  readDetails(clip: ClipId): Promise<Uint8Array>;
  openSegment(clip: ClipId, index: number): Promise<SegmentFile>;
  closeSegment(file: SegmentFile): Promise<void>;
  /** Durable when it returns; replaces an earlier one. */
  putReceipt(clip: ClipId, receiptNote: string): Promise<void>;
  readReceipt(clip: ClipId): Promise<string | undefined>;
  /**
   * What opens each sealed file is destroyed first, then the files, then the folder; all of it is durable when it returns. May be called again after any
   * interruption, and for a clip that is not there. Only the disposal of `app` may call it. VAULT_UNWRITABLE.
   */
  disposeClip(clip: ClipId): Promise<void>;
  space(): Promise<VaultSpace>;
  stop(): Promise<void>;
}

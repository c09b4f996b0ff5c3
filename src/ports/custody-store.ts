import type { DockError } from '../core/errors.ts';

export interface CustodyContents {
  /** Leaf bytes, in order. */
  readonly leaves: readonly Uint8Array[];
  /** The newest signed checkpoint, if one was ever made. */
  readonly checkpoint: string | undefined;
  /** The newest checkpoint that a witness cosigned, if one ever did. */
  readonly cosigned?: string | undefined;
  /** Bytes of a torn last record that were cut off at opening. */
  readonly tornBytes: number;
}

/** The append-only log on disk. One writer. */
export interface CustodyStore {
  /** CUSTODY_CORRUPT when a record inside the published size is damaged: nothing is skipped or repaired then. */
  open(): Promise<CustodyContents>;
  /** Durable when it returns, all or none visible after a power cut. CUSTODY_UNWRITABLE. */
  append(leaves: readonly Uint8Array[]): Promise<void>;
  /** Durable when it returns; earlier checkpoints are kept. */
  putCheckpoint(note: string): Promise<void>;
  /** Durable when it returns. The first of each tree size is kept for good, of later ones the newest. */
  putCosigned(note: string): Promise<void>;
  /** Entries `from` to `to`, without the last; they are in the log. CUSTODY_CORRUPT. */
  readLeaves(from: number, to: number): Promise<readonly Uint8Array[]>;
  /** The first cosigned checkpoint of each tree size, in order. CUSTODY_CORRUPT. */
  readCosigned(): Promise<readonly string[]>;
  close(): Promise<void>;
  /** Why the copies for readers are no longer made, if so; the log itself is whole. */
  readonly tilesFault?: DockError | undefined;
}

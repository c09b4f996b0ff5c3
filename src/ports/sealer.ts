import type { ClipMidstate } from '../core/evidence/draft-state.ts';
import type { SegmentFile } from './vault.ts';

export interface SealedSegment {
  readonly plainBytes: number;
  readonly fileBytes: number;
  /** SHA-256 of the whole age file, lower-case hex. */
  readonly sha256: string;
}

/** One clip being sealed: calls in order, one at a time. */
export interface Sealing {
  /** New file key, header written. */
  beginSegment(file: SegmentFile): Promise<void>;
  /** The bytes must not change until the promise settles. Never takes more memory than a fixed ring: that is the back-pressure. */
  write(bytes: Uint8Array): Promise<void>;
  /** Last chunk written, file fsynced. */
  endSegment(): Promise<SealedSegment>;
  /** Where the clip's digest stands. Only between two segments, after a multiple of MIDSTATE_STEP bytes. */
  midstate(): ClipMidstate;
  /** SHA-256 (lower-case hex) and size of the clip's plaintext over all its segments. */
  finish(): Promise<{ readonly sha256: string; readonly sizeBytes: number }>;
  /** Wipes the keys. May be called at any time, any number of times. */
  abort(): void;
}

/** Seals to the council's recipients; holds no identity that opens. SEAL_FAILED, VAULT_FULL (no space), VAULT_UNWRITABLE. */
export interface Sealer {
  readonly recipientCount: number;
  /** SHA-256 (hex) of the sorted recipients, one a line. */
  readonly recipientsSha256: string;
  /** `from`: the segments before it were sealed already, and the digest goes on from there. */
  begin(from?: ClipMidstate): Sealing;
  /** A whole age file of something small (the details). */
  sealSmall(plain: Uint8Array): Promise<Uint8Array>;
  /** Reads the file back from the disk, past the page cache where it can. */
  rehash(file: SegmentFile): Promise<{ readonly fileBytes: number; readonly sha256: string }>;
}

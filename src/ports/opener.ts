export interface OpenedSegment {
  readonly plainBytes: number;
  readonly fileBytes: number;
  /** SHA-256 of the whole age file, lower-case hex. */
  readonly sha256: string;
  /** Recipients that the file is sealed to. */
  readonly stanzaCount: number;
}

/** One clip being opened: its segments in order, one at a time. */
export interface Opening {
  /** `fdIn` is read from its start, `fdOut` written at its position. OPEN_FAILED; the output must be thrown away then. */
  openSegment(files: { readonly fdIn: number; readonly fdOut: number }): Promise<OpenedSegment>;
  /** SHA-256 (lower-case hex) and size of the plaintext over all segments. */
  finish(): { readonly sha256: string; readonly sizeBytes: number };
  /** Wipes the keys. May be called at any time, any number of times. */
  abort(): void;
}

/** The council's reader: holds an identity, and is never constructed on a dock. */
export interface Opener {
  begin(): Opening;
  /** A whole age file of something small. OPEN_FAILED. */
  openSmall(sealed: Uint8Array): Uint8Array;
}

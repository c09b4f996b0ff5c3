import type { Frame } from '../core/link/frame.ts';

/** DATA frames of one request (SPEC 6); those that followed each other without a gap are one. */
export interface DataArrival {
  readonly type: number;
  readonly request: number;
  /** Of the first, counted from the READ's. */
  readonly offset: number;
  readonly sizeBytes: number;
  readonly frames: number;
  /** False: nobody expected these bytes, and they are nowhere. */
  readonly placed: boolean;
}

export interface FrameNews {
  /** In the order in which the line brought them. */
  readonly arrivals: readonly (Frame | DataArrival)[];
  /** Counted since the line was opened. */
  readonly heardBytes: number;
  /** Bytes that were in no frame. */
  readonly discardedBytes: number;
  /** Payload bytes whose checksum was wrong: the work that bad input cost. */
  readonly failedBytes: number;
  /** Why nothing more will come. */
  readonly failure?: Error;
}

/**
 * Takes the bytes of one open line off the event loop (SPEC 2, the gap included) and puts the clip bytes of DATA frames where they belong,
 * without a copy. It reads no further ahead than a fixed number of frames that were not taken.
 */
export interface FrameReader {
  /**
   * DATA of the request goes into the window from now on, each byte once and at ascending offsets. Bytes that were not told as placed
   * are undefined. What is still to come for two requests must not overlap.
   */
  expect(request: number, window: Uint8Array): void;
  /** Nothing is written into the window any more when this returns. What was placed before is still told. */
  forget(request: number): void;
  /** What came since the last call. */
  take(): FrameNews;
  /** Lets go of the line and of every window before it returns. What came can still be taken. May be called twice. */
  close(): void;
}

/** Works on a descriptor of its own. `onNews` is called when there is something to take, once until it is taken. */
export type OpenFrameReader = (fd: number, onNews: () => void) => FrameReader;

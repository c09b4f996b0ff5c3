// INVARIANTS: every byte from `fromByte` to the newest range's end is in exactly one of: received, wanted, or asked for by one
// request in flight. Ranges lie in order without gaps; there are never more than `rangeCountMax`, and that bounds all memory.
import { DockError } from '../errors.ts';
import { DATA_BYTES_MIN, READS_OUTSTANDING_MAX } from './frame.ts';
import { type HeldRanges, holdRanges } from './held-ranges.ts';
import type { Read } from './message.ts';
import type { LinePace } from './pace.ts';

const REPEATS_MAX = 32;
/** READs for what was not asked for before that are outstanding while repeats wait: the line must not idle between short ones. */
const FRESH_READS_MIN = 2;
/** What a READ is longer by than a DATA frame without bytes. */
const READ_EXTRA_BYTES = 20;
/** One range fills while the next is asked for. */
const RANGES_FILLING = 2;

export interface Range {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly buffer: Uint8Array;
  missingBytes: number;
}

export interface Piece {
  readonly range: Range;
  readonly end: number;
  readonly repeats: number;
  /** First byte not yet received. */
  next: number;
}

interface Flight extends Piece {
  readonly request: number;
  /** What its READ asked from: DATA counts from here. */
  readonly first: number;
  readonly dataBytes: number;
}

export interface ClipRangesOptions {
  readonly counter: number;
  readonly fromByte: number;
  readonly toByte: number;
  readonly pace: LinePace;
  /** Ranges that may be whole and not yet taken, beyond those in flight. */
  readonly rangesAhead: number;
  /** Nothing more is expected for this request: its window is another's from now on. */
  readonly onOver: (request: number) => void;
  /** Buffers that earlier reads of this camera are done with: a new one for each segment would wait for the garbage collector. */
  readonly spare: Uint8Array[];
  /** What an earlier read left, if it ended here. */
  readonly held?: HeldRanges | undefined;
}

type Accepted = [request: number, offsetInRead: number, sizeBytes: number, frames: number];

/** What to ask for, and where the bytes go. */
export interface AskedRead extends Read {
  readonly window: Uint8Array;
}

/**
 * The bytes of one clip on their way (SPEC 6): which range to ask for next, which frame fills what, what was lost. The camera answers
 * in order, so a frame that comes proves that everything asked for before it and not here is lost.
 */
export class ClipRanges {
  private readonly options: ClipRangesOptions;
  private readonly ranges: Range[] = [];
  private readonly wanted: Piece[] = [];
  private flights: Flight[] = [];
  /** Up to here there are ranges. */
  private planned: number;
  /** Up to here everything was asked for at least once. */
  private askedTo: number;

  constructor(options: ClipRangesOptions) {
    this.options = options;
    const { held, fromByte, toByte } = options;
    const fits = held?.fromByte === fromByte && held.toByte <= toByte;
    this.ranges.push(...(fits ? held.ranges : []));
    this.wanted.push(...(fits ? held.missing : []));
    this.planned = fits ? held.toByte : fromByte;
    this.askedTo = this.planned;
  }

  get inFlight(): number {
    return this.flights.length;
  }

  /** Of clip in the longest frame that is outstanding. */
  get frameBytesMax(): number {
    return Math.max(0, ...this.flights.map((flight) => flight.dataBytes));
  }

  /** Nothing is left to ask for, to wait for or to take. */
  get done(): boolean {
    return this.planned === this.options.toByte && this.ranges.length === 0;
  }

  /** What to ask for now under this request number; undefined when enough is in flight. */
  nextRead(request: number): AskedRead | undefined {
    const { pace, counter } = this.options;
    const piece = this.nextPiece();
    if (piece === undefined) return undefined;
    const { range, next, end } = piece;
    // Frames of one size: a short one at the end would cost as much as a long one.
    const frames = Math.ceil((end - next) / pace.dataBytes);
    const dataBytes = Math.max(DATA_BYTES_MIN, Math.ceil((end - next) / frames));
    this.flights.push({ ...piece, request, first: next, dataBytes });
    const window = range.buffer.subarray(next - range.offset, end - range.offset);
    return { counter, offset: next, lengthBytes: end - next, dataBytes, window };
  }

  /**
   * Frames of one request that followed each other without a gap, and whose bytes are in its window; the offset counts from the READ's.
   * False when they are not what was asked for and is still missing.
   */
  accept(...[request, offsetInRead, sizeBytes, frames]: Accepted): boolean {
    const index = this.flights.findIndex((flight) => flight.request === request);
    const flight = this.flights[index];
    if (flight === undefined || sizeBytes === 0) return false;
    const offset = flight.first + offsetInRead;
    if (offset < flight.next || offset + sizeBytes > flight.end) return false;
    for (const earlier of this.flights.splice(0, index)) this.lose(earlier);
    this.want(flight, offset);
    flight.range.missingBytes -= sizeBytes;
    flight.next = offset + sizeBytes;
    if (flight.next === flight.end) this.over(this.flights.shift());
    this.options.pace.noteArrived(sizeBytes, frames);
    return true;
  }

  asked(request: number): boolean {
    return this.flights.some((flight) => flight.request === request);
  }

  /** The camera did not take this request: it is asked again, and that says nothing about the line. */
  putBack(request: number): void {
    const flight = this.flights.find((each) => each.request === request);
    if (flight === undefined) return;
    this.flights = this.flights.filter((each) => each !== flight);
    this.over(flight);
    const { range, next, end, repeats } = flight;
    this.wanted.unshift({ range, next, end, repeats });
  }

  /** The line went quiet: nothing that is in flight will come. */
  loseAll(): void {
    for (const flight of this.flights.splice(0)) this.lose(flight);
  }

  /** The read is over before its end. What came and was not taken, for another one. */
  hold(): HeldRanges | undefined {
    const newest = this.ranges.at(-1);
    const rest = { next: this.askedTo, end: this.planned, repeats: 0 };
    const unasked = newest && rest.next < rest.end ? [{ range: newest, ...rest }] : [];
    return holdRanges(this.ranges, [...this.wanted, ...this.flights, ...unasked]);
  }

  /** The requests in flight. */
  get outstanding(): readonly number[] {
    return this.flights.map(({ request }) => request);
  }

  /** The next bytes in order when they are whole. They stay until `taken`. */
  whole(): Uint8Array | undefined {
    const head = this.ranges[0];
    if (head === undefined || head.missingBytes > 0) return undefined;
    return head.buffer.subarray(0, head.sizeBytes);
  }

  taken(): void {
    const head = this.ranges.shift();
    if (head !== undefined) this.options.spare.push(head.buffer);
  }

  /** What is missing goes first, as soon as enough is outstanding behind it. */
  private nextPiece(): Piece | undefined {
    if (this.flights.length >= READS_OUTSTANDING_MAX) return undefined;
    const fresh = this.flights.filter((flight) => flight.repeats === 0).length;
    if (fresh < FRESH_READS_MIN) return this.planPiece() ?? this.wanted.shift();
    const repeated = this.wanted.shift();
    return repeated === undefined && fresh < this.options.pace.depth ? this.planPiece() : repeated;
  }

  private planPiece(): Piece | undefined {
    const newest = this.ranges.at(-1);
    const isAsked = newest === undefined || this.askedTo === this.planned;
    return isAsked ? this.planRange() : this.cut(newest);
  }

  private planRange(): Piece | undefined {
    const { pace, toByte, rangesAhead, spare } = this.options;
    const isFull = this.ranges.length >= RANGES_FILLING + rangesAhead;
    if (this.planned === toByte || isFull) return undefined;
    const sizeBytes = Math.min(pace.rangeBytes, toByte - this.planned);
    const old = spare.pop();
    const buffer =
      old !== undefined && old.length >= sizeBytes ? old : new Uint8Array(pace.rangeBytes);
    const range = { offset: this.planned, sizeBytes, buffer, missingBytes: sizeBytes };
    this.ranges.push(range);
    this.planned += sizeBytes;
    return this.cut(range);
  }

  /** The next READ's worth of the newest range; a rest that is not worth a READ goes with it. */
  private cut(range: Range): Piece {
    const next = this.askedTo;
    const { readBytes } = this.options.pace;
    const isLast = this.planned - next < readBytes * 1.5;
    this.askedTo = isLast ? this.planned : next + readBytes;
    return { range, next, end: this.askedTo, repeats: 0 };
  }

  private lose(flight: Flight): void {
    this.over(flight);
    this.want(flight, flight.end);
  }

  private over(flight: Flight | undefined): void {
    if (flight !== undefined) this.options.onOver(flight.request);
  }

  private want(flight: Flight, end: number): void {
    if (flight.next >= end) return;
    const { next, first, dataBytes } = flight;
    const frames = Math.ceil((end - next) / dataBytes);
    // Nothing of several frames: it was the READ that got lost.
    const isRead = frames > 1 && next === first && end === flight.end;
    if (isRead) this.options.pace.noteLost(1, READ_EXTRA_BYTES);
    else this.options.pace.noteLost(frames, dataBytes);
    this.wanted.push(repeat(flight, end));
  }
}

function repeat(flight: Flight, end: number): Piece {
  if (flight.repeats >= REPEATS_MAX) {
    throw new DockError('CAMERA_FULL_OF_ERRORS', `a range was asked for ${REPEATS_MAX} times`, {
      action: 'Clean the contacts of the camera and the bay.',
    });
  }
  return { range: flight.range, next: flight.next, end, repeats: flight.repeats + 1 };
}

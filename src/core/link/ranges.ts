// INVARIANTS: every byte from `fromByte` to the newest range's end is in exactly one of: received, wanted, or asked for by one
// request in flight. Ranges lie in order without gaps; there are never more than `rangeCountMax`, and that bounds all memory.
import { DockError } from '../errors.ts';
import type { Read } from './message.ts';
import type { LinePace } from './pace.ts';

const REPEATS_MAX = 32;

interface Range {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly buffer: Uint8Array;
  missingBytes: number;
}

interface Piece {
  readonly range: Range;
  readonly end: number;
  readonly repeats: number;
  /** First byte not yet received. */
  next: number;
}

interface Flight extends Piece {
  readonly request: number;
  readonly dataBytes: number;
}

export interface ClipRangesOptions {
  readonly counter: number;
  readonly fromByte: number;
  readonly toByte: number;
  readonly pace: LinePace;
  /** Ranges that may be whole and not yet taken, beyond those in flight. */
  readonly rangesAhead: number;
}

/**
 * The bytes of one clip on their way (SPEC 6): which range to ask for next, which frame fills what, what was lost. The camera answers
 * in order, so a frame that comes proves that everything asked for before it and not here is lost.
 */
export class ClipRanges {
  private readonly options: ClipRangesOptions;
  private readonly ranges: Range[] = [];
  private readonly spare: Uint8Array[] = [];
  private readonly wanted: Piece[] = [];
  private flights: Flight[] = [];
  private planned: number;

  constructor(options: ClipRangesOptions) {
    this.options = options;
    this.planned = options.fromByte;
  }

  get inFlight(): number {
    return this.flights.length;
  }

  /** Nothing is left to ask for, to wait for or to take. */
  get done(): boolean {
    return this.planned === this.options.toByte && this.ranges.length === 0;
  }

  /** What to ask for now under this request number; undefined when enough is in flight. */
  nextRead(request: number): Read | undefined {
    const { pace, counter } = this.options;
    if (this.flights.length >= pace.depth) return undefined;
    const piece = this.wanted.shift() ?? this.planRange();
    if (piece === undefined) return undefined;
    const { dataBytes } = pace;
    this.flights.push({ ...piece, request, dataBytes });
    return { counter, offset: piece.next, lengthBytes: piece.end - piece.next, dataBytes };
  }

  /** False when the frame is not one that was asked for and is still missing. Copies the bytes. */
  accept(request: number, offset: number, bytes: Uint8Array): boolean {
    const index = this.flights.findIndex((flight) => flight.request === request);
    const flight = this.flights[index];
    if (flight === undefined || bytes.length === 0) return false;
    if (offset < flight.next || offset + bytes.length > flight.end) return false;
    for (const earlier of this.flights.splice(0, index)) this.want(earlier, earlier.end);
    this.want(flight, offset);
    flight.range.buffer.set(bytes, offset - flight.range.offset);
    flight.range.missingBytes -= bytes.length;
    flight.next = offset + bytes.length;
    if (flight.next === flight.end) this.flights.shift();
    this.options.pace.noteArrived();
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
    const { range, next, end, repeats } = flight;
    this.wanted.unshift({ range, next, end, repeats });
  }

  /** The line went quiet: nothing that is in flight will come. */
  loseAll(): void {
    for (const flight of this.flights.splice(0)) this.want(flight, flight.end);
  }

  /** The next bytes in order when they are whole. They stay until `taken`. */
  whole(): Uint8Array | undefined {
    const head = this.ranges[0];
    if (head === undefined || head.missingBytes > 0) return undefined;
    return head.buffer.subarray(0, head.sizeBytes);
  }

  taken(): void {
    const head = this.ranges.shift();
    if (head !== undefined) this.spare.push(head.buffer);
  }

  private planRange(): Piece | undefined {
    const { pace, toByte, rangesAhead } = this.options;
    if (this.planned === toByte || this.ranges.length >= pace.depth + rangesAhead) return undefined;
    const sizeBytes = Math.min(pace.rangeBytes, toByte - this.planned);
    const spare = this.spare.pop();
    const buffer =
      spare !== undefined && spare.length >= sizeBytes ? spare : new Uint8Array(sizeBytes);
    const range = { offset: this.planned, sizeBytes, buffer, missingBytes: sizeBytes };
    this.ranges.push(range);
    this.planned += sizeBytes;
    return { range, next: range.offset, end: this.planned, repeats: 0 };
  }

  private want(flight: Flight, end: number): void {
    if (flight.next >= end) return;
    const whole = flight.end === end && flight.next === flight.range.offset;
    const frames = whole ? 1 : Math.ceil((end - flight.next) / flight.dataBytes);
    this.options.pace.noteLost(frames);
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

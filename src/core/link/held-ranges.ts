import type { Piece, Range } from './ranges.ts';

/** What came of a clip, and was not taken, when its read ended: a later read begins with it. Nothing is in flight. */
export class HeldRanges {
  /** In order without gaps; at least one, and something came of the last. */
  readonly ranges: readonly Range[];
  /** What did not come of them. */
  readonly missing: readonly Piece[];
  readonly fromByte: number;
  readonly toByte: number;

  constructor(ranges: readonly Range[], missing: readonly Piece[]) {
    this.ranges = ranges;
    this.missing = missing;
    this.fromByte = ranges[0]?.offset ?? 0;
    this.toByte = ranges.reduce((end, range) => end + range.sizeBytes, this.fromByte);
  }

  /** Of memory. */
  get sizeBytes(): number {
    return this.ranges.reduce((sum, { buffer }) => sum + buffer.length, 0);
  }
}

/** Keeps what is between the first byte and the last one that came. Undefined when nothing came. */
export function holdRanges(
  ranges: readonly Range[],
  missing: readonly Piece[],
): HeldRanges | undefined {
  const kept = [...ranges];
  let last = kept.pop();
  while (last !== undefined && last.missingBytes === last.sizeBytes) last = kept.pop();
  if (last === undefined) return undefined;
  const end = lastByteOf(last, missing);
  const cut: Range = {
    offset: last.offset,
    sizeBytes: end - last.offset,
    buffer: last.buffer.slice(0, end - last.offset),
    missingBytes: last.missingBytes - (last.offset + last.sizeBytes - end),
  };
  const pieces = missing
    .filter((piece) => piece.next < end)
    .map((piece) => ({ ...piece, range: piece.range === last ? cut : piece.range, repeats: 0 }));
  return new HeldRanges([...kept, cut], pieces);
}

/** Where the bytes end that came of it. */
function lastByteOf(range: Range, missing: readonly Piece[]): number {
  const fromEnd = missing
    .filter((piece) => piece.range === range)
    .sort((one, other) => other.end - one.end);
  let end = range.offset + range.sizeBytes;
  for (const piece of fromEnd) if (piece.end === end) end = piece.next;
  return end;
}

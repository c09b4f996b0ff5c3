/** By how much a camera's clock was ahead while it made the recordings `first` to `last`. */
export interface ClockMark {
  readonly first: number;
  readonly last: number;
  readonly offsetMs: number;
}

/** By the digest that stands for the camera in the log. Oldest first. */
export type CameraClocks = ReadonlyMap<string, readonly ClockMark[]>;

/** More than a camera needs that is docked now and then; what is older is known from the manifests. */
const MARKS_MAX = 8;

export function noteClock(
  clocks: CameraClocks,
  camera: string,
  mark: ClockMark,
): ReadonlyMap<string, readonly ClockMark[]> {
  const marks = [...(clocks.get(camera) ?? []), mark];
  return new Map(clocks).set(camera, marks.slice(-MARKS_MAX));
}

/**
 * The offset under which a recording was made. It is the first one measured after it, since from then on the clock was the dock's. Undefined
 * when none was measured, or so long ago that it is forgotten.
 */
export function clockOffsetOf(
  clocks: CameraClocks,
  camera: string,
  counter: number,
): number | undefined {
  const marks = clocks.get(camera) ?? [];
  return marks.find(({ first, last }) => first <= counter && counter <= last)?.offsetMs;
}

/** The first counter of a camera whose recording has no mark yet. */
export function firstUnmarked(clocks: CameraClocks, camera: string): number {
  return (clocks.get(camera)?.at(-1)?.last ?? 0) + 1;
}

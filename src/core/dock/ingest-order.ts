/** Bytes after which a clip under way lets another bay's have its place, if one waits. */
export const TURN_BYTES = 4 * 1024 * 1024;
/** The same for a line so slow that it would keep the place for minutes. */
export const TURN_MS = 500;
/** No bay that wants to go on gets further behind another than this, and one turn. */
export const BEHIND_BYTES_MAX = 2 * TURN_BYTES;

/** A clip that waits for a place among the ingests of all bays. */
export interface WaitingClip {
  readonly bay: number;
  /** Marked on the camera or with the bay's button. */
  readonly incident: boolean;
  /** By the camera's clock, corrected by its offset; undefined when that clock was never set. */
  readonly startedAtMs: number | undefined;
  readonly counter: number;
}

/**
 * Bytes by which each bay was served; only differences count. Incidents are not counted: they come first, and the camera that made them
 * must not wait for the others to make up for it.
 */
export type ServedBytes = ReadonlyMap<number, number>;

/**
 * When a bay begins to want places: what it was served before no longer counts but for a little, so that it neither pays for a night in
 * which it was alone nor is paid for one in which it was empty. Not to be called between the clips of one camera.
 */
export function joinBay(served: ServedBytes, bay: number, others: Iterable<number>): ServedBytes {
  const most = Math.max(...[...others].filter((other) => other !== bay).map(bytesOf(served)));
  if (!Number.isFinite(most)) return new Map([[bay, 0]]);
  const own = served.get(bay) ?? 0;
  return new Map(served).set(bay, Math.min(most, Math.max(own, most - BEHIND_BYTES_MAX)));
}

/**
 * Which clip goes on: incidents before all others, then that of a bay which is too far behind the busy bay that is furthest ahead, then
 * the oldest. Undefined when nothing waits.
 */
export function chooseNext<T extends WaitingClip>(
  waiting: readonly T[],
  served: ServedBytes,
  busy: Iterable<number>,
): T | undefined {
  const incidents = waiting.filter(({ incident }) => incident);
  if (incidents.length > 0) return first(incidents, compareAge);
  const of = bytesOf(served);
  const most = Math.max(...[...busy, ...waiting.map(({ bay }) => bay)].map(of));
  const behind = waiting.filter(({ bay }) => most - of(bay) >= BEHIND_BYTES_MAX);
  if (behind.length === 0) return first(waiting, compareAge);
  return first(behind, (a, b) => of(a.bay) - of(b.bay) || compareAge(a, b));
}

/** Oldest first. Recordings without a time come after those that have one; their counters at least keep one camera's in order. */
export function compareAge(a: WaitingClip, b: WaitingClip): number {
  const untimed = Number.POSITIVE_INFINITY;
  const [aMs, bMs] = [a.startedAtMs ?? untimed, b.startedAtMs ?? untimed];
  if (aMs !== bMs) return aMs < bMs ? -1 : 1;
  return a.counter - b.counter || a.bay - b.bay;
}

function bytesOf(served: ServedBytes): (bay: number) => number {
  return (bay) => served.get(bay) ?? 0;
}

function first<T>(items: readonly T[], compare: (a: T, b: T) => number): T | undefined {
  return items.reduce<T | undefined>(
    (best, item) => (best === undefined || compare(item, best) < 0 ? item : best),
    undefined,
  );
}

/** One line that all peers are measured on, one after the other. */
export interface Cell {
  /** 0: as fast as ptys go. */
  readonly baud: number;
  /** Bit-error rate. */
  readonly ber: number;
  readonly seed: number;
  /** Of the clip. */
  readonly bytes: number;
}

export interface CellPlan {
  readonly bauds: readonly number[];
  readonly bers: readonly number[];
  /** What the clip would take on the line if nothing else went over it. */
  readonly seconds: number;
  readonly unthrottledBytes: number;
  readonly seed: number;
}

export interface Outcome {
  readonly seconds: number;
  /** Of the process that receives. */
  readonly cpuSeconds: number;
  readonly intact: boolean;
  readonly flippedBits: number;
  /** The setting that did it, where several were tried. */
  readonly how?: string;
}

export interface LinkRow {
  readonly peer: string;
  readonly baud: number;
  readonly ber: number;
  readonly bytes: number;
  readonly share: number;
  readonly megabytesPerSecond: number;
  readonly intact: boolean;
  readonly cpuSecondsPerGB: number;
  readonly flippedBits: number;
  readonly how: string;
}

/** SPEC 1: a byte is ten bits on a UART's line. */
const BITS_A_BYTE = 10;
const PATIENCE = 4;
const UNTHROTTLED_SECONDS_MAX = 45;
const STARTING_SECONDS = 5;
/** Errors cost an unthrottled line so much time that a smaller clip shows it. */
const NOISY_SHARE = 1 / 8;

export function planCells(plan: CellPlan): Cell[] {
  return plan.bauds.flatMap((baud) =>
    plan.bers.map((ber) => ({ baud, ber, seed: plan.seed, bytes: clipBytes(plan, baud, ber) })),
  );
}

function clipBytes(plan: CellPlan, baud: number, ber: number): number {
  if (baud > 0) return Math.round((plan.seconds * baud) / BITS_A_BYTE);
  return Math.round(plan.unthrottledBytes * (ber > 0 ? NOISY_SHARE : 1));
}

/** What a line without any overhead takes; undefined where nothing paces it. */
export function idealSeconds({ baud, bytes }: Pick<Cell, 'baud' | 'bytes'>): number | undefined {
  return baud === 0 ? undefined : (bytes * BITS_A_BYTE) / baud;
}

/** A peer that is not through by then is stopped. */
export function deadlineSeconds(cell: Cell): number {
  const ideal = idealSeconds(cell);
  return ideal === undefined ? UNTHROTTLED_SECONDS_MAX : STARTING_SECONDS + PATIENCE * ideal;
}

/** Goodput as a share of the line's limit: of a raw copy's, in seconds, where nothing paces the line. A clip that is not intact has none. */
export function shareOf(cell: Cell, outcome: Outcome, rawSeconds: number | undefined): number {
  if (!outcome.intact) return 0;
  return (idealSeconds(cell) ?? rawSeconds ?? Number.NaN) / outcome.seconds;
}

export function toLinkRow(
  peer: string,
  cell: Cell,
  measured: { readonly outcome: Outcome; readonly rawSeconds: number | undefined },
): LinkRow {
  const { outcome, rawSeconds } = measured;
  const { baud, ber, bytes } = cell;
  return {
    peer,
    baud,
    ber,
    bytes,
    share: round(shareOf(cell, outcome, rawSeconds), 4),
    megabytesPerSecond: outcome.intact ? round(bytes / outcome.seconds / 1e6, 3) : 0,
    intact: outcome.intact,
    cpuSecondsPerGB: round((outcome.cpuSeconds / bytes) * 1e9, 2),
    flippedBits: outcome.flippedBits,
    how: outcome.how ?? '',
  };
}

/** The best intact outcome, or the last one when none is. */
export function bestOf(outcomes: readonly Outcome[]): Outcome | undefined {
  const intact = outcomes.filter((outcome) => outcome.intact);
  const [first, ...others] = intact;
  if (first === undefined) return outcomes.at(-1);
  return others.reduce((best, each) => (each.seconds < best.seconds ? each : best), first);
}

/**
 * Walks from one of ordered settings to its neighbours for as long as that is better. `run` is asked once for each setting that is
 * reached; what it gave is returned, in the order of asking.
 */
export async function climb(
  count: number,
  start: number,
  run: (index: number) => Promise<Outcome>,
): Promise<Outcome[]> {
  const outcomes = [await run(start)];
  let best = timeOf(outcomes[0]);
  for (const step of [1, -1]) {
    for (let index = start + step; index >= 0 && index < count; index += step) {
      const outcome = await run(index);
      outcomes.push(outcome);
      if (timeOf(outcome) >= best) break;
      best = timeOf(outcome);
    }
  }
  return outcomes;
}

function timeOf(outcome: Outcome | undefined): number {
  return outcome?.intact === true ? outcome.seconds : Number.POSITIVE_INFINITY;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

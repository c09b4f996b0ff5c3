/** One measured run. */
export interface Sample {
  readonly bytes: number;
  readonly seconds: number;
  /** Of the whole process and of its children, user and system. */
  readonly cpuSeconds: number;
  /** Resident memory at its highest. 0 where it is not known. */
  readonly peakMiB: number;
  /** Only of runs inside a Node process that was watched. */
  readonly eventLoopP99Ms?: number;
  /** Processor time of the main thread for each MiB. */
  readonly mainThreadMsPerMiB?: number;
  /** Of an ingest into several bays: what the smallest bay got, as a share of the mean, while all had work. */
  readonly smallestShare?: number;
  /** Of an ingest: shares of the bays' time. */
  readonly linkShare?: number;
  readonly sealShare?: number;
  readonly diskShare?: number;
  readonly readBackShare?: number;
}

const OPTIONAL_DIGITS = {
  eventLoopP99Ms: 2,
  mainThreadMsPerMiB: 4,
  smallestShare: 3,
  linkShare: 3,
  sealShare: 3,
  diskShare: 3,
  readBackShare: 3,
} as const;

/** What the JSON holds of one subject: medians over the rounds. */
export interface Row extends Sample {
  readonly name: string;
  readonly rounds: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

function medianOf(samples: readonly Sample[], key: keyof Sample): number | undefined {
  const values = samples.map((sample) => sample[key]).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : median(values);
}

function roundTo(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

export function toRow(name: string, samples: readonly Sample[]): Row {
  const optional = Object.entries(OPTIONAL_DIGITS).flatMap(([key, digits]) => {
    const value = medianOf(samples, key as keyof typeof OPTIONAL_DIGITS);
    return value === undefined ? [] : [[key, roundTo(value, digits)]];
  });
  return {
    name,
    bytes: samples[0]?.bytes ?? 0,
    seconds: roundTo(medianOf(samples, 'seconds') ?? 0, 6),
    cpuSeconds: roundTo(medianOf(samples, 'cpuSeconds') ?? 0, 6),
    peakMiB: roundTo(medianOf(samples, 'peakMiB') ?? 0, 1),
    ...Object.fromEntries(optional),
    rounds: samples.length,
  };
}

/** Bytes a second. */
export function rateOf({ bytes, seconds }: Pick<Sample, 'bytes' | 'seconds'>): number {
  return bytes / seconds;
}

/** How many times as fast `fast` is as `slow`: the median over the rounds, both sides of each quotient from the same round. */
export function pairedRatio(fast: readonly number[], slow: readonly number[]): number {
  return median(
    fast.flatMap((rate, round) => {
      const other = slow[round];
      return other === undefined ? [] : [rate / other];
    }),
  );
}

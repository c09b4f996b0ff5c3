import { busySeconds, pinnedCpus } from './machine.ts';
import { type Row, rateOf, type Sample, toRow } from './sample.ts';

export interface Subject {
  readonly name: string;
  readonly run: (round: number) => Promise<Sample>;
}

/** All samples of one size, so that a quotient takes both sides from the same round. */
export class Rounds {
  readonly #samples = new Map<string, Sample[]>();

  get rows(): Row[] {
    return [...this.#samples].map(([name, samples]) => toRow(name, samples));
  }

  /** Every subject once a round, in turn, and backwards in every other round, so that what drifts touches all alike. */
  async run(subjects: readonly Subject[], count: number): Promise<void> {
    for (const { name } of subjects) this.#samples.set(name, []);
    for (let round = 0; round < count; round++) {
      const order = round % 2 === 0 ? subjects : [...subjects].reverse();
      for (const { name, run } of order) this.#samples.get(name)?.push(await run(round));
    }
  }

  has(name: string): boolean {
    return this.#samples.has(name);
  }

  /** Bytes a second in each round, by the clock on the wall. */
  rates(name: string): number[] {
    return (this.#samples.get(name) ?? []).map(rateOf);
  }

  /** Bytes a second of processor time: hardly touched by what else the machine does. */
  cpuRates(name: string): number[] {
    return (this.#samples.get(name) ?? []).map(({ bytes, cpuSeconds }) => bytes / cpuSeconds);
  }
}

/** Share of the pinned CPUs that others used while `work` ran: figures of a busy machine are no figures. */
export async function foreignShare(
  work: () => Promise<void>,
  ownSeconds: () => number,
): Promise<number> {
  const busy = busySeconds();
  const own = ownSeconds();
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1000;
  const foreign = busySeconds() - busy - (ownSeconds() - own);
  return Math.max(0, foreign / (seconds * pinnedCpus().length));
}

import { levelOf } from './sim-gpio.ts';

const PERIOD_MS = 5;
const COLOURS = ['green', 'amber', 'red'] as const;

export interface BayLamps {
  readonly green: number;
  readonly amber: number;
  readonly red: number;
}

export interface Watched {
  /** Share of the time for which the lamp was lit. */
  readonly share: BayLamps;
  /** How often it went on. */
  readonly onCount: BayLamps;
  /** At least once, all three were lit together. */
  readonly isAllSeen: boolean;
}

/** Watches the three lamps of a bay, given by their lines, for so long. */
export async function watch(lines: BayLamps, forMs: number): Promise<Watched> {
  const lit = { green: 0, amber: 0, red: 0 };
  const onCount = { green: 0, amber: 0, red: 0 };
  const before = { green: 1, amber: 1, red: 1 };
  let looks = 0;
  let isAllSeen = false;
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs) {
    let litNow = 0;
    for (const colour of COLOURS) {
      const level = levelOf(lines[colour]);
      lit[colour] += level;
      litNow += level;
      if (level === 1 && before[colour] === 0) onCount[colour] += 1;
      before[colour] = level;
    }
    isAllSeen ||= litNow === COLOURS.length;
    looks += 1;
    await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
  }
  const share = { green: lit.green / looks, amber: lit.amber / looks, red: lit.red / looks };
  return { share, onCount, isAllSeen };
}

export type Pattern = 'dark' | 'slow-amber' | 'steady-green' | 'green-double-blink' | 'fast-red';

/** The row of the light table that was seen, told by what is lit and for which part of the time. */
export function patternOf({ share, onCount }: Watched): Pattern | string {
  const { green, amber, red } = share;
  const blinks = (count: number) => count >= 2;
  if (green === 0 && amber === 0 && red === 0) return 'dark';
  if (green === 1 && amber === 0 && red === 0) return 'steady-green';
  if (green === 0 && red === 0 && amber > 0.3 && amber < 0.7) return 'slow-amber';
  if (green === 0 && amber === 0 && red > 0.3 && red < 0.7 && blinks(onCount.red)) {
    return 'fast-red';
  }
  if (amber === 0 && red === 0 && green < 0.35 && blinks(onCount.green)) {
    return 'green-double-blink';
  }
  return JSON.stringify({ share, onCount });
}

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SIM = process.env.DOCKET_SIM ?? '';

/** The level that a light would see. */
export function levelOf(line: number): 0 | 1 {
  return readFileSync(join(SIM, `sim_gpio${line}`, 'value'), 'utf8').trim() === '1' ? 1 : 0;
}

/** What a finger or a camera does to an input. */
export function pull(line: number, to: 'up' | 'down'): void {
  writeFileSync(join(SIM, `sim_gpio${line}`, 'pull'), `pull-${to}`);
}

export function removeChip(): void {
  writeFileSync('/sys/kernel/config/gpio-sim/pi/live', '0');
}

/** Waits for what the kernel does in its own time. */
export async function until(what: string, isTrue: () => boolean): Promise<void> {
  const limitMs = performance.now() + 10_000;
  while (!isTrue()) {
    if (performance.now() > limitMs) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

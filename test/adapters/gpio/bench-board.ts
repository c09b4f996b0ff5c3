import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { OnoffBoard } from '../../../src/adapters/gpio/onoff-board.ts';
import { type BoardConfig, parseBoard } from '../../../src/core/config/board.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { FakeLines } from '../../fakes/fake-lines.ts';

export const BASE = 512;
const CHIP = 'pinctrl-test';

/** Two bays: lines 0 to 5 of bay 1 are green, amber, red, button, present, charged; bay 2 has lamps on 10 to 12 and no contacts. */
export function benchConfig(): BoardConfig {
  const line = (number: number) => ({ chip: CHIP, line: number });
  const parsed = parseBoard({
    name: 'bench',
    gpio: 'sysfs',
    longPressMs: 800,
    debounceMs: 20,
    bays: [
      {
        bay: 1,
        serial: '/dev/one',
        lights: { green: line(0), amber: line(1), red: line(2) },
        button: line(3),
        present: line(4),
        charged: line(5),
      },
      {
        bay: 2,
        serial: '/dev/two',
        lights: { green: line(10), amber: line(11), red: line(12) },
      },
    ],
  });
  if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed.value;
}

export interface ChipFiles {
  readonly label: string;
  readonly base: number;
  readonly ngpio: number;
}

/** A folder as /sys/class/gpio. */
export async function chipsFolder(...chips: readonly ChipFiles[]): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), 'docket-chips-'));
  for (const { label, base, ngpio } of chips) {
    const folder = path.join(root, `gpiochip${base}`);
    await mkdir(folder);
    await writeFile(path.join(folder, 'label'), `${label}\n`);
    await writeFile(path.join(folder, 'base'), `${base}\n`);
    await writeFile(path.join(folder, 'ngpio'), `${ngpio}\n`);
  }
  return root;
}

export async function benchBoard(config: BoardConfig = benchConfig()) {
  const folder = await chipsFolder({ label: CHIP, base: BASE, ngpio: 58 });
  const clock = new FakeClock();
  const lines = new FakeLines();
  const board = new OnoffBoard(config, { clock, lines, chipsFolder: folder });
  const dispose = async () => {
    await board.stop();
    await rm(folder, { recursive: true });
  };
  return { board, clock, lines, dispose };
}

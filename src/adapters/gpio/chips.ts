import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BoardFault } from '../../ports/board.ts';

export const GPIO_ROOT = '/sys/class/gpio';

export interface GpioChip {
  readonly label: string;
  readonly base: number;
  readonly lineCount: number;
}

export interface ChipLine {
  readonly chip: string;
  readonly line: number;
}

/** Every chip that sysfs shows; none where this computer has no sysfs GPIO. */
export async function readChips(root: string = GPIO_ROOT): Promise<readonly GpioChip[]> {
  const names = (await namesIn(root)).filter((name) => /^gpiochip\d+$/.test(name));
  const chips = await Promise.all(names.map((name) => readChip(join(root, name))));
  return chips.filter((chip) => chip !== undefined);
}

/**
 * The number by which sysfs knows a line. A chip's base differs between kernels (512 and up since 6.6, 0 before), so it is looked
 * up by the chip's label, never assumed.
 */
export function resolveLine(chips: readonly GpioChip[], wanted: ChipLine): number | BoardFault {
  const matches = chips.filter((chip) => chip.label === wanted.chip);
  const [chip] = matches;
  if (chip === undefined) return noSuchChip(chips, wanted.chip);
  if (matches.length > 1) {
    return {
      code: 'GPIO_UNAVAILABLE',
      message: `${matches.length} GPIO chips are labelled ${wanted.chip}`,
      action: 'Remove the overlay that adds the second chip.',
    };
  }
  if (!Number.isInteger(wanted.line) || wanted.line < 0 || wanted.line >= chip.lineCount) {
    return {
      code: 'GPIO_UNAVAILABLE',
      message: `GPIO chip ${wanted.chip} has lines 0 to ${chip.lineCount - 1}, not ${wanted.line}`,
      action: 'Correct the line in the board file.',
    };
  }
  return chip.base + wanted.line;
}

function noSuchChip(chips: readonly GpioChip[], label: string): BoardFault {
  const found = chips.map((chip) => chip.label).join(', ');
  return {
    code: 'GPIO_UNAVAILABLE',
    message: `no GPIO chip is labelled ${label}; this computer has ${found === '' ? 'none' : found}`,
    action: 'Choose the board file of this computer, or correct the chip in it.',
  };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Undefined for a chip that went away while it was read. */
async function readChip(folder: string): Promise<GpioChip | undefined> {
  try {
    const [label, base, lineCount] = await Promise.all(
      ['label', 'base', 'ngpio'].map((name) => readFile(join(folder, name), 'utf8')),
    );
    const chip = {
      label: (label ?? '').trim(),
      base: Number.parseInt(base ?? '', 10),
      lineCount: Number.parseInt(lineCount ?? '', 10),
    };
    return Number.isNaN(chip.base) || Number.isNaN(chip.lineCount) ? undefined : chip;
  } catch (error) {
    if (['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}

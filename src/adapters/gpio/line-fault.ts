import type { BoardFault } from '../../ports/board.ts';

export const NO_GPIO: BoardFault = {
  code: 'GPIO_UNAVAILABLE',
  message: 'this computer has no sysfs GPIO that the dock may use',
  action:
    'Run on the board named in the configuration, with a kernel that has GPIO sysfs, in group gpio.',
};

/** What the kernel said about a line, with what to do about it. */
export function lineFault(error: unknown, place: string): BoardFault {
  const reason = (error as NodeJS.ErrnoException).code;
  const detail = error instanceof Error ? error.message : String(error);
  if (reason === 'EACCES' || reason === 'EPERM') {
    return {
      code: 'GPIO_UNAVAILABLE',
      message: `${place}: not permitted (${detail})`,
      action: 'Put the dock’s account into group gpio, and restart the dock.',
    };
  }
  const action =
    reason === 'EBUSY'
      ? 'Stop the program, or remove the overlay, that holds the line; then restart the dock.'
      : 'Check the wiring and the line in the board file; then restart the dock.';
  return { code: 'GPIO_FAILED', message: `${place}: ${detail}`, action };
}

import { stat } from 'node:fs/promises';
import { SerialPort } from 'serialport';
import { DockError } from '../../core/errors.ts';

export interface BayLine {
  readonly path: string;
  /** At which every session begins. */
  readonly baudRate: number;
  /** The highest rate that the dock asks the camera for; none: the rate stays. */
  readonly baudRateMax?: number;
  readonly rtscts?: boolean;
  /** The line is there without a camera (a UART): silence is an empty bay. */
  readonly fixed?: boolean;
}

export type Port = Awaited<ReturnType<typeof SerialPort.binding.open>>;

export function descriptorOf(port: Port): number {
  const { fd } = port as { readonly fd?: number | null };
  if (typeof fd !== 'number') throw new DockError('SERIAL_FAILED', 'the port has no descriptor');
  return fd;
}

/** Says which device is behind a path now; undefined when there is none. */
export async function deviceAt(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? undefined : `${found.dev}:${found.ino}:${found.rdev}`;
}

export function lineError(error: unknown): DockError {
  const options = error === null ? {} : { cause: error };
  return new DockError('LINK_CLOSED', 'the camera was taken out, or its line went away', options);
}

/** SERIAL_IN_USE, SERIAL_FAILED, or LINK_CLOSED when nothing is there any more. */
export async function openPort(bay: BayLine): Promise<Port> {
  try {
    return await SerialPort.binding.open({
      path: bay.path,
      baudRate: bay.baudRate,
      rtscts: bay.rtscts ?? false,
      lock: true,
      // Dropping DTR resets some cameras: the dock's own restart must not.
      hupcl: false,
    });
  } catch (error) {
    throw openError(error instanceof Error ? error : new Error(String(error)), bay.path);
  }
}

// serialport gives no codes: the words are those of strerror.
function openError(error: Error, path: string): DockError {
  const { message } = error;
  if (/cannot lock|device or resource busy/i.test(message)) {
    return new DockError('SERIAL_IN_USE', `${path} is in use by another program`, {
      cause: error,
      action: 'Stop the program that uses the line, for example a second dock or a getty.',
    });
  }
  if (/no such file|no such device|input\/output error/i.test(message)) return lineError(error);
  return new DockError('SERIAL_FAILED', `${path} cannot be opened: ${message}`, {
    cause: error,
    action: 'See that the path is a serial line and that the dock may use it (group dialout).',
  });
}

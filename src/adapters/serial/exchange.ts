import { DockError } from '../../core/errors.ts';
import { FRAME_TYPE, type Frame } from '../../core/link/frame.ts';
import { type CameraErrorName, parseCameraError } from '../../core/link/message.ts';
import type { SerialLine } from './line.ts';

/** Of a line, what asking needs. */
export type AskedLine = Pick<
  SerialLine,
  'clock' | 'timings' | 'newRequest' | 'listen' | 'unlisten' | 'send' | 'fail'
>;

export interface Exchange<T> {
  readonly name: string;
  readonly type: number;
  /** A function is called for each try: a time must not be that of an earlier one. */
  readonly payload: Uint8Array | (() => Uint8Array);
  readonly signal: AbortSignal;
  /** Called for each try. The function it gives takes the answer's frames and returns a value with the last one. */
  readonly begin: () => (frame: Frame) => T | undefined;
  /** Time that the line itself needs, on top of each deadline. */
  readonly lineMs: number;
}

/** Asks until it is answered (SPEC 4: every request may be repeated). */
export async function exchange<T>(line: AskedLine, asked: Exchange<T>): Promise<T> {
  for (const timeoutMs of line.timings.answerMs) {
    const answer = await askOnce(line, asked, timeoutMs + asked.lineMs);
    if (answer !== undefined) return answer.value;
  }
  const error = new DockError('LINK_TIMEOUT', `the camera did not answer ${asked.name}`);
  line.fail(error);
  throw error;
}

/** Undefined when no answer came in time. */
export async function askOnce<T>(
  line: AskedLine,
  asked: Exchange<T>,
  timeoutMs: number,
): Promise<{ readonly value: T } | undefined> {
  throwIfAborted(asked.signal);
  const request = line.newRequest();
  const take = asked.begin();
  const timer = new AbortController();
  const stop = () => timer.abort();
  asked.signal.addEventListener('abort', stop, { once: true });
  try {
    const answer = new Promise<{ readonly value: T }>((resolve, reject) => {
      const frame = (received: Frame) => {
        try {
          const value = received.type === FRAME_TYPE.ERROR ? refused(received) : take(received);
          if (value !== undefined) resolve({ value });
        } catch (error) {
          reject(error);
        }
      };
      line.listen(request, { frame, closed: reject });
    });
    const late = line.clock.delay(timeoutMs, timer.signal).catch(() => undefined);
    const { type, payload } = asked;
    line.send({ type, request, payload: payload instanceof Uint8Array ? payload : payload() });
    const result = await Promise.race([answer, late.then(() => undefined)]);
    if (result === undefined) throwIfAborted(asked.signal);
    return result;
  } finally {
    asked.signal.removeEventListener('abort', stop);
    timer.abort();
    line.unlisten(request);
  }
}

function refused(frame: Frame): undefined {
  const error = parseCameraError(frame.payload);
  // The camera is busy for a moment: the deadline passes and the request is repeated.
  if (error.name === 'BUSY') return undefined;
  throw cameraRefusal(error.name, error.detail || `error ${error.code}`);
}

/** The camera forgot the session when it lost power: only a new HELLO helps, so the line is closed for the caller. */
export function cameraRefusal(name: CameraErrorName | undefined, detail: string): DockError {
  const code =
    name === 'AUTH_REQUIRED'
      ? 'LINK_CLOSED'
      : name === 'BAD_RECEIPT'
        ? 'RECEIPT_REFUSED'
        : 'CAMERA_REFUSED';
  return new DockError(code, `the camera answered ${name ?? 'an unknown error'}: ${detail}`);
}

export function throwIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  const { reason } = signal;
  throw reason instanceof DockError
    ? reason
    : new DockError('CANCELLED', 'cancelled', { cause: reason });
}

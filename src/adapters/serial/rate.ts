import { DockError, isDockError } from '../../core/errors.ts';
import { FRAME_GAP_MS, FRAME_TYPE, RATE_CONFIRM_MS } from '../../core/link/frame.ts';
import { encodeRate, parseRateOk, parseStatusOk } from '../../core/link/message.ts';
import { lowerRate } from '../../core/link/rates.ts';
import { askOnce, type Exchange, exchange, throwIfAborted } from './exchange.ts';
import type { SerialLine } from './line.ts';

// An answer that is lost says nothing about the rate, so the same rate is asked for again.
const LOST_ANSWERS_MAX = 3;

/**
 * SPEC 9: leaves the line at the highest rate up to `wanted` that works in both directions. Nothing else may be asked of the camera
 * meanwhile. Throws when the camera does not answer at the base rate either; the line is failed then.
 */
export async function negotiateRate(
  line: SerialLine,
  wanted: number,
  signal: AbortSignal,
): Promise<void> {
  let rate: number | undefined = wanted;
  let lostAnswers = 0;
  while (rate !== undefined) {
    const askedAtMs = line.clock.monotonicMs();
    const chosen = await askRate(line, rate, signal);
    if (chosen === line.baudRate || chosen === 'one-rate-only') return;
    if (chosen !== 'lost') {
      if (await holds(line, chosen, signal)) return;
      rate = lowerRate(chosen, line.bay.baudRate);
      lostAnswers = 0;
    } else if (++lostAnswers >= LOST_ANSWERS_MAX) {
      rate = lowerRate(rate, line.bay.baudRate);
      lostAnswers = 0;
    }
    await returnToBase(line, askedAtMs, signal);
  }
}

async function askRate(
  line: SerialLine,
  wanted: number,
  signal: AbortSignal,
): Promise<number | 'lost' | 'one-rate-only'> {
  const [timeoutMs = 0] = line.timings.answerMs;
  const asked: Exchange<number> = {
    name: 'RATE',
    type: FRAME_TYPE.RATE,
    payload: encodeRate(wanted),
    signal,
    lineMs: 0,
    begin: () => (frame) => {
      if (frame.type !== FRAME_TYPE.RATE_OK) return undefined;
      const chosen = parseRateOk(frame.payload);
      const isOffered = chosen >= line.bay.baudRate && chosen <= wanted;
      return isOffered || chosen === line.baudRate ? chosen : undefined;
    },
  };
  try {
    return (await askOnce(line, asked, timeoutMs))?.value ?? 'lost';
  } catch (error) {
    if (isDockError(error, 'CAMERA_REFUSED')) return 'one-rate-only';
    throw error;
  }
}

/** True when the camera answers at the rate. */
async function holds(line: SerialLine, rate: number, signal: AbortSignal): Promise<boolean> {
  const { rateSettleMs, rateMs } = line.timings;
  if (!(await line.setRate(rate))) return false;
  await pause(line, rateSettleMs, signal);
  for (const timeoutMs of rateMs) {
    if ((await askOnce(line, statusOf(signal), timeoutMs)) !== undefined) return true;
  }
  return false;
}

/** The camera goes back by itself; that is waited for and made sure of. */
async function returnToBase(
  line: SerialLine,
  switchedAtMs: number,
  signal: AbortSignal,
): Promise<void> {
  if (!(await line.setRate(line.bay.baudRate))) {
    const { path, baudRate } = line.bay;
    line.fail(new DockError('SERIAL_FAILED', `${path} does not go back to ${baudRate} baud`));
  }
  const waitedMs = line.clock.monotonicMs() - switchedAtMs;
  await pause(line, Math.max(0, RATE_CONFIRM_MS + FRAME_GAP_MS - waitedMs), signal);
  await exchange(line, statusOf(signal));
}

function statusOf(signal: AbortSignal): Exchange<true> {
  return {
    name: 'STATUS',
    type: FRAME_TYPE.STATUS,
    payload: new Uint8Array(0),
    signal,
    lineMs: 0,
    begin: () => (frame) => {
      if (frame.type !== FRAME_TYPE.STATUS_OK) return undefined;
      parseStatusOk(frame.payload);
      return true;
    },
  };
}

async function pause(line: SerialLine, ms: number, signal: AbortSignal): Promise<void> {
  await line.clock.delay(ms, signal).catch((error: unknown) => {
    throwIfAborted(signal);
    throw error;
  });
}

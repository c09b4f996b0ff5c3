import type { Press } from '../../ports/board.ts';

export interface ContactTimes {
  /** How long a level must rest before it is believed. */
  readonly debounceMs: number;
  /** Infinite for a contact that is not a button. */
  readonly longPressMs: number;
}

export interface ContactState {
  readonly isClosed: boolean;
  readonly sinceMs: number;
  /** The level last read, and since when every reading agreed. */
  readonly seenClosed: boolean;
  readonly seenSinceMs: number;
  readonly isLongTold: boolean;
}

export interface ContactStep {
  readonly state: ContactState;
  readonly press: Press | undefined;
  /** When to read again even if no edge comes; infinite when an edge must come first. */
  readonly lookAgainMs: number;
}

/** A button that is down at the start is stuck or leaned on: no press until it was let go. */
export function newContact(isClosed: boolean, nowMs: number): ContactState {
  return {
    isClosed,
    sinceMs: nowMs,
    seenClosed: isClosed,
    seenSinceMs: nowMs,
    isLongTold: isClosed,
  };
}

/** A long press is told while the finger is still on the button: the lamps answer, and the officer lets go. */
export function nextContact(
  state: ContactState,
  reading: { readonly isClosed: boolean; readonly nowMs: number },
  times: ContactTimes,
): ContactStep {
  const seen = see(state, reading.isClosed, reading.nowMs);
  const isRested = reading.nowMs - seen.seenSinceMs >= times.debounceMs;
  if (!isRested || seen.seenClosed === seen.isClosed) return unchanged(seen, reading.nowMs, times);
  const changed = { ...seen, isClosed: seen.seenClosed, sinceMs: seen.seenSinceMs };
  if (changed.isClosed) return unchanged({ ...changed, isLongTold: false }, reading.nowMs, times);
  return {
    state: changed,
    press: changed.isLongTold ? undefined : 'short',
    lookAgainMs: Number.POSITIVE_INFINITY,
  };
}

function see(state: ContactState, isClosed: boolean, nowMs: number): ContactState {
  if (state.seenClosed === isClosed) return state;
  return { ...state, seenClosed: isClosed, seenSinceMs: nowMs };
}

function unchanged(state: ContactState, nowMs: number, times: ContactTimes): ContactStep {
  if (state.seenClosed !== state.isClosed) {
    return { state, press: undefined, lookAgainMs: state.seenSinceMs + times.debounceMs };
  }
  const longAtMs = state.sinceMs + times.longPressMs;
  if (!state.isClosed || state.isLongTold) {
    return { state, press: undefined, lookAgainMs: Number.POSITIVE_INFINITY };
  }
  if (nowMs < longAtMs) return { state, press: undefined, lookAgainMs: longAtMs };
  return {
    state: { ...state, isLongTold: true },
    press: 'long',
    lookAgainMs: Number.POSITIVE_INFINITY,
  };
}

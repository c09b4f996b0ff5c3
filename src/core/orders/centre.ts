import { NO_ORDER, type Order, parseDigest } from './order.ts';
import type { VerifiedReceipt } from './receipt.ts';

/** An order that was sent and whose receipt has not come. */
export interface PendingOrder {
  readonly counter: number;
  readonly order: string;
  readonly note: string;
  readonly expiresAtMs: number;
}

/** What the centre knows of the orders of one dock. Only receipts that verified go into it, never a broker's word. */
export interface CentreState {
  /** Of the newest order that was sent or that a receipt tells of. */
  readonly counter: number;
  readonly previous: string;
  /** Oldest first. */
  readonly pending: readonly PendingOrder[];
}

export const NOTHING_SENT: CentreState = { counter: 0, previous: NO_ORDER, pending: [] };

/** Keep this durably before the order leaves. */
export function recordSent(
  state: CentreState,
  sent: { readonly order: Order; readonly digest: string; readonly note: string },
): CentreState {
  const { order, digest, note } = sent;
  const { counter, expiresAtMs } = order;
  if (state.pending.some((pending) => pending.order === digest)) return state;
  if (counter <= state.counter) return state;
  const pending = [...state.pending, { counter, order: digest, note, expiresAtMs }];
  return { counter, previous: digest, pending };
}

/** Whether the order is the next one, or one that was sent and not answered. */
export function isInTurn(state: CentreState, order: Order, digest: string): boolean {
  if (state.pending.some((pending) => pending.order === digest)) return true;
  return order.counter === state.counter + 1 && order.previous === state.previous;
}

/**
 * A receipt of an order that this centre never sent tells that somebody else did. The chain goes on from there, and what was built on another
 * order in its place is void.
 */
export function recordReceipt(state: CentreState, receipt: VerifiedReceipt): CentreState {
  const { counter, order } = receipt.outcome;
  const pending = state.pending.filter((each) => each.order !== order);
  const isRival = overtaken(state, receipt).length > 0;
  if (!isRival && (counter < state.counter || order === state.previous)) {
    return { ...state, pending };
  }
  return { counter, previous: order, pending: pending.filter((each) => each.counter < counter) };
}

/** What the dock has gone past with another order in its place: it never ran, and never will. */
export function overtaken(state: CentreState, { outcome }: VerifiedReceipt): PendingOrder[] {
  return state.pending.filter(
    ({ counter, order }) => counter === outcome.counter && order !== outcome.order,
  );
}

/** Orders that expired without a receipt: somebody withholds them, or their receipts. */
export function staleOrders({ pending }: CentreState, nowMs: number): readonly PendingOrder[] {
  return pending.filter(({ expiresAtMs }) => nowMs > expiresAtMs);
}

/** Undefined for anything that is not the JSON form of a state. */
export function parseCentreState(value: unknown): CentreState | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { counter, previous, pending } = value as Record<string, unknown>;
  if (!Number.isSafeInteger(counter) || (counter as number) < 0) return undefined;
  if (typeof previous !== 'string' || parseDigest(previous) === undefined) return undefined;
  if (!Array.isArray(pending) || !pending.every(isPending)) return undefined;
  return { counter: counter as number, previous, pending };
}

function isPending(value: unknown): value is PendingOrder {
  if (typeof value !== 'object' || value === null) return false;
  const { counter, order, note, expiresAtMs } = value as Record<string, unknown>;
  const isNamed = typeof order === 'string' && parseDigest(order) !== undefined;
  const areCounts = [counter, expiresAtMs].every((count) => Number.isSafeInteger(count));
  return isNamed && typeof note === 'string' && areCounts;
}

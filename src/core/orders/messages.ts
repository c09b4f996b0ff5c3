import { parseUtf8 } from '../bytes.ts';
import { ORDER_NOTE_BYTES_MAX, parseDigest } from './order.ts';
import { ORDER_RECEIPT_BYTES_MAX } from './receipt.ts';

/** INVARIANTS: whatever arrives is hostile until it is parsed; nothing is kept of what does not. */

/** Paths below `docket/1/<site>/<dock>/`. A dock answers on its own topics only, wherever it is asked to. */
export const ORDER_PATH = 'cmd/order';
export const ROLES_PATH = 'cmd/roles';
/** Never retained. */
export const ANSWER_PATH = 'cmd/order/answer';
/** Retained: where the dock stands. */
export const ORDERS_PATH = 'order';
export const ORDER_MESSAGE_BYTES_MAX = 48 * 1_024;
const ROLES_NOTE_BYTES_MAX = 40 * 1_024;

/** Retained for whoever missed the answer. */
export function receiptPath(counter: number): string {
  return `order/${counter}`;
}

/** Body of `cmd/order/answer`. `receipt` proves itself; whatever has none is the word of whoever sent it. */
export type OrderAnswer = {
  /** SHA-256 (hex) of the order's text; absent when the message was no order. */
  readonly order?: string;
  readonly status: 'answered' | 'discarded';
  readonly receipt?: string;
  readonly code?: string;
  readonly detail?: string;
};

/** Body of `order`. */
export type OrdersBody = {
  readonly counter: number;
  readonly previous: string;
  /** Version of the roles file; 0 for none, and then every order is refused. */
  readonly roles: number;
  /** Of the newest order; absent while there is none. */
  readonly receipt?: string;
  /** By the dock's clock: an old one is a dock that hears no orders, or a broker that hides its answers. */
  readonly at: string;
};

/** The note inside a message to `cmd/order` or `cmd/roles`; undefined for anything else. */
export function parseNoteMessage(payload: Uint8Array): string | undefined {
  const { note } = parseObject(payload) ?? {};
  if (typeof note !== 'string') return undefined;
  return note.length > 0 && note.length <= ROLES_NOTE_BYTES_MAX ? note : undefined;
}

export function isOrderSized(note: string): boolean {
  return note.length <= ORDER_NOTE_BYTES_MAX;
}

/** Undefined for anything that is not one. Nothing in it is proven. */
export function parseOrderAnswer(payload: Uint8Array): OrderAnswer | undefined {
  const { order, status, receipt, code, detail } = parseObject(payload) ?? {};
  if (status !== 'answered' && status !== 'discarded') return undefined;
  const digest = typeof order === 'string' ? parseDigest(order) : undefined;
  return {
    status,
    ...(digest === undefined ? {} : { order: digest }),
    ...(isReceipt(receipt) ? { receipt } : {}),
    ...(typeof code === 'string' && /^[A-Z_]{1,40}$/.test(code) ? { code } : {}),
    ...(typeof detail === 'string' ? { detail: printable(detail) } : {}),
  };
}

/** Undefined for anything that is not one. Only its receipt is proven. */
export function parseOrdersBody(payload: Uint8Array): OrdersBody | undefined {
  const { counter, previous, roles, receipt, at } = parseObject(payload) ?? {};
  if (!isCount(counter) || !isCount(roles) || typeof at !== 'string') return undefined;
  const digest = typeof previous === 'string' ? parseDigest(previous) : undefined;
  if (digest === undefined) return undefined;
  const body = { counter, previous: digest, roles, at: printable(at) };
  return isReceipt(receipt) ? { ...body, receipt } : body;
}

function parseObject(payload: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  const text = payload.length > ORDER_MESSAGE_BYTES_MAX ? undefined : parseUtf8(payload);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function isReceipt(value: unknown): value is string {
  return typeof value === 'string' && value.length <= ORDER_RECEIPT_BYTES_MAX;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A stranger's words on a terminal. */
function printable(text: string): string {
  return text.slice(0, 300).replace(/[^ -~]/g, '?');
}

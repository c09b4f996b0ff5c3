import type { Entry } from '../custody/entry.ts';
import { type OrderAction, parseAction } from './actions.ts';
import { NO_ORDER, parseDigest, parseSubject, type Subject } from './order.ts';

/** An order that had its counter: accepted or refused, it never runs again. */
export interface AnsweredOrder {
  readonly order: string;
  /** Of its entry. */
  readonly index: number;
}

/** What the log says of orders. */
export interface OrdersState {
  /** Order `n` is at `n - 1`. */
  readonly answered: readonly AnsweredOrder[];
  /** 0 while there is none. */
  readonly rolesVersion: number;
  /** SHA-256 (hex) of the newest roles file; empty while there is none. */
  readonly roles: string;
  /** Digests of cameras and keys that count for nothing. */
  readonly revoked: readonly string[];
  /** SHA-256 (hex) of the policy that was ordered last. */
  readonly policy: string;
}

export const NO_ORDERS: OrdersState = {
  answered: [],
  rolesVersion: 0,
  roles: '',
  revoked: [],
  policy: '',
};

export function lastOrder({ answered }: OrdersState): { counter: number; previous: string } {
  return { counter: answered.length, previous: answered.at(-1)?.order ?? NO_ORDER };
}

/** The answer that an order has had already. */
export function answerTo(
  { answered }: OrdersState,
  order: string,
): { readonly counter: number; readonly index: number } | undefined {
  const at = answered.findLastIndex((known) => known.order === order);
  return at < 0 ? undefined : { counter: at + 1, index: answered[at]?.index ?? 0 };
}

/** Copies at most once, whatever the number of entries. */
export class OrdersFold {
  #state: OrdersState;
  #answered: AnsweredOrder[] | undefined;

  constructor(state: OrdersState) {
    this.#state = state;
  }

  get state(): OrdersState {
    return this.#state;
  }

  /** False when the entry does not fit what came before it. */
  add(entry: Entry, index: number): boolean {
    switch (entry.kind) {
      case 'roles-accepted':
        return this.#setRoles(entry.version, entry.roles);
      case 'order-refused':
        return this.#answer(entry.counter, { order: entry.order, index });
      case 'order-accepted':
        this.#apply(entry.action, entry.subject);
        return this.#answer(entry.counter, { order: entry.order, index });
      default:
        return true;
    }
  }

  #setRoles(version: number, roles: string): boolean {
    if (version <= this.#state.rolesVersion) return false;
    this.#state = { ...this.#state, rolesVersion: version, roles };
    return true;
  }

  #answer(counter: number, answered: AnsweredOrder): boolean {
    if (counter !== this.#state.answered.length + 1) return false;
    this.#answered ??= [...this.#state.answered];
    this.#answered.push(answered);
    this.#state = { ...this.#state, answered: this.#answered };
    return true;
  }

  #apply(action: OrderAction, { id }: Subject): void {
    const others = this.#state.revoked.filter((known) => known !== id);
    if (action === 'revoke') this.#state = { ...this.#state, revoked: [...others, id] };
    if (action === 'enrol') this.#state = { ...this.#state, revoked: others };
    if (action === 'policy') this.#state = { ...this.#state, policy: id };
  }
}

/** Undefined for anything that is not the JSON form of a state. */
export function parseOrdersState(value: unknown): OrdersState | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { answered, rolesVersion, roles, revoked, policy } = value as Record<string, unknown>;
  if (!Array.isArray(answered) || !answered.every(isAnswered)) return undefined;
  if (!Array.isArray(revoked) || !revoked.every(isDigest)) return undefined;
  if (!isCount(rolesVersion) || !isDigestOrNone(roles) || !isDigestOrNone(policy)) return undefined;
  return { answered, rolesVersion, roles, revoked, policy };
}

export const actionGrammar = { parse: parseAction, format: (action: OrderAction) => action };
export const subjectGrammar = {
  parse: parseSubject,
  format: ({ kind, id }: Subject) => `${kind} ${id}`,
};

function isAnswered(value: unknown): value is AnsweredOrder {
  if (typeof value !== 'object' || value === null) return false;
  const { order, index } = value as Record<string, unknown>;
  return isDigest(order) && isCount(index);
}

function isDigest(value: unknown): value is string {
  return typeof value === 'string' && parseDigest(value) !== undefined;
}

function isDigestOrNone(value: unknown): value is string {
  return value === '' || isDigest(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

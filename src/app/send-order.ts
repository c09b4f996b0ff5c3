import { type NoteCrypto, parseNote, type VerifierKey } from '../core/custody/note.ts';
import { DockError, isDockError } from '../core/errors.ts';
import {
  type CentreState,
  isInTurn,
  NOTHING_SENT,
  overtaken,
  recordReceipt,
  recordSent,
} from '../core/orders/centre.ts';
import {
  ANSWER_PATH,
  ORDER_PATH,
  ORDERS_PATH,
  type OrdersBody,
  parseOrderAnswer,
  parseOrdersBody,
  receiptPath,
} from '../core/orders/messages.ts';
import { type Order, orderDigest, parseOrder } from '../core/orders/order.ts';
import { type VerifiedReceipt, verifyOrderReceipt } from '../core/orders/receipt.ts';
import type { Clock } from '../ports/clock.ts';
import type { OrderLine } from '../ports/order-line.ts';

/** The centre's memory of one dock's orders. */
export interface CentreMemory {
  load(): Promise<CentreState | undefined>;
  /** Durable when it returns. */
  save(state: CentreState): Promise<void>;
}

export interface SendDeps {
  readonly line: OrderLine;
  readonly memory: CentreMemory;
  readonly clock: Clock;
  /** Of the dock, carried to the centre by hand. */
  readonly logKey: VerifierKey;
  readonly crypto: NoteCrypto;
}

export interface SentOrder extends VerifiedReceipt {
  readonly receipt: string;
}

const REPEAT_MS = 2_000;
/** What is retained comes at once; after this long there is nothing. */
const RETAINED_MS = 1_500;

/** Where the chain of a dock's orders stands: what the centre remembers, or what the dock's newest receipt proves. */
export async function learnTurn({ line, memory, clock, logKey, crypto }: SendDeps) {
  const known = await memory.load();
  if (known !== undefined) return known;
  const retained = await firstRetained(line, clock);
  if (retained?.receipt === undefined) return NOTHING_SENT;
  return recordReceipt(NOTHING_SENT, verifyOrderReceipt(retained.receipt, { logKey, crypto }));
}

async function firstRetained(line: OrderLine, clock: Clock): Promise<OrdersBody | undefined> {
  const early = new AbortController();
  let body: OrdersBody | undefined;
  await line.open([ORDERS_PATH], (_path, payload) => {
    body = parseOrdersBody(payload) ?? body;
    if (body !== undefined) early.abort();
  });
  await clock.delay(RETAINED_MS, early.signal).catch(() => undefined);
  await line.close();
  return body;
}

/**
 * Sends the order, and before it what was never answered, until the receipt of it is here and verifies. Remembers it before it leaves.
 * ORDER_SEQUENCE, ORDER_UNANSWERED: it may still run until it expires, and sending it again is safe.
 */
export async function sendOrder(deps: SendDeps, note: string, waitMs: number): Promise<SentOrder> {
  const { memory, crypto } = deps;
  const { text } = parseNote(note);
  const order = parseOrder(text);
  const digest = orderDigest(text, crypto.sha256);
  const state = await learnTurn(deps);
  if (!isInTurn(state, order, digest)) throw outOfTurn(order, state);
  const sent = recordSent(state, { order, digest, note });
  await memory.save(sent);
  return await new Sending(deps, sent, digest).run(order, waitMs);
}

class Sending {
  readonly #deps: SendDeps;
  readonly #digest: string;
  readonly #done = new AbortController();
  #state: CentreState;
  #result: SentOrder | undefined;
  #rival: DockError | undefined;
  #objection: string | undefined;

  constructor(deps: SendDeps, state: CentreState, digest: string) {
    this.#deps = deps;
    this.#state = state;
    this.#digest = digest;
  }

  async run({ counter }: Order, waitMs: number): Promise<SentOrder> {
    const { line, clock, memory } = this.#deps;
    const receipts = this.#state.pending.map((pending) => receiptPath(pending.counter));
    await line.open([ANSWER_PATH, ...new Set(receipts)], (_path, payload) => this.#hear(payload));
    const endMs = clock.monotonicMs() + waitMs;
    try {
      while (!this.#done.signal.aborted && clock.monotonicMs() < endMs) {
        for (const { note } of this.#state.pending) line.say(ORDER_PATH, { note });
        const leftMs = Math.min(REPEAT_MS, endMs - clock.monotonicMs());
        await clock.delay(Math.max(1, leftMs), this.#done.signal).catch(() => undefined);
      }
    } finally {
      await memory.save(this.#state);
      await line.close();
    }
    if (this.#result !== undefined) return this.#result;
    throw this.#rival ?? unanswered(counter, this.#objection);
  }

  #hear(payload: Uint8Array): void {
    const answer = parseOrderAnswer(payload) ?? parseOrderAnswer(withStatus(payload));
    if (answer?.receipt !== undefined) this.#take(answer.receipt);
    else if (answer?.order === this.#digest) {
      this.#objection = `${answer.code ?? ''}: ${answer.detail ?? ''}`;
    }
  }

  /** A receipt that does not verify is a broker's talk. */
  #take(receipt: string): void {
    const { logKey, crypto } = this.#deps;
    try {
      const verified = verifyOrderReceipt(receipt, { logKey, crypto });
      const isRival = overtaken(this.#state, verified).length > 0;
      this.#state = recordReceipt(this.#state, verified);
      if (verified.outcome.order === this.#digest) this.#result = { ...verified, receipt };
      else if (isRival) this.#rival = overtakenBy(verified);
      if (this.#result !== undefined || this.#rival !== undefined) this.#done.abort();
    } catch (error) {
      if (!isDockError(error, 'PROOF_INVALID')) throw error;
      this.#objection = error.message;
    }
  }
}

/** What is retained on `order/<counter>` is a receipt and nothing else. */
function withStatus(payload: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(payload);
  return new TextEncoder().encode(text.replace(/^\{/, '{"status":"answered",'));
}

function outOfTurn(order: Order, { counter }: CentreState): DockError {
  return new DockError(
    'ORDER_SEQUENCE',
    `the order is number ${order.counter}, and number ${counter + 1} is next`,
    { action: 'Write and sign the order anew: another one was sent since it was written.' },
  );
}

function overtakenBy({ outcome }: VerifiedReceipt): DockError {
  return new DockError(
    'ORDER_SEQUENCE',
    `the dock has taken another order as number ${outcome.counter}: this one never ran`,
    { action: 'Find out who sent the other one, and write and sign this one anew.' },
  );
}

function unanswered(counter: number, objection: string | undefined): DockError {
  const why = objection === undefined ? 'nothing was answered' : `unproven answer: ${objection}`;
  return new DockError('ORDER_UNANSWERED', `order ${counter} has no receipt: ${why}`, {
    action:
      'Send it again: it runs once at most. Without a receipt at its expiry, ask who is in between.',
  });
}

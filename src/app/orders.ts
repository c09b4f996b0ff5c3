import { readCheckpointNote } from '../core/custody/checkpoint.ts';
import type { VerifierKey } from '../core/custody/note.ts';
import { asDockError, type DockError, type ErrorCode, isDockError } from '../core/errors.ts';
import {
  decideOrder,
  type OrderContext,
  type OrderDecision,
  readOrder,
} from '../core/orders/decide.ts';
import {
  ANSWER_PATH,
  isOrderSized,
  ORDER_MESSAGE_BYTES_MAX,
  ORDER_PATH,
  ORDERS_PATH,
  type OrderAnswer,
  type OrdersBody,
  parseNoteMessage,
  ROLES_PATH,
  receiptPath,
} from '../core/orders/messages.ts';
import { clipOf } from '../core/orders/order.ts';
import { formatOrderReceipt } from '../core/orders/receipt.ts';
import { lastOrder } from '../core/orders/state.ts';
import type { OrderStore } from '../ports/order-store.ts';
import type { StatusBroker } from '../ports/status-broker.ts';
import { DiscardTally } from './discard-tally.ts';
import { Disposal } from './disposal.ts';
import type { Evidence } from './evidence.ts';
import { RoleBook } from './role-book.ts';

export interface OrdersDeps {
  readonly evidence: Evidence;
  /** Undefined for a dock that hears nobody. */
  readonly broker: StatusBroker | undefined;
  readonly store: OrderStore;
  readonly disposal: Disposal;
  /** Undefined: every order is refused. */
  readonly rootKey: VerifierKey | undefined;
  /** The roles file that the configuration brings; a newer one may have come since. */
  readonly configuredRoles?: string | undefined;
  /** What stops the dock: the log or the vault cannot be written. */
  readonly onFailure: (error: DockError) => void;
}

export interface OrdersSetup {
  readonly store: OrderStore;
  readonly rootKey?: VerifierKey | undefined;
  readonly configuredRoles?: string | undefined;
}

export function composeOrders(
  parts: Pick<OrdersDeps, 'evidence' | 'broker'> & {
    readonly witness?: VerifierKey | undefined;
    readonly orders?: OrdersSetup | undefined;
  },
  onFailure: OrdersDeps['onFailure'],
): Orders | undefined {
  const { evidence, broker, witness, orders } = parts;
  if (orders === undefined) return undefined;
  const { store, rootKey, configuredRoles } = orders;
  const disposal = new Disposal({ evidence, store, witness });
  return new Orders({ evidence, broker, store, disposal, rootKey, configuredRoles, onFailure });
}

/** One is worked on at a time; a flood beyond these is counted and forgotten. */
const WAITING_MAX = 16;
const RECEIPTS_RETAINED = 32;

interface Message {
  readonly path: typeof ORDER_PATH | typeof ROLES_PATH;
  readonly payload: Uint8Array;
}

/**
 * Takes orders from the centre.
 *
 * INVARIANTS: one message at a time. An order's entry is durable, and with it its counter, before anything that it orders is done; what its entry began is
 * finished at the next start. Whoever asks again gets the first answer.
 */
export class Orders {
  readonly #deps: OrdersDeps;
  readonly #tally: DiscardTally;
  readonly #book: RoleBook;
  #waiting: Message[] = [];
  #isOpen = false;
  #working: Promise<void> | undefined;

  constructor(deps: OrdersDeps) {
    this.#deps = deps;
    this.#tally = new DiscardTally(deps.evidence);
    this.#book = new RoleBook(deps);
  }

  /** Before the broker starts. */
  listen(): void {
    for (const path of [ORDER_PATH, ROLES_PATH] as const) {
      this.#deps.broker?.listen(path, (payload) => this.#put({ path, payload }));
    }
  }

  /** Once log and vault are open, before anything else looks at the vault. */
  async resume(): Promise<void> {
    const { store, disposal, evidence } = this.#deps;
    await store.start();
    const clips = await disposal.resume();
    if (clips > 0) evidence.logger.info('disposals-finished', { clips });
  }

  /** Once log and vault agree. */
  async open(): Promise<void> {
    await this.#book.open();
    this.#isOpen = true;
    await this.#retainAll();
    this.#run();
  }

  /** What waits is dropped: nobody was told anything about it. */
  async stop(): Promise<void> {
    this.#isOpen = false;
    this.#waiting = [];
    await this.#working;
    try {
      await this.#tally.flush();
    } catch (error) {
      if (!isDockError(error)) throw error;
      this.#deps.evidence.logger.warn('discards-not-entered', { code: error.code });
    }
  }

  #put(message: Message): void {
    if (this.#waiting.length < WAITING_MAX) this.#waiting.push(message);
    else this.#tally.count('ORDER_FLOOD');
    this.#run();
  }

  #run(): void {
    if (this.#isOpen && this.#waiting.length > 0) this.#working ??= this.#workOff();
  }

  async #workOff(): Promise<void> {
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        if (next.path === ORDER_PATH) await this.#takeOrder(next.payload);
        else await this.#takeRolesMessage(next.payload);
        await this.#tally.enter();
      }
    } catch (error) {
      // Whatever an order could do wrong is decided above: this is the dock's own trouble.
      this.#waiting = [];
      const failure = asDockError(error, 'CUSTODY_UNWRITABLE', 'an order was not carried out');
      this.#deps.onFailure(failure);
    } finally {
      this.#working = undefined;
    }
  }

  async #takeOrder(payload: Uint8Array): Promise<void> {
    const note = payload.length <= ORDER_MESSAGE_BYTES_MAX ? parseNoteMessage(payload) : undefined;
    if (note === undefined || !isOrderSized(note)) {
      return this.#discard('ORDER_MALFORMED', { detail: 'it is not a message with an order' });
    }
    const decision = await this.#decide(note);
    switch (decision.kind) {
      case 'discarded':
        return this.#discard(decision.reason, { order: decision.digest, detail: decision.detail });
      case 'repeated':
        return await this.#answer(decision);
      default:
        return await this.#carryOut(decision);
    }
  }

  /** The decision that counts is taken together with its entries; an order that uses up its counter is kept before. */
  async #decide(note: string): Promise<Entered | Unentered> {
    const { custody } = this.#deps.evidence;
    const context = await this.#contextFor(note);
    const first = decideOrder(custody.state, note, context);
    if (first.kind === 'repeated' || first.kind === 'discarded') return first;
    await this.#deps.store.putOrder(first.order.counter, note);
    let last: OrderDecision = first;
    const appended = await custody.appendDecided((state) => {
      last = decideOrder(state, note, context);
      return last.kind === 'accepted' || last.kind === 'refused' ? last.entries : [];
    });
    const decided = last as OrderDecision;
    if (decided.kind === 'repeated' || decided.kind === 'discarded') return decided;
    return { ...decided, index: appended[0]?.index ?? 0 };
  }

  async #contextFor(note: string): Promise<OrderContext> {
    const { evidence, rootKey, disposal } = this.#deps;
    const { dock, crypto, time } = evidence;
    const read = readOrder(note, crypto);
    const clip =
      'order' in read && read.order.action === 'dispose' ? clipOf(read.order) : undefined;
    const facts = clip === undefined ? undefined : await disposal.factsOf(clip);
    return { dock, rootKey, roles: this.#book.roles, crypto, now: time.now(), facts };
  }

  async #carryOut(decision: Entered): Promise<void> {
    const { evidence, disposal } = this.#deps;
    const { order, digest, index } = decision;
    const { counter, action } = order;
    const code = decision.kind === 'refused' ? decision.reason : undefined;
    evidence.logger.info('order-answered', { counter, action, outcome: decision.kind, code });
    for (const { clip } of decision.kind === 'accepted' ? decision.effects : []) {
      await disposal.finish(clip);
    }
    await this.#answer({ digest, counter, index });
    await this.#retainAll();
  }

  /** A receipt that a power cut kept from the disk is made anew, and says the same. */
  async #answer({ digest, counter, index }: Answered): Promise<void> {
    const { broker } = this.#deps;
    const receipt = await this.#receiptOf(counter, index);
    const answer: OrderAnswer = { order: digest, status: 'answered', receipt };
    broker?.emit(ANSWER_PATH, answer);
    broker?.retain(receiptPath(counter), { receipt });
  }

  async #receiptOf(counter: number, index: number): Promise<string> {
    const { evidence, store } = this.#deps;
    const { custody } = evidence;
    const kept = await store.readReceipt(counter);
    if (kept !== undefined) return kept;
    const [leaf = new Uint8Array(0)] = await custody.readLeaves(index, index + 1);
    const { checkpoint } = custody;
    const { proof: hashes } = custody.prove(index, readCheckpointNote(checkpoint).treeSize);
    const receipt = formatOrderReceipt(leaf, { index, hashes, checkpoint });
    await store.putReceipt(counter, receipt);
    return receipt;
  }

  /** Where the dock stands, and the newest receipts, for whoever was away. */
  async #retainAll(): Promise<void> {
    const { evidence, broker } = this.#deps;
    const { orders } = evidence.custody.state;
    const { counter, previous } = lastOrder(orders);
    const first = Math.max(1, counter - RECEIPTS_RETAINED + 1);
    if (first > 1) broker?.retain(receiptPath(first - 1), null);
    let newest: string | undefined;
    for (let n = first; n <= counter; n++) {
      newest = await this.#receiptOf(n, orders.answered[n - 1]?.index ?? 0);
      broker?.retain(receiptPath(n), { receipt: newest });
    }
    const body: OrdersBody = {
      ...{ counter, previous, roles: this.#book.roles?.version ?? 0 },
      ...(newest === undefined ? {} : { receipt: newest }),
      at: new Date(evidence.clock.nowMs()).toISOString(),
    };
    broker?.retain(ORDERS_PATH, body);
  }

  async #takeRolesMessage(payload: Uint8Array): Promise<void> {
    const note = payload.length <= ORDER_MESSAGE_BYTES_MAX ? parseNoteMessage(payload) : undefined;
    if (note === undefined) return this.#discard('ROLES_INVALID', { detail: 'it is no message' });
    const failure = await this.#book.take(note);
    if (failure !== undefined) {
      return this.#discard('ROLES_INVALID', { detail: failure.message });
    }
    await this.#retainAll();
  }

  #discard(
    code: ErrorCode,
    { order, detail }: { readonly order?: string | undefined; readonly detail: string },
  ): void {
    this.#tally.count(code);
    const answer: OrderAnswer = { status: 'discarded', code, detail: detail.slice(0, 300) };
    const { broker } = this.#deps;
    broker?.emit(ANSWER_PATH, order === undefined ? answer : { ...answer, order });
  }
}

type Entered = Extract<OrderDecision, { kind: 'accepted' | 'refused' }> & {
  readonly index: number;
};
type Answered = { readonly digest: string; readonly counter: number; readonly index: number };
type Unentered = Extract<OrderDecision, { kind: 'repeated' | 'discarded' }>;

import { signCheckpoint } from '../../../src/core/custody/checkpoint.ts';
import { formatEntry } from '../../../src/core/custody/entry.ts';
import { MerkleTree } from '../../../src/core/custody/merkle.ts';
import { ed25519Key, type NoteCrypto } from '../../../src/core/custody/note.ts';
import type { DockState } from '../../../src/core/dock/state.ts';
import { isDockError } from '../../../src/core/errors.ts';
import { type OrderAction, ruleOf } from '../../../src/core/orders/actions.ts';
import {
  type CentreState,
  isInTurn,
  NOTHING_SENT,
  recordReceipt,
  recordSent,
} from '../../../src/core/orders/centre.ts';
import { type ActBody, decideOrder } from '../../../src/core/orders/decide.ts';
import { formatOrder, type Order, orderDigest } from '../../../src/core/orders/order.ts';
import { formatOrderReceipt, verifyOrderReceipt } from '../../../src/core/orders/receipt.ts';
import { answerTo, lastOrder } from '../../../src/core/orders/state.ts';
import { sha256, testSigner } from '../custody/keys.ts';
import {
  AT_MS,
  cachedCrypto,
  clipNumber,
  contextOf,
  DAY_MS,
  digestOf,
  dockWith,
  fold,
  numbered,
  orderOf,
  type Person,
  sign,
} from './kit.ts';

const LOG = testSigner('site-1/dock-1/log', 3);
const LOG_KEY = ed25519Key(LOG.name, LOG.publicKey);
const CLIPS = 2;
const START = dockWith(CLIPS);
export const crypto: NoteCrypto = cachedCrypto();
export type Pick1 = (count: number) => number;

/** A dock of which only the log survives a restart. */
export class SimulatedDock {
  readonly acts: ActBody[] = [];
  state: DockState = START;
  nowMs = AT_MS;

  restart(): void {
    this.state = fold(START, this.acts);
  }

  /** The receipt, or undefined for what is no order in its turn. */
  hear(note: string): string | undefined {
    const decision = decideOrder(this.state, note, this.#context());
    if (decision.kind === 'discarded') return undefined;
    if (decision.kind !== 'repeated') {
      this.acts.push(...decision.entries);
      this.state = fold(this.state, decision.entries);
      // What is durable is done; a disposal ends with its own entry.
      for (const { clip, reason } of decision.kind === 'accepted' ? decision.effects : []) {
        this.#enter({ kind: 'clip-disposed', clip, reason, certificate: 'cc'.repeat(32) });
      }
    }
    return this.#receiptOf(decision.digest);
  }

  #enter(act: ActBody): void {
    this.acts.push(act);
    this.state = fold(this.state, [act]);
  }

  #receiptOf(digest: string): string | undefined {
    const answered = answerTo(this.state.orders, digest);
    if (answered === undefined) return undefined;
    const tree = new MerkleTree(sha256);
    const first = { ...START, treeSize: 0 };
    for (let at = 0; at < START.treeSize; at++) tree.append(new Uint8Array([at]));
    const leaves = numbered({ ...first, treeSize: START.treeSize }, this.acts).map(
      ({ entry, index }) => formatEntry(entry, index),
    );
    for (const leaf of leaves) tree.append(leaf);
    const checkpoint = signCheckpoint({ treeSize: tree.size, root: tree.root() }, LOG, sha256);
    const { index } = answered;
    const leaf = leaves[index - START.treeSize] ?? new Uint8Array(0);
    return formatOrderReceipt(leaf, { index, hashes: tree.inclusionProof(index), checkpoint });
  }

  #context() {
    const now = { earliestMs: this.nowMs, latestMs: this.nowMs + 1_000, source: 'witness' };
    return contextOf({ crypto, now: { kind: 'known', ...now } as never });
  }
}

const SIGNED: readonly [OrderAction, readonly Person[]][] = [
  ['hold', ['operator']],
  ['lift', ['operator', 'evidence']],
  ['dispose', ['operator', 'officer']],
  ['restrict', ['officer']],
  ['unrestrict', ['evidence', 'officer']],
  ['disclose', ['evidence']],
  ['access', ['officer']],
];

/** A centre that keeps its state, sends again what is not answered, and believes nothing but receipts that verify. */
export class SimulatedCentre {
  state: CentreState = NOTHING_SENT;
  /** What people have signed, by the digest of its text. */
  readonly signed = new Map<string, Order>();
  readonly receipts = new Map<string, string>();

  issue(pick: Pick1): string {
    const [action = 'hold', people = []] = SIGNED[pick(SIGNED.length)] ?? [];
    const { reasons, needsReference } = ruleOf(action);
    const { counter, previous } = this.state;
    const order = orderOf({
      ...{ action, counter: counter + 1, previous },
      reason: action === 'dispose' ? 'ERASURE-GRANTED' : (reasons[0] ?? 'INCIDENT'),
      subject: { kind: 'clip', id: clipNumber(1 + pick(CLIPS)) },
      references: needsReference ? [digestOf('consent')] : [],
      expiresAtMs: AT_MS + DAY_MS,
    });
    const digest = orderDigest(formatOrder(order), sha256);
    const note = signed(order, people);
    if (!isInTurn(this.state, order, digest)) throw new Error('the centre lost its turn');
    this.signed.set(digest, order);
    this.state = recordSent(this.state, { order, digest, note });
    return note;
  }

  /** False for what is no receipt. */
  hear(receipt: string): boolean {
    try {
      const verified = verifyOrderReceipt(receipt, { logKey: LOG_KEY, crypto });
      this.receipts.set(verified.outcome.order, verified.outcome.kind);
      this.state = recordReceipt(this.state, verified);
      return true;
    } catch (error) {
      if (isDockError(error, 'PROOF_INVALID')) return false;
      throw error;
    }
  }
}

const notes = new Map<string, string>();

/** Each signed once: many runs sign the same. */
function signed(order: Order, people: readonly Person[]): string {
  const key = `${formatOrder(order)}${people.join()}`;
  const note = notes.get(key) ?? sign(order, ...people);
  notes.set(key, note);
  return note;
}

const STOLEN: readonly [OrderAction, readonly Person[]][] = [
  ['lift', ['operator']],
  ['dispose', ['operator', 'operator2']],
  ['unrestrict', ['operator']],
  ['disclose', ['operator', 'operator2']],
  ['revoke', ['operator', 'operator2']],
];

/** What a broker writes that has stolen the keys of operators and knows where the dock stands. */
export function forge({ state }: SimulatedDock, pick: Pick1): string {
  const [action = 'lift', people = []] = STOLEN[pick(STOLEN.length)] ?? [];
  const { reasons, needsReference } = ruleOf(action);
  const { counter, previous } = lastOrder(state.orders);
  const isClip = action !== 'revoke';
  const order = orderOf({
    ...{ action, counter: counter + 1, previous },
    reason: action === 'dispose' ? 'ERASURE-GRANTED' : (reasons[0] ?? 'INCIDENT'),
    subject: isClip
      ? { kind: 'clip', id: clipNumber(1 + pick(CLIPS)) }
      : { kind: 'camera', id: digestOf('camera') },
    references: needsReference ? [digestOf('consent')] : [],
  });
  return signed(order, people);
}

/** What a broker makes of a message: nothing of it needs a key. */
export function alter(note: string, others: readonly string[], pick: Pick1): string {
  const other = others[pick(others.length)] ?? note;
  const [text = '', signatures = ''] = split(note);
  const lines = signatures.split('\n').filter((line) => line !== '');
  switch (pick(5)) {
    case 0: {
      const at = pick(note.length);
      const byte = String.fromCharCode(note.charCodeAt(at) ^ (1 << pick(7)));
      return note.slice(0, at) + byte + note.slice(at + 1);
    }
    case 1:
      return `${text}${(split(other)[1] ?? '') || signatures}`;
    case 2:
      return `${text}${lines.slice(0, -1).join('\n')}\n`;
    case 3:
      return `${text}${[...lines, ...lines].join('\n')}\n`;
    default: {
      const swapped = text
        .replace(/action \S+/, 'action dispose')
        .replace(/reason \S+/, 'reason ERASURE-GRANTED');
      return `${swapped}${signatures}`;
    }
  }
}

function split(note: string): [string, string] {
  const at = note.lastIndexOf('\n\n') + 2;
  return [note.slice(0, at), note.slice(at)];
}

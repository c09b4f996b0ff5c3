import { parseNote, signNote } from '../../src/core/custody/note.ts';
import type { ClipId } from '../../src/core/evidence/clip.ts';
import type { Order } from '../../src/core/orders/order.ts';
import { sha256 } from '../core/custody/keys.ts';
import { orderOf, type Person, sign } from '../core/orders/kit.ts';
import { type Files, sha256Hex } from './kit.ts';
import { type Act, leafOf } from './logs.ts';
import type { Ordered } from './order-folder.ts';

/** Of the orders that the dock of these tests has answered. */
const LAST = 7;

/** What somebody who has the dock's keys can write: entries after the last, and any file. Receipts are left out: they would tell. */
export class Forged {
  readonly leaves: Uint8Array[];
  readonly texts: Files;
  /** The clip that was not disposed of. */
  readonly kept: { readonly kind: 'clip'; readonly id: ClipId };
  /** Of the clip that was. */
  readonly certificatePath: string;
  #counter = LAST;
  #previous: string;

  constructor({ leaves, texts, clips: [gone, kept = '' as ClipId] }: Ordered) {
    this.kept = { kind: 'clip', id: kept };
    this.certificatePath = `certificates/${gone}.note`;
    this.leaves = [...leaves];
    this.texts = new Map([...texts].filter(([path]) => !path.endsWith('.receipt')));
    this.#previous = digestOf(this.text(orderPath(LAST)));
  }

  text(path: string): string {
    return Buffer.from(this.texts.get(path) ?? []).toString();
  }

  put(path: string, text: string): this {
    this.texts.set(path, Uint8Array.from(Buffer.from(text)));
    return this;
  }

  change(path: string, change: (text: string) => string): this {
    return this.put(path, change(this.text(path)));
  }

  /** One more entry, in the name of the centre. */
  enter(...act: Act): this {
    const leaf = Buffer.from(leafOf(act, this.leaves.length)).toString();
    this.leaves.push(Uint8Array.from(Buffer.from(leaf.replace('actor dock', 'actor centre'))));
    return this;
  }

  /** Alters the entries that hold this text. */
  rewrite(from: string, to: string): this {
    for (const [index, leaf] of this.leaves.entries()) {
      const text = Buffer.from(leaf).toString().replace(from, to);
      this.leaves[index] = Uint8Array.from(Buffer.from(text));
    }
    return this;
  }

  /** The next order in its turn, and its entry, with `as` in the entry of what the order says. */
  order(changes: Partial<Order>, people: readonly Person[], as: Partial<Order> = {}): this {
    this.#counter += 1;
    const next = { counter: this.#counter, previous: this.#previous, rolesVersion: 2 };
    const order = orderOf({ ...next, ...changes });
    return this.accept(sign(order, ...people), { ...order, ...as });
  }

  accept(note: string, { action, subject, reason, references }: Order): this {
    const { text, signatures } = parseNote(note);
    this.put(orderPath(this.#counter), note);
    this.#previous = sha256Hex(Buffer.from(text));
    const ids = signatures.map(({ keyId }) => Buffer.from(keyId).toString('hex'));
    return this.enter(
      'order-accepted',
      ...[`counter ${this.#counter}`, `order ${this.#previous}`, `action ${action}`],
      ...[`subject ${subject.kind} ${subject.id}`, `reason ${reason}`, `signers ${ids.join(',')}`],
      ...references.slice(0, 1).map((reference) => `reference ${reference}`),
    );
  }

  /** An order that was answered before, once more. */
  replay(counter: number, order: Partial<Order>): this {
    this.#counter += 1;
    return this.accept(this.text(orderPath(counter)), orderOf(order));
  }
}

export function orderPath(counter: number): string {
  return `orders/${String(counter).padStart(10, '0')}.note`;
}

export function digestOf(note: string): string {
  return sha256Hex(Buffer.from(parseNote(note).text));
}

/** The text of a note, signed by another. */
export function signedBy(note: string, signer: Parameters<typeof signNote>[1]): string {
  return signNote(parseNote(note).text, signer, sha256);
}

/** Repeats the first signature instead of the second. */
export function firstTwice(note: string): string {
  const lines = note.split('\n');
  return [...lines.slice(0, -2), lines.at(-3), ''].join('\n');
}

export function withoutLast(note: string): string {
  return `${note.split('\n').slice(0, -2).join('\n')}\n`;
}

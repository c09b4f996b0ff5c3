import type { ClipHistory, LogEntry } from '../formats/entries.ts';
import { ACTION_RULES } from '../formats/orders.ts';
import type { Report } from '../report.ts';

/** An entry about an order or about who may give one. */
export interface OrderStep {
  readonly index: number;
  readonly kind: string;
  readonly fields: LogEntry['fields'];
}

const STEPS = ['roles-accepted', 'order-accepted', 'order-refused'];
/** Entries of the centre that no order brings about. */
const OF_THE_CENTRE = [...STEPS, 'orders-discarded'];
/** A wearer's button and the dock itself place holds too. */
const ACTS = Object.values(ACTION_RULES).flatMap(({ act }) => (act === undefined ? [] : [act]));
const ALWAYS_ORDERED = ACTS.filter((act) => act !== 'hold-placed');

/** Follows the entries in order: what only an order may bring about must come right after the entry of its order, which the dock writes in one piece. */
export class OrderTrail {
  readonly steps: OrderStep[] = [];
  readonly #report: Report;
  /** Without a root key in the policy nobody knows whose orders count. */
  readonly #isAsked: boolean;
  #last: LogEntry | undefined;
  /** The act that must come next. */
  #due: string | undefined;
  /** Clips that an order let go, and its reason. */
  readonly #leaving = new Map<string, string>();

  constructor(report: Report, isAsked: boolean) {
    this.#report = report;
    this.#isAsked = isAsked;
  }

  /** `clips` as they were before the entry. */
  add(entry: LogEntry, clips: ReadonlyMap<string, ClipHistory>): void {
    const { kind, index, fields } = entry;
    const before = this.#last;
    if (this.#due !== kind) this.end();
    this.#due = kind === 'order-accepted' ? actDue(fields, clips) : undefined;
    this.#last = entry;
    if (STEPS.includes(kind)) this.steps.push({ index, kind, fields });
    const isOrdered = this.#isOrdered(entry, before);
    if (isOrdered || !this.#isAsked) return;
    const detail = `entry ${index}: ${kind} of clip ${fields.clip ?? ''}`;
    this.#report.find('RULE_WITHOUT_ORDER', 'custody/entries', detail);
  }

  /** After the last entry. */
  end(): void {
    if (this.#due === undefined || !this.#isAsked) return;
    const detail = `entry ${this.#last?.index}: no ${this.#due} follows it`;
    this.#report.find('RULE_ORDER_NOT_DONE', 'custody/entries', detail);
    this.#due = undefined;
  }

  #isOrdered(entry: LogEntry, before: LogEntry | undefined): boolean {
    const { kind, actor, fields } = entry;
    const { clip = '', reason = '' } = fields;
    if (kind === 'clip-disposed') {
      const isRight = this.#leaving.get(clip) === reason;
      this.#leaving.delete(clip);
      return isRight;
    }
    const needsOrder =
      ALWAYS_ORDERED.includes(kind) || (actor === 'centre' && !OF_THE_CENTRE.includes(kind));
    if (!needsOrder) return true;
    if (before === undefined || !isActOf(before, entry)) return false;
    if (kind === 'disposal-begun') this.#leaving.set(clip, reason);
    return true;
  }
}

/** What an order that was accepted brings about; nothing where the clip is that way already. */
function actDue(
  { action = '', subject = '' }: LogEntry['fields'],
  clips: ReadonlyMap<string, ClipHistory>,
): string | undefined {
  const act = Object.hasOwn(ACTION_RULES, action) ? ACTION_RULES[action]?.act : undefined;
  const { held = false, restricted = false } = clips.get(subject.replace(/^clip /, '')) ?? {};
  const isDone: Readonly<Record<string, boolean>> = {
    ...{ 'hold-placed': held, 'hold-lifted': !held },
    ...{ 'clip-restricted': restricted, 'clip-unrestricted': !restricted },
  };
  return act !== undefined && isDone[act] === true ? undefined : act;
}

function isActOf(order: LogEntry, { kind, fields }: LogEntry): boolean {
  const { action = '', subject, reason } = order.fields;
  const rule = Object.hasOwn(ACTION_RULES, action) ? ACTION_RULES[action] : undefined;
  return (
    order.kind === 'order-accepted' &&
    rule?.act === kind &&
    subject === `clip ${fields.clip}` &&
    (fields.reason === undefined || fields.reason === reason)
  );
}

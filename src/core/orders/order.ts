import { formatHex, utf8 } from '../bytes.ts';
import { parseReason, type ReasonCode } from '../custody/entry-grammar.ts';
import {
  FieldReader,
  formatFields,
  formatIsoMs,
  parseDecimal,
  parseFields,
  parseIsoMs,
} from '../custody/fields.ts';
import type { Sha256 } from '../custody/primitives.ts';
import { DockError } from '../errors.ts';
import { type ClipId, type DockId, parseClipId, parseDockId } from '../evidence/clip.ts';
import {
  type OrderAction,
  parseAction,
  ruleOf,
  SUBJECT_KINDS,
  type SubjectKind,
} from './actions.ts';

export const ORDER_TYPE = 'docket/order/v1';
/** What stands for the order before the first. */
export const NO_ORDER = '0'.repeat(64);
export const ORDER_NOTE_BYTES_MAX = 8_192;
export const REFERENCES_MAX = 4;
const DAY_MS = 86_400_000;
/** An order that nobody delivered in this time is written anew. */
export const LIFETIME_MS_MAX = 31 * DAY_MS;

/** `id` is a clip's id; of anything else, the SHA-256 that stands for it. */
export interface Subject {
  readonly kind: SubjectKind;
  readonly id: string;
}

/** What people of the centre order a dock to do. Names nobody: digests and codes only. */
export interface Order {
  readonly dock: DockId;
  /** One more than that of the order before; the first is 1. */
  readonly counter: number;
  /** SHA-256 (hex) of the text of the order before. */
  readonly previous: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly action: OrderAction;
  readonly subject: Subject;
  readonly reason: ReasonCode;
  /** SHA-256 (hex) of what it rests on. */
  readonly references: readonly string[];
  readonly rolesVersion: number;
}

/** NOTE_INVALID when a value is outside its grammar. */
export function formatOrder(order: Order): string {
  const text = formatFields(ORDER_TYPE, [
    ['dock', order.dock],
    ['counter', String(order.counter)],
    ['previous', order.previous],
    ['issued', formatIsoMs(order.issuedAtMs)],
    ['expires', formatIsoMs(order.expiresAtMs)],
    ['action', order.action],
    ['subject', formatSubject(order.subject)],
    ['reason', order.reason],
    ...order.references.map((reference) => ['reference', reference] as const),
    ['roles', String(order.rolesVersion)],
  ]);
  parseOrder(text);
  return text;
}

/** NOTE_INVALID says the line. Takes only what `formatOrder` writes. */
export function parseOrder(text: string): Order {
  const result = parseFields(ORDER_TYPE, text);
  if (!result.ok) throw new DockError('NOTE_INVALID', result.finding.detail);
  const reader = new FieldReader(result.fields, 'NOTE_INVALID');
  const order = {
    dock: reader.takeParsed('dock', parseDockId),
    counter: reader.takeParsed('counter', parseCounter),
    previous: reader.takeParsed('previous', parseDigest),
    issuedAtMs: reader.takeParsed('issued', parseIsoMs),
    expiresAtMs: reader.takeParsed('expires', parseIsoMs),
    action: reader.takeParsed('action', parseAction),
    subject: reader.takeParsed('subject', parseSubject),
    reason: reader.takeParsed('reason', parseReason),
    references: reader.takeAll('reference').map((reference) => {
      if (parseDigest(reference) === undefined) throw reader.refuse('it is not a digest', 0);
      return reference;
    }),
    rolesVersion: reader.takeParsed('roles', parseCounter),
  };
  reader.end();
  const fault = faultOf(order);
  if (fault !== undefined) throw new DockError('NOTE_INVALID', `the order is refused: ${fault}`);
  return order;
}

/** SHA-256 (hex) of the text: the name of the order in the log and in the order after it. */
export function orderDigest(text: string, sha256: Sha256): string {
  return formatHex(sha256(utf8(text)));
}

export function formatSubject({ kind, id }: Subject): string {
  return `${kind} ${id}`;
}

export function parseSubject(text: string): Subject | undefined {
  const [kindText, id = '', ...rest] = text.split(' ');
  const kind = SUBJECT_KINDS.find((known) => known === kindText);
  if (kind === undefined || rest.length > 0) return undefined;
  const isId = kind === 'clip' ? parseClipId(id) : parseDigest(id);
  return isId === undefined ? undefined : { kind, id };
}

/** The clip that an order is about; undefined when it is about something else. */
export function clipOf({ subject }: Pick<Order, 'subject'>): ClipId | undefined {
  return subject.kind === 'clip' ? parseClipId(subject.id) : undefined;
}

export function parseDigest(text: string): string | undefined {
  return /^[0-9a-f]{64}$/.test(text) ? text : undefined;
}

function parseCounter(text: string): number | undefined {
  const counter = parseDecimal(text);
  return counter === undefined || counter < 1 ? undefined : counter;
}

function faultOf(order: Order): string | undefined {
  const { action, subject, reason, references, issuedAtMs, expiresAtMs } = order;
  const { subjects, reasons, needsReference } = ruleOf(action);
  if (!subjects.includes(subject.kind)) return `${action} is not about a ${subject.kind}`;
  if (!reasons.includes(reason)) return `${reason} is no reason to ${action}`;
  if (references.length > REFERENCES_MAX) return 'it has too many references';
  if (new Set(references).size < references.length) return 'a reference is there twice';
  if (needsReference && references.length === 0) return `${action} needs a reference`;
  if (expiresAtMs <= issuedAtMs) return 'it expires before it is issued';
  if (expiresAtMs - issuedAtMs > LIFETIME_MS_MAX) return 'it is valid for more than 31 days';
  if (order.counter === 1 && order.previous !== NO_ORDER) return 'nothing is before the first';
  return undefined;
}

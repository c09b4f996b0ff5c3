import { formatHex } from '../bytes.ts';
import type { EntryBody } from '../custody/entry.ts';
import type { Actor, ReasonCode } from '../custody/entry-grammar.ts';
import {
  keyIdOf,
  type NoteCrypto,
  parseNote,
  type VerifierKey,
  verifyNote,
} from '../custody/note.ts';
import { type ClipStatus, isGone } from '../dock/clip-table.ts';
import type { DockState } from '../dock/state.ts';
import { DockError, type ErrorCode } from '../errors.ts';
import type { ClipId, DockId } from '../evidence/clip.ts';
import type { TrustedNow } from '../time/trusted-time.ts';
import { type ActionRule, EARLY_REASONS, ruleOf } from './actions.ts';
import { clipOf, type Order, orderDigest, parseOrder } from './order.ts';
import { keyDigest, type RoleKey, type RolesFile } from './roles.ts';
import { answerTo, lastOrder } from './state.ts';

/** INVARIANTS: whatever a broker sends is hostile. Nothing changes but by an order that enough people signed, in its turn, once. */

export interface OrderContext {
  readonly dock: DockId;
  /** Undefined for a dock that takes no orders. */
  readonly rootKey: VerifierKey | undefined;
  /** Undefined while the dock has none that it believes. */
  readonly roles: RolesFile | undefined;
  readonly now: TrustedNow;
  readonly crypto: NoteCrypto;
  /** Of the clip that an order to dispose names. */
  readonly facts?: ClipFacts | undefined;
}

export interface ClipFacts {
  /** In trusted time; undefined while nothing proves when its retention ends. */
  readonly dueAtMs: number | undefined;
  /** Digest that stands for its camera, and the camera's counter; undefined when its manifest does not tell. */
  readonly camera: string | undefined;
  readonly recording: number | undefined;
}

export type ActBody = EntryBody & { readonly actor?: Actor };
export type OrderEffect = {
  readonly kind: 'dispose';
  readonly clip: ClipId;
  readonly reason: ReasonCode;
};

export type OrderDecision =
  | {
      readonly kind: 'accepted';
      readonly order: Order;
      readonly digest: string;
      /** The first is the order's own. All of them go into the log together. */
      readonly entries: readonly ActBody[];
      readonly effects: readonly OrderEffect[];
    }
  /** Signed and in its turn: the refusal is an entry, and the counter is used up. */
  | {
      readonly kind: 'refused';
      readonly order: Order;
      readonly digest: string;
      readonly reason: ErrorCode;
      readonly entries: readonly ActBody[];
    }
  /** It had its answer: it gets the same again. */
  | {
      readonly kind: 'repeated';
      readonly digest: string;
      readonly counter: number;
      /** Of its entry. */
      readonly index: number;
    }
  /** Not an order for this dock, or not in its turn. Costs no counter. */
  | {
      readonly kind: 'discarded';
      readonly reason: ErrorCode;
      readonly digest: string | undefined;
      /** For an order that is signed, and only lacks something that people can mend. */
      readonly detail: string;
    };

/** Pure. Decides on any text whatever. */
export function decideOrder(state: DockState, note: string, context: OrderContext): OrderDecision {
  const { crypto, rootKey, roles, dock } = context;
  const read = readOrder(note, crypto);
  if ('reason' in read) return { kind: 'discarded', ...read, digest: undefined };
  const { order, digest } = read;
  const discard = (reason: ErrorCode, detail: string): OrderDecision => {
    return { kind: 'discarded', reason, digest, detail };
  };
  if (order.dock !== dock) return discard('ORDER_OTHER_DOCK', `it is for ${order.dock}`);
  const answered = answerTo(state.orders, digest);
  if (answered !== undefined) return { kind: 'repeated', digest, ...answered };
  if (rootKey === undefined || roles === undefined) {
    return discard('ROLES_MISSING', 'the dock has no roles file that it believes');
  }
  const last = lastOrder(state.orders);
  // Cheaper than a signature, so a flood of old orders costs little.
  if (order.counter !== last.counter + 1 || order.previous !== last.previous) {
    return discard('ORDER_SEQUENCE', `the dock has answered ${last.counter} orders`);
  }
  const authority = findSigners(note, order, { ...context, rootKey, roles, state });
  if ('reason' in authority) return discard(authority.reason, authority.detail);
  const reason = objectionTo(order, state, context);
  if (reason !== undefined) {
    const entry = { kind: 'order-refused', counter: order.counter, order: digest, reason } as const;
    return { kind: 'refused', order, digest, reason, entries: [{ ...entry, actor: 'centre' }] };
  }
  return accept({ order, digest, signers: authority.signers }, state, context);
}

/** What the text says, whoever signed it. */
export function readOrder(
  note: string,
  { sha256 }: Pick<NoteCrypto, 'sha256'>,
): { order: Order; digest: string } | { reason: ErrorCode; detail: string } {
  try {
    const { text } = parseNote(note);
    return { order: parseOrder(text), digest: orderDigest(text, sha256) };
  } catch (error) {
    if (!(error instanceof DockError)) throw error;
    return { reason: 'ORDER_MALFORMED', detail: error.message };
  }
}

interface Authority {
  readonly rootKey: VerifierKey;
  readonly roles: RolesFile;
  readonly crypto: NoteCrypto;
  readonly state: Pick<DockState, 'orders'>;
}

/** Key ids of those whose signatures count, or who is missing. */
export function findSigners(
  note: string,
  order: Pick<Order, 'action'>,
  { rootKey, roles, crypto, state }: Authority,
): { signers: string } | { reason: ErrorCode; detail: string } {
  const { revoked } = state.orders;
  const rule = ruleOf(order.action);
  const bearers = bearersOf(rootKey, roles).filter(
    ({ key }) => !revoked.includes(keyDigest(key, crypto.sha256)),
  );
  const { ok, signedBy, findings } = verifyNote(
    note,
    bearers.map(({ key }) => key),
    crypto,
  );
  if (!ok) {
    return { reason: 'ORDER_UNSIGNED', detail: findings.map(({ detail }) => detail).join('; ') };
  }
  const signed = bearers.filter(({ key }) => signedBy.includes(key.name));
  const counting = signed.filter((bearer) => hasOneOf(bearer, rule.roles));
  const missing = missingFrom(rule, counting);
  if (missing !== undefined) return { reason: 'ORDER_SIGNATURES_MISSING', detail: missing };
  return { signers: signersOf(rule, counting, crypto) };
}

/** The root key is the one that the dock is configured with, whatever a roles file says. */
function bearersOf(rootKey: VerifierKey, { keys }: RolesFile): readonly RoleKey[] {
  const others = keys.map(({ key, roles }) => ({ key, roles: roles.filter((r) => r !== 'root') }));
  return [...others.filter(({ roles }) => roles.length > 0), { key: rootKey, roles: ['root'] }];
}

function hasOneOf({ roles }: RoleKey, wanted: readonly string[]): boolean {
  return roles.some((role) => wanted.includes(role));
}

/** For people: who else must sign. Undefined when all have. */
function missingFrom(rule: ActionRule, counting: readonly RoleKey[]): string | undefined {
  const { signers, roles, among } = rule;
  const lacks = signers - counting.length;
  if (lacks > 0) {
    const whom = among === undefined || counting.some((bearer) => hasOneOf(bearer, [among]));
    const must = whom ? '' : `, ${among} among them`;
    return `${lacks} more of ${roles.join(', ')} must sign${must}`;
  }
  if (among === undefined || counting.some((bearer) => hasOneOf(bearer, [among]))) return undefined;
  return `the ${among} must sign`;
}

/** As few as the rule asks for would do, but who signed is worth knowing: four at most, the one who must first. */
function signersOf(
  { among }: ActionRule,
  counting: readonly RoleKey[],
  crypto: NoteCrypto,
): string {
  const isFirst = (bearer: RoleKey) => among !== undefined && hasOneOf(bearer, [among]);
  const sorted = [...counting].sort((a, b) => Number(isFirst(b)) - Number(isFirst(a)));
  const ids = sorted.slice(0, 4).map(({ key }) => formatHex(keyIdOf(key, crypto.sha256)));
  return ids.join(',');
}

/** Why an order of the right people is refused; undefined when it is not. */
function objectionTo(
  order: Order,
  state: DockState,
  { roles, now, facts }: OrderContext,
): ErrorCode | undefined {
  if (order.rolesVersion !== roles?.version) return 'ORDER_ROLES_OTHER';
  const late = objectionOfTime(order, now);
  if (late !== undefined) return late;
  const clip = clipOf(order);
  if (clip === undefined) return undefined;
  const status = state.clips.get(clip);
  if (status === undefined) return 'CLIP_NOT_FOUND';
  return objectionOfClip(order, status, { now, facts });
}

function objectionOfTime(order: Order, now: TrustedNow): ErrorCode | undefined {
  const { isSafeAnyTime = false } = ruleOf(order.action);
  const { expiresAtMs } = order;
  if (now.kind === 'unknown') {
    if (now.floorMs > expiresAtMs) return 'ORDER_EXPIRED';
    return isSafeAnyTime ? undefined : 'TIME_UNKNOWN';
  }
  // In doubt what protects is still in time, and what may harm is too late.
  const nowMs = isSafeAnyTime ? now.earliestMs : now.latestMs;
  return nowMs > expiresAtMs ? 'ORDER_EXPIRED' : undefined;
}

function objectionOfClip(
  { action, reason }: Order,
  status: ClipStatus,
  { now, facts }: Pick<OrderContext, 'now' | 'facts'>,
): ErrorCode | undefined {
  const isRecordOnly = action === 'access' || action === 'complaint';
  if (isGone(status)) return isRecordOnly ? undefined : 'CLIP_DISPOSED';
  if (action === 'disclose' && status.restricted) return 'CLIP_RESTRICTED';
  if (action !== 'dispose') return undefined;
  if (status.held) return 'CLIP_HELD';
  if (status.restricted) return 'CLIP_RESTRICTED';
  if (status.state === 'vaulted') return 'CLIP_NOT_RELEASED';
  if (status.state === 'missing') return 'VAULT_MISSING';
  if (EARLY_REASONS.includes(reason)) return undefined;
  const dueAtMs = facts?.dueAtMs;
  const isDue = dueAtMs !== undefined && now.kind === 'known' && now.earliestMs >= dueAtMs;
  return isDue ? undefined : 'CLIP_NOT_DUE';
}

function accept(
  signed: { readonly order: Order; readonly digest: string; readonly signers: string },
  state: DockState,
  { facts }: OrderContext,
): OrderDecision {
  const { order, digest, signers } = signed;
  const { counter, action, subject, reason, references } = order;
  const [reference] = references;
  const own: EntryBody = {
    kind: 'order-accepted',
    ...{ counter, order: digest, action, subject, reason, signers, reference },
  };
  const clip = clipOf(order);
  const acts = clip === undefined ? [] : actsOn({ ...order, clip }, state, facts);
  const entries = [own, ...acts].map((act) => ({ ...act, actor: 'centre' as const }));
  const isDisposal = clip !== undefined && action === 'dispose';
  const effects = isDisposal ? [{ kind: 'dispose' as const, clip, reason }] : [];
  return { kind: 'accepted', order, digest, entries, effects };
}

/** None where the clip is that way already. */
function actsOn(
  { action, reason, clip }: Order & { readonly clip: ClipId },
  state: DockState,
  facts: ClipFacts | undefined,
): EntryBody[] {
  const status = state.clips.get(clip);
  switch (action) {
    case 'hold':
      return status?.held ? [] : [{ kind: 'hold-placed', clip, reason }];
    case 'lift':
      return status?.held ? [{ kind: 'hold-lifted', clip }] : [];
    case 'restrict':
      return status?.restricted ? [] : [{ kind: 'clip-restricted', clip, reason }];
    case 'unrestrict':
      return status?.restricted ? [{ kind: 'clip-unrestricted', clip, reason }] : [];
    case 'dispose': {
      const { camera, recording } = facts ?? {};
      return [{ kind: 'disposal-begun', clip, reason, camera, recording }];
    }
    default:
      return [];
  }
}

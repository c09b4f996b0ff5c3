import type { ReasonCode } from '../custody/entry-grammar.ts';

export const ROLES = ['operator', 'evidence', 'protection-officer', 'root'] as const;
/** What the bearer of a key may do; a key may have several. `root` alone changes who the others are. */
export type Role = (typeof ROLES)[number];

export const SUBJECT_KINDS = ['clip', 'case', 'camera', 'key', 'policy'] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

export interface ActionRule {
  /** How many different people must sign. */
  readonly signers: 1 | 2;
  /** One of these roles makes a signature count. */
  readonly roles: readonly Role[];
  /** Of those who sign, one must have this role. */
  readonly among?: Role;
  readonly subjects: readonly SubjectKind[];
  readonly reasons: readonly ReasonCode[];
  /** A digest of the consent, the authority or the amendment. */
  readonly needsReference?: true;
  /** Only protects, or only records: taken also while nobody knows the time. */
  readonly isSafeAnyTime?: true;
}

const STAFF = ['operator', 'evidence', 'protection-officer'] as const;
const KEEPERS = ['evidence', 'protection-officer'] as const;
const REQUESTS = ['SUBJECT-REQUEST', 'APPEAL', 'COURT-ORDER', 'POLICE-REQUEST'] as const;

/** Who may order what. The easy direction is the one that keeps evidence and the one that protects people. */
export const ACTIONS = {
  hold: {
    ...{ signers: 1, roles: STAFF, subjects: ['clip'], isSafeAnyTime: true },
    reasons: ['INCIDENT', 'INVESTIGATION', 'COMPLAINT', ...REQUESTS],
  },
  lift: { signers: 2, roles: STAFF, subjects: ['clip'], reasons: ['CASE-CLOSED', 'HELD-IN-ERROR'] },
  dispose: {
    ...{ signers: 2, roles: STAFF, among: 'protection-officer', subjects: ['clip'] },
    reasons: ['RETENTION-ENDED', 'ERASURE-GRANTED', 'COURT-ORDER', 'RECORDED-IN-ERROR'],
  },
  restrict: {
    ...{ signers: 1, roles: STAFF, subjects: ['clip'], isSafeAnyTime: true },
    reasons: ['OBJECTION', 'ACCURACY-DISPUTED', 'SUBJECT-REQUEST', 'COURT-ORDER'],
  },
  unrestrict: {
    ...{ signers: 2, roles: STAFF, subjects: ['clip'] },
    reasons: ['CASE-CLOSED', 'OBJECTION-REFUSED', 'COURT-ORDER'],
  },
  rectify: {
    ...{ signers: 1, roles: KEEPERS, subjects: ['clip'], needsReference: true },
    ...{ reasons: ['CORRECTION', 'ACCURACY-DISPUTED'], isSafeAnyTime: true },
  },
  disclose: {
    ...{ signers: 1, roles: ['evidence'], subjects: ['clip'], needsReference: true },
    reasons: ['CONSENT', 'LEGAL-DUTY', ...REQUESTS],
  },
  access: {
    ...{ signers: 1, roles: KEEPERS, subjects: ['clip', 'case'], isSafeAnyTime: true },
    reasons: ['REQUEST-RECEIVED', 'REQUEST-GRANTED', 'REQUEST-REFUSED'],
  },
  complaint: {
    ...{ signers: 1, roles: STAFF, subjects: ['clip', 'case'], isSafeAnyTime: true },
    reasons: ['COMPLAINT', 'REQUEST-RECEIVED', 'REQUEST-GRANTED', 'REQUEST-REFUSED'],
  },
  policy: { signers: 1, roles: ['root'], subjects: ['policy'], reasons: ['POLICY-CHANGE'] },
  enrol: {
    ...{ signers: 1, roles: ['root'], subjects: ['camera', 'key'] },
    reasons: ['ISSUED', 'FOUND-AGAIN'],
  },
  revoke: {
    ...{ signers: 1, roles: ['root'], subjects: ['camera', 'key'], isSafeAnyTime: true },
    reasons: ['LOST', 'STOLEN', 'WITHDRAWN'],
  },
} as const satisfies Record<string, ActionRule>;

export type OrderAction = keyof typeof ACTIONS;
export const ACTION_NAMES = Object.keys(ACTIONS) as readonly OrderAction[];

/** Reasons for which a clip may go before its retention ends. */
export const EARLY_REASONS: readonly ReasonCode[] = [
  'ERASURE-GRANTED',
  'COURT-ORDER',
  'RECORDED-IN-ERROR',
];

export function parseAction(text: string): OrderAction | undefined {
  return Object.hasOwn(ACTIONS, text) ? (text as OrderAction) : undefined;
}

export function ruleOf(action: OrderAction): ActionRule {
  return ACTIONS[action];
}

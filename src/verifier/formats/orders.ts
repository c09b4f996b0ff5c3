import { type Crypto, Malformed } from '../report.ts';
import { type NamedKey, parseNamedKey, SIGNS_NOTES } from './notes.ts';
import {
  Lines,
  matching,
  parseClipId,
  parseCount,
  parseDigestHex,
  parseDockId,
  parsePositiveCount,
  parseTime,
} from './text.ts';

const KEYS_MAX = 200;
const REFERENCES_MAX = 4;
const parseReason = matching(/^[A-Z]+([-_][A-Z]+)*$/);

/** What an order needs to count, and the kind of entry that it brings about. */
export interface ActionRule {
  readonly signers: 1 | 2;
  /** One of these roles makes a signature count. */
  readonly roles: readonly string[];
  /** Of those who sign, one must have this role. */
  readonly among?: string;
  readonly subjects: readonly string[];
  readonly needsReference?: true;
  readonly act?: string;
}

const OFFICER = 'protection-officer';
const STAFF = ['operator', 'evidence', OFFICER];
const KEEPERS = ['evidence', OFFICER];
const ROLES = [...STAFF, 'root'];
const CLIP = ['clip'];
const ANY_CASE = ['clip', 'case'];

export const ACTION_RULES: Readonly<Record<string, ActionRule>> = {
  hold: { signers: 1, roles: STAFF, subjects: CLIP, act: 'hold-placed' },
  lift: { signers: 2, roles: STAFF, subjects: CLIP, act: 'hold-lifted' },
  dispose: { signers: 2, roles: STAFF, among: OFFICER, subjects: CLIP, act: 'disposal-begun' },
  restrict: { signers: 1, roles: STAFF, subjects: CLIP, act: 'clip-restricted' },
  unrestrict: { signers: 2, roles: STAFF, subjects: CLIP, act: 'clip-unrestricted' },
  rectify: { signers: 1, roles: KEEPERS, subjects: CLIP, needsReference: true },
  disclose: { signers: 1, roles: ['evidence'], subjects: CLIP, needsReference: true },
  access: { signers: 1, roles: KEEPERS, subjects: ANY_CASE },
  complaint: { signers: 1, roles: STAFF, subjects: ANY_CASE },
  policy: { signers: 1, roles: ['root'], subjects: ['policy'] },
  enrol: { signers: 1, roles: ['root'], subjects: ['camera', 'key'] },
  revoke: { signers: 1, roles: ['root'], subjects: ['camera', 'key'] },
};

export interface OrderText {
  readonly dock: string;
  readonly counter: number;
  readonly previous: string;
  readonly action: string;
  readonly rule: ActionRule;
  /** A kind and an id, as the entry of the order has it. */
  readonly subject: string;
  readonly reason: string;
  readonly references: readonly string[];
  readonly rolesVersion: number;
}

/** `docket/order/v1`: what people of the centre have signed. */
export function parseOrderText(text: string): OrderText {
  const lines = new Lines('docket/order/v1', text);
  const dock = lines.take('dock', parseDockId);
  const counter = lines.take('counter', parsePositiveCount);
  const previous = lines.take('previous', parseDigestHex);
  const issuedAtMs = lines.take('issued', parseTime);
  const expiresAtMs = lines.take('expires', parseTime);
  const action = lines.take('action', matching(/^[a-z]{1,32}$/));
  const subject = lines.take('subject', matching(/^[a-z]+ [0-9a-f]+$/));
  const reason = lines.take('reason', parseReason);
  const references = lines.all('reference', parseDigestHex);
  const rolesVersion = lines.take('roles', parsePositiveCount);
  lines.end();
  if (expiresAtMs <= issuedAtMs) throw new Malformed('it expires before it is issued');
  const rule = ruleFor(action, subject);
  const isReferred = references.length > 0 || rule.needsReference === undefined;
  if (!isReferred || references.length > REFERENCES_MAX) {
    throw new Malformed(`${action} cannot have ${references.length} references`);
  }
  return { dock, counter, previous, action, rule, subject, reason, references, rolesVersion };
}

function ruleFor(action: string, subject: string): ActionRule {
  const rule = Object.hasOwn(ACTION_RULES, action) ? ACTION_RULES[action] : undefined;
  if (rule === undefined) throw new Malformed(`${action} cannot be ordered`);
  const [kind = '', id = ''] = subject.split(' ');
  const parseId = kind === 'clip' ? parseClipId : parseDigestHex;
  if (!rule.subjects.includes(kind) || parseId(id) === undefined) {
    throw new Malformed(`${action} is not about ${subject}`);
  }
  return rule;
}

/** A key and what its signature counts as. */
export interface Bearer {
  readonly key: NamedKey;
  readonly roles: readonly string[];
}

export interface RolesText {
  readonly version: number;
  /** `site/dock`, where `*` stands for any. */
  readonly docks: string;
  readonly bearers: readonly Bearer[];
}

/** `docket/roles/v1`: who may sign orders. */
export function parseRolesText(text: string, crypto: Crypto): RolesText {
  const lines = new Lines('docket/roles/v1', text);
  const version = lines.take('version', parsePositiveCount);
  const docks = lines.take('docks', matching(/^(\*|[a-z0-9-]{1,64})\/(\*|[a-z0-9-]{1,64})$/));
  const bearers = lines.all('key', (line) => parseBearer(line, crypto));
  lines.end();
  if (bearers.length === 0 || bearers.length > KEYS_MAX) {
    throw new Malformed(`it names ${bearers.length} keys`);
  }
  // One person under two names would be two people to a threshold.
  const names = new Set(bearers.map(({ key }) => key.name));
  const halves = new Set(bearers.map(({ key }) => key.publicKey.join()));
  if (names.size < bearers.length || halves.size < bearers.length) {
    throw new Malformed('a key is there twice');
  }
  return { version, docks, bearers };
}

export function isForDock({ docks }: RolesText, dock: string): boolean {
  const parts = dock.split('/');
  return docks.split('/').every((part, index) => part === '*' || part === parts[index]);
}

function parseBearer(line: string, crypto: Crypto): Bearer | undefined {
  const [keyText = '', words = '', ...more] = line.split(' ');
  const roles = words.split(',');
  const isGood = roles.every((role) => ROLES.includes(role)) && more.length === 0;
  const key = parseNamedKey(keyText, crypto);
  if (!isGood || new Set(roles).size < roles.length || key.type !== SIGNS_NOTES) return undefined;
  return { key, roles };
}

export interface CertificateText {
  readonly dock: string;
  readonly clip: string;
  /** Empty for a clip that never had one. */
  readonly commitment: string;
  readonly size: number;
  readonly segments: number;
  readonly reason: string;
  readonly begun: number;
}

/** `docket/certificate/v1`: what stays of a clip that was disposed of. */
export function parseCertificateText(text: string): CertificateText {
  const lines = new Lines('docket/certificate/v1', text);
  const dock = lines.take('dock', parseDockId);
  const clip = lines.take('clip', parseClipId);
  const commitment = lines.optional('commitment', parseDigestHex) ?? '';
  const size = lines.take('size', parseCount);
  const segments = lines.take('segments', parseCount);
  const reason = lines.take('reason', parseReason);
  const begun = lines.take('begun', parseCount);
  lines.take('not-before', parseTime);
  lines.take('source', matching(/^(witness|nts|rtc|none)$/));
  lines.end();
  return { dock, clip, commitment, size, segments, reason, begun };
}

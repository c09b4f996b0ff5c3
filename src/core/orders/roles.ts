import { formatHex, utf8 } from '../bytes.ts';
import { FieldReader, formatFields, parseDecimal, parseFields } from '../custody/fields.ts';
import {
  ED25519_TYPE,
  formatVerifierKey,
  type NoteCrypto,
  parseVerifierKey,
  type VerifierKey,
  verifyNote,
} from '../custody/note.ts';
import type { Sha256 } from '../custody/primitives.ts';
import { DockError } from '../errors.ts';
import type { DockId } from '../evidence/clip.ts';
import { ROLES, type Role } from './actions.ts';

export const ROLES_TYPE = 'docket/roles/v1';
const KEYS_MAX = 200;
const DOCKS = /^(\*|[a-z0-9-]{1,64})\/(\*|[a-z0-9-]{1,64})$/;

/** A key is one person's. Whoever signs the file answers for that. */
export interface RoleKey {
  readonly key: VerifierKey;
  readonly roles: readonly Role[];
}

/** Who may sign orders for which docks. A higher version replaces a lower one, never the other way. */
export interface RolesFile {
  readonly version: number;
  /** `site/dock`, where `*` stands for any. */
  readonly docks: string;
  readonly keys: readonly RoleKey[];
}

/** NOTE_INVALID, KEY_INVALID. */
export function formatRoles(roles: RolesFile, sha256: Sha256): string {
  const text = formatFields(ROLES_TYPE, [
    ['version', String(roles.version)],
    ['docks', roles.docks],
    ...roles.keys.map(
      ({ key, roles: of }) => ['key', `${formatVerifierKey(key, sha256)} ${of.join(',')}`] as const,
    ),
  ]);
  parseRoles(text, sha256);
  return text;
}

/** NOTE_INVALID, KEY_INVALID. */
export function parseRoles(text: string, sha256: Sha256): RolesFile {
  const result = parseFields(ROLES_TYPE, text);
  if (!result.ok) throw invalid(result.finding.detail);
  const reader = new FieldReader(result.fields, 'NOTE_INVALID');
  const version = reader.takeParsed('version', parseDecimal);
  const docks = reader.takeParsed('docks', (value) => (DOCKS.test(value) ? value : undefined));
  const keys = reader.takeAll('key').map((line) => parseRoleKey(line, sha256));
  reader.end();
  if (version < 1) throw invalid('versions begin with 1');
  if (keys.length === 0 || keys.length > KEYS_MAX) throw invalid(`it names ${keys.length} keys`);
  // One person under two names would be two people to a threshold.
  const names = new Set(keys.map(({ key }) => key.name));
  const halves = new Set(keys.map(({ key }) => formatHex(key.publicKey)));
  if (names.size < keys.length || halves.size < keys.length) throw invalid('a key is there twice');
  return { version, docks, keys };
}

/** ROLES_INVALID says why the dock does not believe it. */
export function verifyRoles(
  note: string,
  { rootKey, dock, crypto }: { rootKey: VerifierKey; dock: DockId; crypto: NoteCrypto },
): RolesFile {
  const { ok, text, findings } = verifyNote(note, [rootKey], crypto);
  if (!ok || text === undefined) {
    throw refused(findings.map(({ detail }) => detail).join('; '));
  }
  let roles: RolesFile;
  try {
    roles = parseRoles(text, crypto.sha256);
  } catch (error) {
    if (!(error instanceof DockError)) throw error;
    throw refused(error.message, error);
  }
  if (!isFor(roles, dock)) throw refused(`it is for ${roles.docks}, not for ${dock}`);
  const root = formatHex(rootKey.publicKey);
  for (const { key, roles: of } of roles.keys) {
    const isRoot = key.name === rootKey.name && formatHex(key.publicKey) === root;
    if (of.includes('root') && !isRoot) throw refused(`${key.name} is not the root key`);
  }
  return roles;
}

export function rolesDigest(note: string, sha256: Sha256): string {
  return formatHex(sha256(utf8(note)));
}

/** What an order to revoke or to enrol a key names it by. */
export function keyDigest(key: VerifierKey, sha256: Sha256): string {
  return formatHex(sha256(utf8(formatVerifierKey(key, sha256))));
}

function isFor({ docks }: RolesFile, dock: DockId): boolean {
  const parts = dock.split('/');
  return docks.split('/').every((part, index) => part === '*' || part === parts[index]);
}

function parseRoleKey(line: string, sha256: Sha256): RoleKey {
  const [keyText = '', rolesText = '', ...rest] = line.split(' ');
  const key = parseVerifierKey(keyText, sha256);
  if (key.type !== ED25519_TYPE || rest.length > 0) throw invalid('a key line is a key and roles');
  const roles = rolesText.split(',').map((word) => {
    const role = ROLES.find((known) => known === word);
    if (role === undefined) throw invalid(`${key.name} has a role that is not one`);
    return role;
  });
  if (new Set(roles).size < roles.length) throw invalid(`${key.name} has a role twice`);
  return { key, roles };
}

function invalid(why: string): DockError {
  return new DockError('NOTE_INVALID', `the roles are refused: ${why}`);
}

function refused(why: string, cause?: unknown): DockError {
  return new DockError('ROLES_INVALID', `the roles are not believed: ${why}`, {
    cause,
    action: 'Have the newest roles file signed with the root key that the dock is configured with.',
  });
}

import { utf8 } from '../../../src/core/bytes.ts';
import type { Entry } from '../../../src/core/custody/entry.ts';
import {
  ed25519Key,
  formatNote,
  type NoteCrypto,
  type NoteSigner,
  parseNote,
  signNote,
} from '../../../src/core/custody/note.ts';
import { type DockState, foldEntries, INITIAL_STATE } from '../../../src/core/dock/state.ts';
import type { ClipId, DockId } from '../../../src/core/evidence/clip.ts';
import type { Role } from '../../../src/core/orders/actions.ts';
import type { ActBody, OrderContext } from '../../../src/core/orders/decide.ts';
import { formatOrder, NO_ORDER, type Order } from '../../../src/core/orders/order.ts';
import { formatRoles, parseRoles, type RolesFile } from '../../../src/core/orders/roles.ts';
import type { TrustedNow } from '../../../src/core/time/trusted-time.ts';
import { sha256, testCrypto, testSigner } from '../custody/keys.ts';

export const DOCK = 'site-1/dock-1' as DockId;
export const AT_MS = Date.UTC(2030, 0, 1);
export const DAY_MS = 86_400_000;

export const PEOPLE = {
  operator: testSigner('council/operator-1', 21),
  operator2: testSigner('council/operator-2', 22),
  evidence: testSigner('council/evidence-1', 23),
  officer: testSigner('council/officer-1', 24),
  root: testSigner('council/root', 25),
  stranger: testSigner('council/stranger', 26),
};
export type Person = keyof typeof PEOPLE;
export const ROOT_KEY = ed25519Key(PEOPLE.root.name, PEOPLE.root.publicKey);

function roleKey(person: Person, ...roles: Role[]) {
  const { name, publicKey } = PEOPLE[person];
  return { key: ed25519Key(name, publicKey), roles };
}

export function rolesOf(version = 1, docks = '*/*'): RolesFile {
  return {
    ...{ version, docks },
    keys: [
      roleKey('operator', 'operator'),
      roleKey('operator2', 'operator'),
      roleKey('evidence', 'evidence'),
      roleKey('officer', 'protection-officer'),
    ],
  };
}

export function rolesNote(roles = rolesOf(), signer: NoteSigner = PEOPLE.root): string {
  return signNote(formatRoles(roles, sha256), signer, sha256);
}

export const ROLES = parseRoles(formatRoles(rolesOf(), sha256), sha256);

/** Verifies each signature once: many runs see the same ones. */
export function cachedCrypto(): NoteCrypto {
  const known = new Map<string, boolean>();
  const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
  return {
    sha256,
    verify: (publicKey, message, signature) => {
      const key = `${textOf(publicKey)}${textOf(signature)}${textOf(message)}`;
      const found = known.get(key) ?? testCrypto.verify(publicKey, message, signature);
      known.set(key, found);
      return found;
    },
  };
}

export function orderOf(changes: Partial<Order> = {}): Order {
  return {
    dock: DOCK,
    counter: 1,
    previous: NO_ORDER,
    issuedAtMs: AT_MS,
    expiresAtMs: AT_MS + DAY_MS,
    action: 'hold',
    subject: { kind: 'clip', id: clipNumber(1) },
    reason: 'INVESTIGATION',
    references: [],
    rolesVersion: 1,
    ...changes,
  };
}

export function sign(order: Order, ...people: Person[]): string {
  return signText(formatOrder(order), ...people.map((person) => PEOPLE[person]));
}

export function signText(text: string, ...signers: NoteSigner[]): string {
  const signatures = signers.flatMap((by) => parseNote(signNote(text, by, sha256)).signatures);
  return formatNote({ text, signatures });
}

export function clipNumber(n: number): ClipId {
  return n.toString(16).padStart(2, '0').padEnd(32, '0') as ClipId;
}

/** A dock with clips 1 to `count`, all released, and a roles file. */
export function dockWith(count: number): DockState {
  const acts: ActBody[] = [{ kind: 'roles-accepted', version: 1, roles: 'aa'.repeat(32) }];
  for (let n = 1; n <= count; n++) {
    const clip = clipNumber(n);
    acts.push({
      ...{ kind: 'clip-vaulted', clip, commitment: 'cd'.repeat(32), segments: 1, bytes: 9 },
      cameraAuth: 'ed25519',
    });
    acts.push({ kind: 'clip-released', clip });
  }
  return fold(INITIAL_STATE, acts);
}

export function fold(state: DockState, acts: readonly ActBody[]): DockState {
  return foldEntries(numbered(state, acts), state);
}

export function numbered(state: DockState, acts: readonly ActBody[]) {
  return acts.map((act, at) => ({
    entry: { ...stamp, ...act } as Entry,
    index: state.treeSize + at,
  }));
}

export const known: TrustedNow = {
  ...{ kind: 'known', earliestMs: AT_MS + 1_000, latestMs: AT_MS + 2_000, source: 'witness' },
};
export const unknown: TrustedNow = { kind: 'unknown', floorMs: 0 };

export function contextOf(changes: Partial<OrderContext> = {}): OrderContext {
  return {
    dock: DOCK,
    rootKey: ROOT_KEY,
    roles: ROLES,
    now: known,
    crypto: testCrypto,
    ...changes,
  };
}

export function digestOf(text: string): string {
  return Buffer.from(sha256(utf8(text))).toString('hex');
}

const stamp = { atMs: AT_MS, clock: 'system', boot: '00000000', actor: 'dock' } as const;

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { signNote } from '../../../src/core/custody/note.ts';
import {
  ACTION_NAMES,
  type OrderAction,
  ruleOf,
  type SubjectKind,
} from '../../../src/core/orders/actions.ts';
import { decideOrder, type OrderDecision } from '../../../src/core/orders/decide.ts';
import { formatOrder, type Order, orderDigest } from '../../../src/core/orders/order.ts';
import { keyDigest } from '../../../src/core/orders/roles.ts';
import { sha256, testSigner } from '../custody/keys.ts';
import {
  AT_MS,
  clipNumber,
  contextOf,
  DAY_MS,
  digestOf,
  dockWith,
  fold,
  orderOf,
  PEOPLE,
  type Person,
  ROOT_KEY,
  rolesOf,
  sign,
  signText,
  unknown,
} from './kit.ts';

const decide = suite('orders');
const clip = clipNumber(1);
const state = dockWith(2);

function outcome(decision: OrderDecision): string {
  return 'reason' in decision ? `${decision.kind} ${decision.reason}` : decision.kind;
}

function decideOn(changes: Partial<Order>, people: Person[], context = contextOf(), on = state) {
  return decideOrder(on, sign(orderOf(changes), ...people), context);
}

function idOf(kind: SubjectKind): string {
  return kind === 'clip' ? clip : digestOf(kind);
}

/** An order of that action with everything that it needs. */
function exampleOf(action: OrderAction): Partial<Order> {
  const { subjects, reasons, needsReference } = ruleOf(action);
  const [kind = 'clip'] = subjects;
  const reason = action === 'dispose' ? 'ERASURE-GRANTED' : (reasons[0] ?? 'INCIDENT');
  const references = needsReference ? [digestOf('consent')] : [];
  return { action, reason, references, subject: { kind, id: idOf(kind) } };
}

const EVERYBODY: readonly Person[] = ['operator', 'operator2', 'evidence', 'officer', 'root'];
const ROLE_OF: Readonly<Record<string, string>> = {
  ...{ operator: 'operator', operator2: 'operator', evidence: 'evidence' },
  ...{ officer: 'protection-officer', root: 'root' },
};

/** What the table demands, said in another way. */
function mayOrder(action: OrderAction, people: readonly Person[]): boolean {
  const has = (...roles: string[]) => people.filter((p) => roles.includes(ROLE_OF[p] ?? '')).length;
  const staff = has('operator', 'evidence', 'protection-officer');
  if (['policy', 'enrol', 'revoke'].includes(action)) return has('root') >= 1;
  if (action === 'lift' || action === 'unrestrict') return staff >= 2;
  if (action === 'dispose') return staff >= 2 && has('protection-officer') >= 1;
  if (action === 'disclose') return has('evidence') >= 1;
  if (action === 'rectify' || action === 'access')
    return has('evidence', 'protection-officer') >= 1;
  return staff >= 1;
}

decide('each action is taken from exactly those groups of people who may order it', () => {
  const groups = Array.from({ length: 32 }, (_, bits) =>
    EVERYBODY.filter((_person, at) => (bits >> at) % 2 === 1),
  ).filter((people) => people.length > 0);
  for (const action of ACTION_NAMES) {
    for (const people of groups) {
      const decision = decideOn(exampleOf(action), people);
      const expected = mayOrder(action, people) ? 'accepted' : 'discarded ORDER_SIGNATURES_MISSING';
      assert.is(outcome(decision), expected, `${action} by ${people.join(', ')}`);
    }
  }
});

decide('the same person twice is one person', () => {
  const text = formatOrder(orderOf({ action: 'lift', reason: 'CASE-CLOSED' }));
  const note = signText(text, PEOPLE.operator, PEOPLE.operator);
  assert.is(outcome(decideOrder(state, note, contextOf())), 'discarded ORDER_SIGNATURES_MISSING');
});

decide('who is missing is said in words', () => {
  const decision = decideOn(exampleOf('dispose'), ['operator']);
  assert.ok(decision.kind === 'discarded');
  assert.match(decision.detail, /1 more .* must sign, protection-officer among them/);
  const other = decideOn(exampleOf('dispose'), ['operator', 'evidence']);
  assert.ok(other.kind === 'discarded');
  assert.match(other.detail, /protection-officer must sign/);
});

decide('a signature of a stranger, of a namesake, or over another text counts for nothing', () => {
  const text = formatOrder(orderOf());
  const namesake = testSigner(PEOPLE.operator.name, 99);
  for (const signer of [PEOPLE.stranger, namesake]) {
    const note = signNote(text, signer, sha256);
    assert.is(outcome(decideOrder(state, note, contextOf())), 'discarded ORDER_UNSIGNED');
  }
  const other = sign(orderOf({ subject: { kind: 'clip', id: clipNumber(2) } }), 'operator');
  const moved = text + other.slice(other.indexOf('\n\n') + 1);
  assert.is(outcome(decideOrder(state, moved, contextOf())), 'discarded ORDER_UNSIGNED');
});

decide('any change of one byte of a signed order makes it no order', () => {
  const note = sign(orderOf(), 'operator');
  for (let at = 0; at < note.length; at++) {
    const code = note.charCodeAt(at);
    const changed = note.slice(0, at) + String.fromCharCode(code ^ 1) + note.slice(at + 1);
    const decision = decideOrder(state, changed, contextOf());
    assert.is(decision.kind, 'discarded', `byte ${at}`);
  }
});

decide('an order runs once, in its turn, and asking again tells the first answer', () => {
  const first = decideOn({}, ['operator']);
  assert.ok(first.kind === 'accepted');
  assert.equal(
    first.entries.map(({ kind }) => kind),
    ['order-accepted', 'hold-placed'],
  );
  const after = fold(state, first.entries);
  assert.is(after.clips.get(clip)?.held, true);
  assert.is(after.misfits, 0);
  const again = decideOn({}, ['operator'], contextOf(), after);
  assert.equal(again, { ...again, kind: 'repeated', counter: 1, index: state.treeSize });
  const skipped = decideOn(
    { counter: 3, previous: first.digest },
    ['operator'],
    contextOf(),
    after,
  );
  assert.is(outcome(skipped), 'discarded ORDER_SEQUENCE');
  const forked = decideOn(
    { counter: 2, previous: digestOf('x') },
    ['operator'],
    contextOf(),
    after,
  );
  assert.is(outcome(forked), 'discarded ORDER_SEQUENCE');
  const next = decideOn({ counter: 2, previous: first.digest }, ['operator'], contextOf(), after);
  assert.is(next.kind, 'accepted');
});

decide('an order for another dock, or before there are roles, is none', () => {
  const elsewhere = contextOf({ dock: 'site-1/dock-2' as never });
  assert.is(outcome(decideOn({}, ['operator'], elsewhere)), 'discarded ORDER_OTHER_DOCK');
  for (const changes of [{ roles: undefined }, { rootKey: undefined }]) {
    const decision = decideOn({}, ['operator'], contextOf(changes));
    assert.is(outcome(decision), 'discarded ROLES_MISSING');
  }
});

decide('while nobody knows the time, only what protects or records is done', () => {
  const safe = ['hold', 'restrict', 'rectify', 'access', 'complaint', 'revoke'];
  for (const action of ACTION_NAMES) {
    const decision = decideOn(exampleOf(action), [...EVERYBODY], contextOf({ now: unknown }));
    const expected = safe.includes(action) ? 'accepted' : 'refused TIME_UNKNOWN';
    assert.is(outcome(decision), expected, action);
  }
});

decide(
  'an order that has expired is refused, and one that may have expired too unless it protects',
  () => {
    const at = (earliestMs: number, latestMs: number) =>
      contextOf({ now: { kind: 'known', earliestMs, latestMs, source: 'witness' } });
    const expiry = AT_MS + DAY_MS;
    const doubt = at(expiry - 1, expiry + 1);
    const over = at(expiry + 1, expiry + 2);
    const floor = contextOf({ now: { kind: 'unknown', floorMs: expiry + 1 } });
    assert.is(outcome(decideOn(exampleOf('hold'), ['operator'], doubt)), 'accepted');
    const disposal = decideOn(exampleOf('dispose'), ['operator', 'officer'], doubt);
    assert.is(outcome(disposal), 'refused ORDER_EXPIRED');
    for (const context of [over, floor]) {
      const decision = decideOn(exampleOf('hold'), ['operator'], context);
      assert.is(outcome(decision), 'refused ORDER_EXPIRED');
    }
  },
);

decide('a refused order has used up its counter, and never comes back', () => {
  const note = sign(orderOf(exampleOf('dispose')), 'operator', 'officer');
  const refused = decideOrder(state, note, contextOf({ now: unknown }));
  assert.ok(refused.kind === 'refused');
  const after = fold(state, refused.entries);
  assert.is(decideOrder(after, note, contextOf()).kind, 'repeated');
});

decide('an order by other roles than the newest is refused', () => {
  const context = contextOf({ roles: rolesOf(2) });
  assert.is(outcome(decideOn({}, ['operator'], context)), 'refused ORDER_ROLES_OTHER');
});

decide('a key that was revoked signs nothing any more, until it is enrolled again', () => {
  const [, , evidence] = rolesOf().keys;
  const id = keyDigest(evidence?.key ?? ROOT_KEY, sha256);
  const revoke = { action: 'revoke', reason: 'LOST', subject: { kind: 'key', id } } as const;
  const revoked = decideOn(revoke, ['root']);
  assert.ok(revoked.kind === 'accepted');
  const after = fold(state, revoked.entries);
  const next = { counter: 2, previous: revoked.digest };
  const hold = decideOn(next, ['evidence'], contextOf(), after);
  assert.is(outcome(hold), 'discarded ORDER_UNSIGNED');
  const enrol = { ...revoke, ...next, action: 'enrol', reason: 'FOUND-AGAIN' } as const;
  const enrolled = decideOn(enrol, ['root'], contextOf(), after);
  assert.ok(enrolled.kind === 'accepted');
  const third = { counter: 3, previous: enrolled.digest };
  const again = decideOn(third, ['evidence'], contextOf(), fold(after, enrolled.entries));
  assert.is(again.kind, 'accepted');
});

decide('a clip goes only when nothing keeps it', () => {
  const order = sign(orderOf(exampleOf('dispose')), 'operator', 'officer');
  const reasonOn = (...acts: Parameters<typeof fold>[1]) =>
    outcome(decideOrder(fold(state, acts), order, contextOf()));
  assert.is(reasonOn({ kind: 'hold-placed', clip, reason: 'INCIDENT' }), 'refused CLIP_HELD');
  const restricted = { kind: 'clip-restricted', clip, reason: 'OBJECTION' } as const;
  assert.is(reasonOn(restricted), 'refused CLIP_RESTRICTED');
  assert.is(reasonOn({ kind: 'clip-missing', clip }), 'refused VAULT_MISSING');
  const begun = { kind: 'disposal-begun', clip, reason: 'ISSUED' } as const;
  assert.is(reasonOn(begun), 'refused CLIP_DISPOSED');
  assert.is(reasonOn(), 'accepted');
  const unknownClip = {
    ...exampleOf('dispose'),
    subject: { kind: 'clip', id: clipNumber(9) },
  } as const;
  assert.is(outcome(decideOn(unknownClip, ['operator', 'officer'])), 'refused CLIP_NOT_FOUND');
});

decide('a clip whose retention has not ended in trusted time stays, whoever signs', () => {
  const order = { ...exampleOf('dispose'), reason: 'RETENTION-ENDED' } as const;
  const people: Person[] = ['operator', 'officer'];
  const facts = (dueAtMs: number | undefined) =>
    contextOf({ facts: { dueAtMs, camera: digestOf('cam'), recording: 7 } });
  assert.is(outcome(decideOn(order, people)), 'refused CLIP_NOT_DUE');
  assert.is(outcome(decideOn(order, people, facts(undefined))), 'refused CLIP_NOT_DUE');
  assert.is(outcome(decideOn(order, people, facts(AT_MS + 1_001))), 'refused CLIP_NOT_DUE');
  const due = decideOn(order, people, facts(AT_MS + 1_000));
  assert.ok(due.kind === 'accepted');
  assert.equal(due.effects, [{ kind: 'dispose', clip, reason: 'RETENTION-ENDED' }]);
});

decide('nobody but the root key of the configuration is root, whatever the roles say', () => {
  const [operator, ...others] = rolesOf().keys;
  assert.ok(operator);
  const keys = [{ key: operator.key, roles: ['operator', 'root'] as const }, ...others];
  const context = contextOf({ roles: { ...rolesOf(), keys } });
  const decision = decideOn(exampleOf('revoke'), ['operator'], context);
  assert.is(outcome(decision), 'discarded ORDER_SIGNATURES_MISSING');
});

decide('what is restricted is not disclosed', () => {
  const restricted = fold(state, [{ kind: 'clip-restricted', clip, reason: 'OBJECTION' }]);
  const decision = decideOn(exampleOf('disclose'), ['evidence'], contextOf(), restricted);
  assert.is(outcome(decision), 'refused CLIP_RESTRICTED');
});

decide('the log names an order by the digest of its text, and its signers by their key ids', () => {
  const order = orderOf(exampleOf('dispose'));
  const decision = decideOrder(state, sign(order, 'operator', 'officer'), contextOf());
  assert.ok(decision.kind === 'accepted');
  const [own] = decision.entries;
  assert.ok(own?.kind === 'order-accepted');
  assert.is(own.order, orderDigest(formatOrder(order), sha256));
  assert.match(own.signers, /^[0-9a-f]{8},[0-9a-f]{8}$/);
});

decide.run();

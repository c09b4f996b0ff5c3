import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { utf8 } from '../../../src/core/bytes.ts';
import { ed25519Key } from '../../../src/core/custody/note.ts';
import { isDockError } from '../../../src/core/errors.ts';
import type { DockId } from '../../../src/core/evidence/clip.ts';
import { ACTION_NAMES, ruleOf } from '../../../src/core/orders/actions.ts';
import {
  NOTHING_SENT,
  parseCentreState,
  recordSent,
  staleOrders,
} from '../../../src/core/orders/centre.ts';
import {
  type Certificate,
  formatCertificate,
  parseCertificate,
} from '../../../src/core/orders/certificate.ts';
import {
  parseNoteMessage,
  parseOrderAnswer,
  parseOrdersBody,
} from '../../../src/core/orders/messages.ts';
import {
  formatOrder,
  LIFETIME_MS_MAX,
  type Order,
  parseOrder,
} from '../../../src/core/orders/order.ts';
import {
  formatRoles,
  parseRoles,
  type RolesFile,
  verifyRoles,
} from '../../../src/core/orders/roles.ts';
import { sha256, testCrypto, testSigner } from '../custody/keys.ts';
import {
  AT_MS,
  clipNumber,
  DAY_MS,
  DOCK,
  digestOf,
  orderOf,
  PEOPLE,
  ROOT_KEY,
  rolesNote,
  rolesOf,
  sign,
} from './kit.ts';

const formats = suite('order formats');

function code(act: () => unknown): string {
  try {
    act();
    return 'accepted';
  } catch (error) {
    assert.ok(isDockError(error), String(error));
    return error.code;
  }
}

formats('an order is this text', () => {
  const order = orderOf({
    action: 'disclose',
    reason: 'CONSENT',
    references: [digestOf('consent')],
  });
  assert.is(
    formatOrder(order),
    `docket/order/v1
dock site-1/dock-1
counter 1
previous ${'0'.repeat(64)}
issued 2030-01-01T00:00:00.000Z
expires 2030-01-02T00:00:00.000Z
action disclose
subject clip ${clipNumber(1)}
reason CONSENT
reference ${digestOf('consent')}
roles 1
`,
  );
});

formats('what parses as an order is what would be written', () => {
  const base = formatOrder(orderOf());
  const change = fc.record({
    at: fc.nat(),
    insert: fc.string({ maxLength: 3 }),
    remove: fc.nat(3),
  });
  fc.assert(
    fc.property(change, ({ at, insert, remove }) => {
      const from = at % base.length;
      const text = base.slice(0, from) + insert + base.slice(from + remove);
      if (code(() => parseOrder(text)) === 'accepted')
        assert.is(formatOrder(parseOrder(text)), text);
    }),
    { numRuns: 3_000 },
  );
});

formats('an order that says what its action does not allow is refused', () => {
  const wrong: readonly Partial<Order>[] = [
    { reason: 'RETENTION-ENDED' },
    { subject: { kind: 'case', id: digestOf('case') } },
    { subject: { kind: 'clip', id: digestOf('long') } },
    { action: 'disclose', reason: 'CONSENT' },
    { references: [digestOf('a'), digestOf('a')] },
    { references: ['a', 'b', 'c', 'd', 'e'].map(digestOf) },
    { references: ['free words'] },
    { counter: 0 },
    { counter: 1, previous: digestOf('x') },
    { counter: 1.5 },
    { expiresAtMs: AT_MS },
    { expiresAtMs: AT_MS + LIFETIME_MS_MAX + 1 },
    { dock: 'Site/Dock' as DockId },
    { rolesVersion: 0 },
  ];
  for (const changes of wrong) {
    assert.is(
      code(() => formatOrder(orderOf(changes))),
      'NOTE_INVALID',
      JSON.stringify(changes),
    );
  }
});

formats('every action has a reason, a subject and somebody who may order it', () => {
  for (const action of ACTION_NAMES) {
    const { reasons, subjects, roles, signers, among } = ruleOf(action);
    assert.ok(reasons.length > 0 && subjects.length > 0 && roles.length > 0, action);
    assert.ok(signers <= 2 && (among === undefined || roles.includes(among)), action);
  }
});

formats('roles are believed when the root has signed them for this dock', () => {
  const believe = (note: string, dock = DOCK) =>
    code(() => verifyRoles(note, { rootKey: ROOT_KEY, dock, crypto: testCrypto }));
  assert.is(believe(rolesNote()), 'accepted');
  assert.is(believe(rolesNote(rolesOf(1, 'site-1/*'))), 'accepted');
  assert.is(believe(rolesNote(rolesOf(1, 'site-2/*'))), 'ROLES_INVALID');
  assert.is(believe(rolesNote(rolesOf(), PEOPLE.officer)), 'ROLES_INVALID');
  const namesake = testSigner(PEOPLE.root.name, 77);
  assert.is(believe(rolesNote(rolesOf(), namesake)), 'ROLES_INVALID');
  assert.is(believe(rolesNote().replace('operator-1', 'operator-9')), 'ROLES_INVALID');
  assert.is(
    believe(
      sign(
        orderOf({
          action: 'policy',
          reason: 'POLICY-CHANGE',
          subject: { kind: 'policy', id: digestOf('p') },
        }),
        'root',
      ),
    ),
    'ROLES_INVALID',
  );
});

formats('a roles file cannot make another root, nor one person two', () => {
  const { name, publicKey } = PEOPLE.stranger;
  const stranger = ed25519Key(name, publicKey);
  const withRoot: RolesFile = { ...rolesOf(), keys: [{ key: stranger, roles: ['root'] }] };
  const root = { rootKey: ROOT_KEY, dock: DOCK, crypto: testCrypto };
  assert.is(
    code(() => verifyRoles(rolesNote(withRoot), root)),
    'ROLES_INVALID',
  );
  const alias = { ...stranger, name: 'council/other' };
  for (const keys of [
    [stranger, stranger],
    [stranger, alias],
  ]) {
    const roles = {
      ...rolesOf(),
      keys: keys.map((key) => ({ key, roles: ['operator'] as const })),
    };
    assert.is(
      code(() => formatRoles(roles, sha256)),
      'NOTE_INVALID',
    );
  }
});

formats('roles keep through text, and in no other spelling', () => {
  const text = formatRoles(rolesOf(7), sha256);
  assert.is(formatRoles(parseRoles(text, sha256), sha256), text);
  for (const [from, to] of [
    ['version 7', 'version 07'],
    ['version 7', 'version 0'],
    ['operator\n', 'boss\n'],
    ['operator\n', 'operator,operator\n'],
    ['docks */*', 'docks *'],
  ] as const) {
    assert.not(code(() => parseRoles(text.replace(from, to), sha256)) === 'accepted', to);
  }
});

formats('a certificate keeps through text', () => {
  const certificate: Certificate = {
    ...{ dock: DOCK, clip: clipNumber(1), commitment: digestOf('c'), sizeBytes: 9, segments: 1 },
    ...{ begunIndex: 4, atMs: AT_MS },
    reason: 'ERASURE-GRANTED',
    source: 'witness',
  };
  for (const each of [certificate, { ...certificate, commitment: '' }]) {
    assert.equal(parseCertificate(formatCertificate(each)), each);
  }
  assert.is(
    code(() => parseCertificate(formatCertificate(certificate).replace('witness', 'jane'))),
    'NOTE_INVALID',
  );
});

formats('whatever a broker sends is parsed or refused, and never thrown at', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.json().map(utf8)), (payload) => {
      for (const parse of [parseNoteMessage, parseOrderAnswer, parseOrdersBody]) parse(payload);
    }),
    { numRuns: 2_000 },
  );
  assert.is(parseNoteMessage(utf8(JSON.stringify({ note: 'x'.repeat(50_000) }))), undefined);
  const spoken = utf8(
    JSON.stringify({ status: 'discarded', detail: '\u001b[2J\u202e', code: 'a b' }),
  );
  assert.equal(parseOrderAnswer(spoken), { status: 'discarded', detail: '?[2J?' });
});

formats('a centre keeps what it sent, and sees it grow stale', () => {
  const order = orderOf();
  const sent = recordSent(NOTHING_SENT, {
    order,
    digest: digestOf('1'),
    note: sign(order, 'operator'),
  });
  assert.equal(parseCentreState(JSON.parse(JSON.stringify(sent))), sent);
  assert.is(recordSent(sent, { order, digest: digestOf('1'), note: '' }), sent);
  assert.equal(staleOrders(sent, AT_MS + DAY_MS), []);
  assert.is(staleOrders(sent, AT_MS + DAY_MS + 1).length, 1);
  for (const wrong of [null, {}, { ...sent, counter: -1 }, { ...sent, pending: [{}] }]) {
    assert.is(parseCentreState(wrong), undefined);
  }
});

formats.run();

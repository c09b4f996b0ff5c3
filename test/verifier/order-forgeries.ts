import type { FindingName } from '../../src/verifier/report.ts';
import { KEYS } from '../app/bench.ts';
import { PEOPLE, rolesNote, rolesOf, signText } from '../core/orders/kit.ts';
import { digestOf, type Forged, firstTwice, orderPath, signedBy, withoutLast } from './forge.ts';
import { sha256Hex } from './kit.ts';

export type Case = readonly [what: string, forge: (forged: Forged) => void, names: FindingName[]];

/** Of the files alone. */
export const ON_FILES: readonly Case[] = [
  ['an order that is missing', (f) => f.texts.delete(orderPath(3)), ['ORDER_MISSING']],
  ['a refused order that is missing', (f) => f.texts.delete(orderPath(2)), ['ORDER_MISSING']],
  [
    'an altered order',
    (f) => f.change(orderPath(1), (note) => note.replace('INVESTIGATION', 'COMPLAINT')),
    ['ORDER_ALTERED', 'ORDER_ENTRY', 'ORDER_SIGNATURE', 'ORDER_THRESHOLD'],
  ],
  [
    'an order that is no order',
    (f) => f.change(orderPath(1), (note) => note.replace('action hold', 'action burn')),
    ['ORDER_ALTERED', 'ORDER_MALFORMED'],
  ],
  ['one signature short', (f) => f.change(orderPath(3), withoutLast), ['ORDER_THRESHOLD']],
  ['the same person twice', (f) => f.change(orderPath(3), firstTwice), ['ORDER_THRESHOLD']],
  [
    'a refused order that too few have signed',
    (f) => f.change(orderPath(2), withoutLast),
    ['ORDER_THRESHOLD'],
  ],
  [
    'a disposal that the protection officer has not signed',
    (f) => {
      f.change(orderPath(6), (note) => {
        const text = note.slice(0, note.indexOf('\n\n') + 1);
        return signText(text, PEOPLE.operator2, PEOPLE.evidence);
      });
    },
    ['ORDER_THRESHOLD'],
  ],
  [
    'a signature under the id of somebody else',
    (f) => f.change(orderPath(7), (note) => signedBy(note, { ...PEOPLE.stranger, name: 'x' })),
    ['ORDER_THRESHOLD'],
  ],
  [
    'roles that another key has signed',
    (f) => f.put('orders/roles-0000000001.note', signedBy(rolesNote(), PEOPLE.stranger)),
    ['ROLES_SIGNATURE'],
  ],
  [
    'old roles that are missing',
    (f) => f.texts.delete('orders/roles-0000000001.note'),
    ['ORDER_THRESHOLD', 'ROLES_MISSING'],
  ],
  [
    'roles that are no roles',
    (f) => f.change('orders/roles.note', (note) => note.replace('docks', 'rocks')),
    ['ROLES_MALFORMED', 'ROLES_SIGNATURE'],
  ],
  ['a strange file', (f) => f.put('orders/list.txt', 'x'), ['UNEXPECTED_FILE']],
  ['a strange order', (f) => f.put(orderPath(9), 'x'), ['UNEXPECTED_FILE']],
  [
    'the certificate of a clip that stays',
    (f) => f.put(`certificates/${f.kept.id}.note`, f.text(f.certificatePath)),
    ['UNEXPECTED_FILE'],
  ],
  [
    'a certificate that is missing',
    (f) => f.texts.delete(f.certificatePath),
    ['CERTIFICATE_MISSING'],
  ],
  [
    'another certificate of the clip',
    (f) =>
      f.change(f.certificatePath, (n) => signedBy(n.replace('reason E', 'reason F'), KEYS.log)),
    ['CERTIFICATE_DIGEST', 'CERTIFICATE_FIELDS', 'CERTIFICATE_SIGNATURE'],
  ],
];

/** With the dock's keys. */
export const WITH_THE_KEY: readonly Case[] = [
  [
    'an order for another dock',
    (f) => {
      const elsewhere = { subject: f.kept, dock: 'site-1/dock-2' as never };
      f.order({ ...elsewhere, action: 'lift', reason: 'CASE-CLOSED' }, ['evidence', 'officer']);
      f.enter('hold-lifted', `clip ${f.kept.id}`);
    },
    ['ORDER_OTHER_DOCK'],
  ],
  ['an order that is replayed', (f) => f.replay(7, { subject: f.kept }), ['ORDER_SEQUENCE']],
  ['an order of nobody', (f) => f.order({ subject: f.kept }, ['stranger']), ['ORDER_THRESHOLD']],
  [
    'an order of somebody whose role was taken away',
    (f) => f.order({ subject: f.kept }, ['operator']),
    ['ORDER_THRESHOLD'],
  ],
  [
    'an order under roles that are not in force',
    (f) => f.order({ subject: f.kept, rolesVersion: 1 }, ['officer']),
    ['ORDER_ROLES'],
  ],
  [
    'an order that follows another than the last',
    (f) => f.order({ subject: f.kept, previous: 'ab'.repeat(32) }, ['officer']),
    ['ORDER_SEQUENCE'],
  ],
  [
    'an order of a key that was revoked',
    (f) => {
      const key = /key (\S+) evidence/.exec(f.text('orders/roles.note'))?.[1] ?? '';
      const subject = { kind: 'key', id: sha256Hex(Buffer.from(key)) } as const;
      f.order({ subject, action: 'revoke', reason: 'STOLEN' }, ['root']);
      f.order({ subject: f.kept }, ['evidence']);
    },
    ['ORDER_THRESHOLD'],
  ],
  [
    'an entry that makes a lift of a hold',
    (f) => {
      f.order({ subject: f.kept }, ['officer'], { action: 'lift', reason: 'CASE-CLOSED' });
      f.enter('hold-lifted', `clip ${f.kept.id}`);
    },
    ['ORDER_ENTRY'],
  ],
  [
    'a lift without an order',
    (f) => f.enter('hold-lifted', `clip ${f.kept.id}`),
    ['RULE_WITHOUT_ORDER'],
  ],
  [
    'a second lift by one order',
    (f) => {
      const lift = { subject: f.kept, action: 'lift', reason: 'CASE-CLOSED' } as const;
      f.order(lift, ['evidence', 'officer']).enter('hold-lifted', `clip ${f.kept.id}`);
      f.enter('hold-placed', `clip ${f.kept.id}`, 'reason INCIDENT');
      f.enter('hold-lifted', `clip ${f.kept.id}`);
    },
    ['RULE_WITHOUT_ORDER'],
  ],
  [
    'a restriction without an order',
    (f) => f.enter('clip-restricted', `clip ${f.kept.id}`, 'reason OBJECTION'),
    ['RULE_WITHOUT_ORDER'],
  ],
  [
    'a disposal without an order',
    (f) => f.enter('disposal-begun', `clip ${f.kept.id}`, 'reason COURT-ORDER'),
    ['RULE_DISPOSED_WHILE_HELD', 'RULE_WITHOUT_ORDER'],
  ],
  [
    'a lift by an order to hold',
    (f) => f.order({ subject: f.kept }, ['officer']).enter('hold-lifted', `clip ${f.kept.id}`),
    ['RULE_WITHOUT_ORDER'],
  ],
  [
    'an act of the centre that nobody can order',
    (f) => f.enter('incident-marked', `clip ${f.kept.id}`),
    ['RULE_WITHOUT_ORDER'],
  ],
  [
    'the end of a disposal that no order began',
    (f) => {
      const certificate = `certificate ${'ab'.repeat(32)}`;
      f.enter('clip-disposed', `clip ${f.kept.id}`, 'reason COURT-ORDER', certificate);
    },
    [
      ...(['CERTIFICATE_MISSING', 'RULE_DISPOSED_NOT_BEGUN'] as const),
      ...(['RULE_DISPOSED_WHILE_HELD', 'RULE_WITHOUT_ORDER'] as const),
    ],
  ],
  [
    'a disposal by the order for another clip',
    (f) => {
      const lift = { subject: f.kept, action: 'lift', reason: 'CASE-CLOSED' } as const;
      f.order(lift, ['evidence', 'officer']).enter('hold-lifted', `clip ${f.kept.id}`);
      const dispose = { action: 'dispose', reason: 'COURT-ORDER' } as const;
      f.order(dispose, ['officer', 'evidence']);
      f.enter('disposal-begun', `clip ${f.kept.id}`, 'reason COURT-ORDER');
    },
    ['RULE_WITHOUT_ORDER'],
  ],
  [
    'an order that was accepted and not obeyed',
    (f) => {
      const lift = { subject: f.kept, action: 'lift', reason: 'CASE-CLOSED' } as const;
      f.order(lift, ['evidence', 'officer']);
    },
    ['RULE_ORDER_NOT_DONE'],
  ],
  [
    'roles that nobody has signed, and an order under them',
    (f) => {
      const note = signedBy(rolesNote(rolesOf(3)), PEOPLE.stranger);
      f.put('orders/roles.note', note).enter(
        'roles-accepted',
        'version 3',
        `roles ${digestOf(note)}`,
      );
      f.order({ subject: f.kept, rolesVersion: 3 }, ['operator']);
    },
    ['ROLES_SIGNATURE'],
  ],
  [
    'roles that are older than those before them',
    (f) => f.enter('roles-accepted', 'version 1', `roles ${digestOf(rolesNote())}`),
    ['ROLES_SEQUENCE'],
  ],
  [
    'roles for other docks',
    (f) => {
      const note = rolesNote(rolesOf(3, 'other/*'));
      f.put('orders/roles.note', note).enter(
        'roles-accepted',
        'version 3',
        `roles ${digestOf(note)}`,
      );
    },
    ['ROLES_OTHER_DOCK'],
  ],
  [
    'a certificate that somebody else has signed',
    (f) => certify(f, (note) => signedBy(note, PEOPLE.stranger)),
    ['CERTIFICATE_SIGNATURE'],
  ],
  [
    'a certificate of another size',
    (f) => certify(f, (note) => signedBy(note.replace('size 9000', 'size 9001'), KEYS.manifest)),
    ['CERTIFICATE_FIELDS'],
  ],
  [
    'a certificate of another disposal',
    (f) => {
      const other = (note: string) => note.replace(/begun (\d+)/, (_, at) => `begun ${at - 1}`);
      certify(f, (note) => signedBy(other(note), KEYS.manifest));
    },
    ['CERTIFICATE_FIELDS'],
  ],
  [
    'a certificate that is none',
    (f) => certify(f, (note) => signedBy(note.replace('size 9000', 'size x'), KEYS.manifest)),
    ['CERTIFICATE_MALFORMED'],
  ],
];

/** Another certificate, whose digest the log is given. */
function certify(f: Forged, change: (note: string) => string): void {
  const before = sha256Hex(Buffer.from(f.text(f.certificatePath)));
  f.change(f.certificatePath, change);
  const digest = sha256Hex(Buffer.from(f.text(f.certificatePath)));
  f.rewrite(`certificate ${before}`, `certificate ${digest}`);
}

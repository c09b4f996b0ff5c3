// timeout: 120
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkDock } from '../../src/verifier/dock.ts';
import type { Policy } from '../../src/verifier/formats/policy.ts';
import type { Report } from '../../src/verifier/report.ts';
import { rolesNote, rolesOf } from '../core/orders/kit.ts';
import { Forged, orderPath } from './forge.ts';
import { type Files, namesOf, numbersFrom, rememberingCrypto, sourceOf } from './kit.ts';
import {
  folderOf,
  makeOrdered,
  type Ordered,
  OTHER_ROOT,
  POLICY,
  ROOTLESS,
} from './order-folder.ts';
import { ON_FILES, WITH_THE_KEY } from './order-forgeries.ts';

const orders = suite('docket-verify: orders');
const crypto = rememberingCrypto();
/** `operator` may sign no more. */
const ROLES_2 = rolesNote({ ...rolesOf(2), keys: rolesOf().keys.slice(1) });
let made: Ordered;

orders.before(async () => {
  made = await makeOrdered(ROLES_2);
});

async function check(files: Files, policy: Policy = POLICY): Promise<Report> {
  return await checkDock(sourceOf(files), policy, crypto);
}

/** What is found, but for the clip that no vault holds here. */
function found(report: Report): string[] {
  return namesOf(report).filter((name) => name !== 'ENTRY_WITHOUT_CLIP');
}

function kept() {
  return { kind: 'clip', id: made.clips[1] ?? '' } as const;
}

orders('are verified as the runtime took them, with roles that changed in between', async () => {
  const report = await check(folderOf(made));
  assert.equal(found(report), []);
  assert.equal(
    report.notes.filter(({ name }) => name !== 'NOT_EVIDENCE'),
    [],
  );
  const kinds = [...made.texts.keys()].filter((path) => /^orders\/\d/.test(path));
  assert.is(kinds.length, 14);
});

for (const [what, forge, names] of [...ON_FILES, ...WITH_THE_KEY]) {
  orders(`names ${what}`, async () => {
    const forged = new Forged(made);
    assert.equal(found(await check(folderOf(forged))), []);
    forge(forged);
    assert.equal(found(await check(folderOf(forged))), names);
  });
}

orders('names receipts of another past, which the dock has signed too', async () => {
  const forged = new Forged(made).rewrite('clean yes', 'clean no');
  const report = await check(folderOf({ leaves: forged.leaves, texts: made.texts }));
  assert.equal(found(report), ['ORDER_RECEIPT']);
});

orders('a chain that goes on in good order is verified', async () => {
  const forged = new Forged(made);
  const lift = { subject: kept(), action: 'lift', reason: 'CASE-CLOSED' } as const;
  forged.order(lift, ['evidence', 'officer']).enter('hold-lifted', `clip ${kept().id}`);
  const policy = { kind: 'policy', id: 'ab'.repeat(32) } as const;
  forged.order({ subject: policy, action: 'policy', reason: 'POLICY-CHANGE' }, ['root']);
  const consent = { action: 'disclose', reason: 'CONSENT', references: ['cd'.repeat(32)] } as const;
  forged.order({ subject: kept(), ...consent }, ['evidence']);
  assert.equal(found(await check(folderOf(forged))), []);
});

orders(
  'says of an order that was cut off before its entry that it was not carried out',
  async () => {
    const forged = new Forged(made).put(orderPath(8), 'x');
    const report = await check(folderOf(forged));
    assert.equal(found(report), []);
    assert.ok(report.notes.some(({ name }) => name === 'ORDER_NOT_ENTERED'));
  },
);

orders('believes no roles under another root key', async () => {
  const report = await check(folderOf(made), OTHER_ROOT);
  assert.ok(namesOf(report).includes('ROLES_SIGNATURE'));
});

orders('fails nothing without a root key, and says that it did not look', async () => {
  const forged = new Forged(made);
  forged.texts.delete(orderPath(3));
  forged.enter('hold-lifted', `clip ${kept().id}`);
  const report = await check(folderOf(forged), ROOTLESS);
  assert.equal(found(report), []);
  assert.ok(report.notes.some(({ name }) => name === 'ORDERS_NOT_CHECKED'));
});

orders('looks in a mirror of the log at what the entries tell', async () => {
  const whole = new Forged(made);
  const files = folderOf({ ...made, texts: new Map() });
  files.delete('cache.json');
  const report = await check(files);
  assert.equal(report.findings, []);
  assert.ok(report.notes.some(({ name }) => name === 'ORDERS_NOT_CHECKED'));
  whole.enter('hold-lifted', `clip ${kept().id}`);
  whole
    .replay(7, { subject: kept() })
    .enter('order-refused', 'counter 8', `order ${'ab'.repeat(32)}`, 'reason CLIP_HELD');
  const spoiled = folderOf({ leaves: whole.leaves, texts: new Map() });
  spoiled.delete('cache.json');
  assert.equal(namesOf(await check(spoiled)), [
    'ORDER_SEQUENCE',
    'RULE_ORDER_NOT_DONE',
    'RULE_WITHOUT_ORDER',
  ]);
});

orders('no bit of an order, of roles, a receipt or a certificate flips unseen', async () => {
  const files = folderOf(made);
  const random = numbersFrom(11);
  for (const [path, bytes] of made.texts) {
    for (let turn = 0; bytes !== undefined && turn < 20; turn++) {
      const at = random(bytes.length);
      const flipped = Uint8Array.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << random(8));
      const report = await check(new Map(files).set(path, flipped));
      const isNamed = report.findings.some((finding) => finding.path === path);
      assert.ok(isNamed, `${path}, byte ${at}: ${JSON.stringify(report.findings)}`);
    }
  }
});

orders.run();

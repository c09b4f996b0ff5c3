// timeout: 240
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type EmbeddedBroker,
  startEmbeddedBroker,
} from '../../src/adapters/mqtt/embedded-broker.ts';
import { readEntries } from './kit/evidence.ts';
import { docket, Program, ROOT, until } from './kit/programs.ts';
import { endSites, newSite, type Site } from './kit/site.ts';

const orders = suite('orders over a real broker');
const DOCK = 'leeds/dock-1';
let broker: EmbeddedBroker;
// What one dock has retained must not be read as the next one's.
orders.before.each(async () => {
  broker = await startEmbeddedBroker({ mqttPort: 0 });
});
orders.after.each(async () => {
  await endSites();
  await broker.stop();
});

const url = () => `mqtt://127.0.0.1:${broker.mqttPort}`;
const keyOf = (site: Site, role: string) => join(site.keysDir, `role-${role}.key`);

async function configured(site: Site): Promise<Record<string, unknown>> {
  const read = async (name: string) => (await readFile(join(site.keysDir, name), 'utf8')).trim();
  return {
    broker: { url: url() },
    witness: { key: await read('witness.pub'), jumpDays: 3_650 },
    orders: { rootKey: await read('role-root.pub'), rolesFile: join(site.keysDir, 'roles.note') },
  };
}

/** The word for the action, its clip, and the roles that sign. */
function order(site: Site, words: readonly string[], roles: readonly string[]) {
  const keys = roles.flatMap((role) => ['--key', keyOf(site, role)]);
  const to = ['--dock', DOCK, '--broker', url(), '--wait', '20', '--json'];
  return docket(...words, ...keys, ...to);
}

async function vaulted(site: Site): Promise<{ dock: Program; clip: string }> {
  await site.addCamera({ clips: [200_000] });
  const dock = await site.startDock(await configured(site));
  for (const camera of site.cameras) await site.plug(camera);
  await site.untilReleased(dock);
  const released = (await readEntries(site.dataDir)).find(({ kind }) => kind === 'clip-released');
  return { dock, clip: released?.clip ?? '' };
}

orders('what the council orders is done and proven, and what it may not order is not', async () => {
  const site = await newSite(1);
  const { dock, clip } = await vaulted(site);
  const held = await order(site, ['hold', clip, '--reason', 'INVESTIGATION'], ['operator']);
  assert.is(held.code, 0, held.stderr);
  const { counter, status } = JSON.parse(held.stdout) as Record<string, unknown>;
  assert.equal([counter, status], [1, 'accepted']);

  const alone = await order(site, ['lift', clip, '--reason', 'CASE-CLOSED'], ['operator']);
  assert.is(alone.code, 1);
  assert.match(alone.stderr, /ORDER_SIGNATURES_MISSING.*1 more of/);

  const lift = ['lift', clip, '--reason', 'CASE-CLOSED'];
  const timeless = await order(site, lift, ['operator', 'evidence-manager']);
  assert.is(timeless.code, 1, timeless.stderr);
  assert.match(timeless.stdout, /"refused","reason":"TIME_UNKNOWN"/);

  const at = ['--broker', url(), '--keys', site.keysDir, '--data', join(site.folder, 'mirror')];
  const witness = new Program(['witness', ...at]);
  try {
    await witness.until('a cosignature', () =>
      witness.lines.some((line) => line.includes('cosigned')) ? true : undefined,
    );
    // The dock may still be on its way to believe the time.
    await until('a lift', async () => {
      const { code } = await order(site, lift, ['operator', 'evidence-manager']);
      return code === 0 ? true : undefined;
    });
    const file = join(site.folder, 'order.note');
    const people = ['--key', keyOf(site, 'operator'), '--dock', DOCK, '--sign-only', '--out', file];
    const words = ['dispose', clip, '--reason', 'ERASURE-GRANTED'];
    const first = await docket(...words, ...people);
    assert.match(first.stdout, /Not enough yet: .*protection-officer/, first.stderr);
    const second = await docket('sign', file, '--key', keyOf(site, 'protection-officer'));
    assert.match(second.stdout, /It is complete/, second.stderr);
    const sent = await docket('send', file, '--broker', url(), '--keys', site.keysDir);
    assert.is(sent.code, 0, sent.stderr);
    assert.match(sent.stdout, /order \d+ accepted/);
    assert.not(existsSync(join(site.dataDir, 'vault', clip)));
    assert.ok(existsSync(join(site.dataDir, 'certificates', `${clip}.note`)));
  } finally {
    await witness.kill('SIGTERM');
  }
  assert.is((await dock.kill('SIGTERM')).code, 0);
  const pending = await docket('pending', '--keys', site.keysDir, '--json');
  assert.equal(JSON.parse(pending.stdout), { pending: [] });
  const verifier = `${ROOT}dist/src/verifier/docket-verify.js`;
  const policy = ['--policy', join(site.keysDir, 'verify-policy.txt')];
  const verified = spawnSync(process.execPath, [verifier, site.dataDir, ...policy]);
  assert.is(verified.status, 0, `${verified.stdout}${verified.stderr}`);
});

orders('old orders, replayed across restarts and kills, run at most once', async () => {
  const site = await newSite(1);
  const { dock, clip } = await vaulted(site);
  let running = dock;
  const notes: string[] = [];
  const state = join(site.keysDir, 'orders-state.json');
  for (const action of ['hold', 'restrict', 'access']) {
    const reason = { hold: 'APPEAL', restrict: 'OBJECTION' }[action] ?? 'REQUEST-RECEIVED';
    const out = join(site.folder, `${action}.note`);
    const words = [action, clip, '--reason', reason, '--out', out];
    const sent = await order(site, words, ['protection-officer']);
    assert.is(sent.code, 0, sent.stderr);
    notes.push(out);
  }
  const newest = await readFile(state, 'utf8');
  for (const [round, note] of [...notes, ...[...notes].reverse()].entries()) {
    await running.kill(round % 2 === 0 ? 'SIGKILL' : 'SIGTERM');
    running = await site.startDock(await configured(site));
    // A centre that forgot everything sends whatever it finds.
    const counter = notes.indexOf(note);
    await rm(state);
    const before = JSON.parse(newest)[DOCK] as Record<string, unknown>;
    const text = await readFile(note, 'utf8');
    const previous = /^previous (\w+)$/m.exec(text)?.[1];
    const past = { ...before, counter, previous, pending: [] };
    await writeFile(state, JSON.stringify({ [DOCK]: past }));
    const sent = await docket('send', note, '--broker', url(), '--keys', site.keysDir);
    assert.is(sent.code, 0, sent.stderr);
    assert.match(sent.stdout, new RegExp(`order ${counter + 1} accepted`));
  }
  await running.kill('SIGTERM');
  const kinds = (await readEntries(site.dataDir)).map(({ kind }) => kind);
  const countOf = (kind: string) => kinds.filter((each) => each === kind).length;
  assert.equal(
    ['order-accepted', 'hold-placed', 'clip-restricted', 'order-refused'].map(countOf),
    [3, 1, 1, 0],
  );
});

orders.run();

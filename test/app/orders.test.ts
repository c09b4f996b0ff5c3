// timeout: 240
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ed25519Key, parseNote, verifyNote } from '../../src/core/custody/note.ts';
import type { ClipId } from '../../src/core/evidence/clip.ts';
import { parseCertificate } from '../../src/core/orders/certificate.ts';
import { ANSWER_PATH, ORDERS_PATH, type OrderAnswer } from '../../src/core/orders/messages.ts';
import { NO_ORDER, type Order, orderDigest } from '../../src/core/orders/order.ts';
import { verifyOrderReceipt } from '../../src/core/orders/receipt.ts';
import type { TrustedNow } from '../../src/core/time/trusted-time.ts';
import { cosign } from '../../src/core/witness/cosignature.ts';
import { sha256, testCrypto } from '../core/custody/keys.ts';
import {
  AT_MS,
  DAY_MS,
  orderOf,
  PEOPLE,
  type Person,
  ROOT_KEY,
  rolesNote,
  rolesOf,
  sign,
} from '../core/orders/kit.ts';
import { WITNESS, WITNESS_KEY } from '../core/witness/kit.ts';
import { Power } from '../fakes/power.ts';
import { type Bench, bytesOf, KEYS, type Run, settle, until } from './bench.ts';
import { stateOf } from './oracles.ts';
import { promisesOf, watchedCamera } from './promise.ts';

const orders = suite('orders of a dock');
const promise = promisesOf(orders);
const LOG_KEY = ed25519Key(KEYS.log.name, KEYS.log.publicKey);
const KNOWN: TrustedNow = {
  ...{ kind: 'known', earliestMs: AT_MS + 1, latestMs: AT_MS + 2, source: 'witness' },
};

function trust(bench: Bench): void {
  bench.authority = { rootKey: ROOT_KEY, configuredRoles: rolesNote() };
}

/** A dock that has released one clip, and knows the time. */
async function withClip(bench: Bench): Promise<{ run: Run; clip: ClipId }> {
  trust(bench);
  const run = await bench.start();
  run.link.plug(1, watchedCamera(bench, [{ bytes: bytesOf(300_000) }]));
  await until(run, () => bench.kinds.includes('clip-released'));
  run.link.unplugAll();
  await settle();
  const [clip] = [...stateOf(bench).clips.values()].map((status) => status.clip);
  assert.ok(clip);
  return { run: timed(run), clip };
}

function timed(run: Run, now: TrustedNow = KNOWN): Run {
  run.evidence.time.now = () => now;
  return run;
}

async function again(bench: Bench, power = new Power()): Promise<Run> {
  const run = timed(bench.compose(power));
  await run.dock.start();
  return run;
}

/** The people of a centre, and the chain of what they ordered. */
class Chain {
  counter = 0;
  previous = NO_ORDER;
  readonly notes: string[] = [];

  next(changes: Partial<Order>, ...people: Person[]): string {
    this.counter += 1;
    const note = sign(
      orderOf({ counter: this.counter, previous: this.previous, ...changes }),
      ...people,
    );
    this.previous = orderDigest(parseNote(note).text, sha256);
    this.notes.push(note);
    return note;
  }
}

async function send(run: Run, note: string): Promise<OrderAnswer> {
  run.broker.say('cmd/order', { note });
  await settle();
  return lastAnswer(run);
}

function lastAnswer(run: Run): OrderAnswer {
  const answer = run.broker.events.findLast(({ path }) => path === ANSWER_PATH);
  return (answer?.body ?? { status: 'none' }) as unknown as OrderAnswer;
}

function proven(answer: OrderAnswer) {
  return verifyOrderReceipt(answer.receipt ?? '', { logKey: LOG_KEY, crypto: testCrypto });
}

/** A dock with a witness waits a little for its last cosignature. */
async function stopInTime(bench: Bench, run: Run): Promise<void> {
  let isStopped = false;
  const stopping = bench.stop(run).then(() => {
    isStopped = true;
  });
  await until(run, () => isStopped);
  await stopping;
}

function on(clip: ClipId) {
  return { subject: { kind: 'clip', id: clip } } as const;
}

promise(
  'a hold of one person is placed, and its receipt proves it to the centre',
  async (bench) => {
    const { run, clip } = await withClip(bench);
    const chain = new Chain();
    const note = chain.next(on(clip), 'operator');
    const { outcome, index } = proven(await send(run, note));
    assert.is(outcome.kind, 'order-accepted');
    assert.is(outcome.order, chain.previous);
    assert.is(bench.entries[index]?.kind, 'order-accepted');
    assert.is(stateOf(bench).clips.get(clip)?.held, true);
    assert.is(bench.orderStore.texts.get('1.note'), note);
    const { counter, previous } = run.broker.topics.get(ORDERS_PATH) as Record<string, unknown>;
    assert.equal([counter, previous], [1, chain.previous]);
    await bench.stop(run);
  },
);

promise('the same order again gets the same receipt, and nothing happens twice', async (bench) => {
  const { run, clip } = await withClip(bench);
  const chain = new Chain();
  const note = chain.next(on(clip), 'operator');
  const first = await send(run, note);
  const entries = bench.kinds.length;
  for (let time = 0; time < 5; time++) assert.equal(await send(run, note), first);
  assert.is(bench.kinds.length, entries);
  await send(run, chain.next({ ...on(clip), action: 'restrict', reason: 'OBJECTION' }, 'officer'));
  assert.equal(await send(run, note), first, 'also when the log has grown');
  await bench.stop(run);
});

promise('a dock without roles refuses every order and says so', async (bench) => {
  const run = timed(await bench.start());
  const answer = await send(run, new Chain().next({}, 'operator'));
  assert.is(answer.code, 'ROLES_MISSING');
  assert.is((run.broker.topics.get(ORDERS_PATH) as { roles: number }).roles, 0);
  assert.equal(bench.entriesOf('orders-discarded').length, 1);
  await bench.stop(run);
});

promise(
  'a refusal of signed people is an entry with its reason, and has its receipt',
  async (bench) => {
    const { run, clip } = await withClip(bench);
    const chain = new Chain();
    await send(run, chain.next(on(clip), 'operator'));
    const dispose = { ...on(clip), action: 'dispose', reason: 'ERASURE-GRANTED' } as const;
    const { outcome } = proven(await send(run, chain.next(dispose, 'operator', 'officer')));
    assert.is(outcome.kind, 'order-refused');
    assert.is(outcome.reason, 'CLIP_HELD');
    assert.ok(bench.vault.stored.has(clip));
    await bench.stop(run);
  },
);

promise('a flood of rubbish is one entry at first and one when the dock stops', async (bench) => {
  const { run } = await withClip(bench);
  for (let n = 0; n < 1_000; n++) run.broker.say('cmd/order', `rubbish ${n}`);
  await settle();
  for (let n = 0; n < 50; n++) await send(run, `docket/order/v1\nrubbish\n\n\u2014 a b\n`);
  await bench.stop(run);
  const discarded = bench.entriesOf('orders-discarded');
  assert.ok(discarded.length <= 4, `${discarded.length} entries`);
  const count = discarded.reduce((sum, entry) => sum + entry.count, 0);
  assert.is(count, 1_050);
});

promise(
  'an order to dispose removes the clip and leaves a certificate that the log names',
  async (bench) => {
    const { run, clip } = await withClip(bench);
    const chain = new Chain();
    const dispose = { ...on(clip), action: 'dispose', reason: 'ERASURE-GRANTED' } as const;
    const { outcome } = proven(await send(run, chain.next(dispose, 'operator', 'officer')));
    assert.is(outcome.kind, 'order-accepted');
    assert.not(bench.vault.stored.has(clip));
    assert.is(stateOf(bench).clips.get(clip)?.state, 'disposed');
    const note = bench.orderStore.texts.get(clip) ?? '';
    const key = ed25519Key(KEYS.manifest.name, KEYS.manifest.publicKey);
    const { ok, text = '' } = verifyNote(note, [key], testCrypto);
    assert.ok(ok);
    assert.is(parseCertificate(text).reason, 'ERASURE-GRANTED');
    const [entry] = bench.entriesOf('clip-disposed');
    assert.is(entry?.certificate, orderDigest(note, sha256));
    assert.is((await send(run, chain.next(on(clip), 'operator'))).status, 'answered');
    assert.is(bench.entriesOf('order-refused')[0]?.reason, 'CLIP_DISPOSED');
    await bench.stop(run);
  },
);

promise('a camera whose clip was disposed of shows no gap, also after a restart', async (bench) => {
  trust(bench);
  const camera = watchedCamera(bench, [{ bytes: bytesOf(10) }]);
  const first = await bench.start();
  first.link.plug(1, camera);
  await until(first, () => bench.kinds.includes('clip-released'));
  first.link.unplugAll();
  await settle();
  const [clip = '' as ClipId] = [...stateOf(bench).clips.values()].map((status) => status.clip);
  const dispose = { ...on(clip), action: 'dispose', reason: 'COURT-ORDER' } as const;
  await send(timed(first), new Chain().next(dispose, 'evidence', 'officer'));
  assert.is(stateOf(bench).clips.get(clip)?.state, 'disposed');
  await bench.stop(first);
  const run = await again(bench);
  run.link.plug(1, camera);
  await until(run, () => run.board.lightOf(1) === 'steady-green');
  assert.is(bench.entriesOf('counter-gap').length, 0);
  await bench.stop(run);
});

promise(
  'retention that has not ended in trusted time keeps the clip, whatever the dock’s clock says',
  async (bench) => {
    const { run, clip } = await withClip(bench);
    await run.clock.advance(90 * 86_400_000);
    timed(run);
    const dispose = { ...on(clip), action: 'dispose', reason: 'RETENTION-ENDED' } as const;
    await send(run, new Chain().next(dispose, 'operator', 'officer'));
    assert.is(bench.entriesOf('order-refused')[0]?.reason, 'CLIP_NOT_DUE');
    assert.ok(bench.vault.stored.has(clip));
    await bench.stop(run);
  },
);

promise(
  'a power cut after any one effect of a disposal is finished at the next start, once',
  async (bench) => {
    const { run: first, clip: kept } = await withClip(bench);
    await bench.stop(first);
    assert.ok(bench.vault.stored.has(kept));
    const chain = new Chain();
    for (let cut = 1; ; cut++) {
      const loaded = await again(bench);
      const camera = watchedCamera(bench, [{ bytes: bytesOf(150_000, cut) }], `CAM-${cut}`);
      loaded.link.plug(1, camera);
      await until(loaded, () => camera.erased.length === 1);
      loaded.link.unplugAll();
      await settle();
      await bench.stop(loaded);
      const clips = [...stateOf(bench).clips.values()];
      const clip =
        clips.find((each) => each.state === 'released' && each.clip !== kept)?.clip ?? kept;
      const power = new Power();
      const run = await again(bench, power);
      const dispose = { ...on(clip), action: 'dispose', reason: 'ERASURE-GRANTED' } as const;
      const note = chain.next(dispose, 'operator', 'officer');
      power.cutAfter(cut);
      await send(run, note);
      const isCut = power.isOff;
      power.cutAfter(Number.POSITIVE_INFINITY);
      if (isCut) bench.crash(run);
      else await bench.stop(run);
      const next = await again(bench);
      const state = () => stateOf(bench).clips.get(clip)?.state;
      const isBegun = bench
        .entriesOf('order-accepted')
        .some(({ order }) => order === chain.previous);
      assert.is(state(), isBegun ? 'disposed' : 'released', `cut ${cut}`);
      const { outcome } = proven(await send(next, note));
      assert.is(outcome.order, chain.previous);
      assert.is(state(), 'disposed', `cut ${cut}`);
      assert.not(bench.vault.stored.has(clip));
      assert.is(bench.entriesOf('clip-disposed').filter((each) => each.clip === clip).length, 1);
      await bench.stop(next);
      if (!isCut) break;
      assert.ok(cut < 60, 'a disposal ends');
    }
  },
);

promise('every old order, in any order and across crashes, runs at most once', async (bench) => {
  const { run: first, clip } = await withClip(bench);
  const chain = new Chain();
  const two: Person[] = ['operator', 'evidence'];
  chain.next(on(clip), 'operator');
  chain.next({ ...on(clip), action: 'lift', reason: 'CASE-CLOSED' }, ...two);
  chain.next({ ...on(clip), action: 'restrict', reason: 'OBJECTION' }, 'officer');
  chain.next({ ...on(clip), action: 'unrestrict', reason: 'CASE-CLOSED' }, ...two);
  chain.next(on(clip), 'evidence');
  let run = first;
  let seed = 1;
  for (let round = 0; round < 40; round++) {
    seed = (seed * 48_271) % 2_147_483_647;
    const note = chain.notes[seed % chain.notes.length] ?? '';
    run.broker.say('cmd/order', { note });
    if (seed % 3 === 0) await settle();
    if (seed % 2 === 0) {
      run.power.cutAfter(1 + (seed % 7));
      await settle();
      bench.crash(run);
      run = await again(bench);
    }
  }
  for (const note of chain.notes) await send(run, note);
  for (const note of [...chain.notes].reverse()) await send(run, note);
  const accepted = bench.entriesOf('order-accepted').map(({ order }) => order);
  assert.equal(
    accepted,
    chain.notes.map((note) => orderDigest(parseNote(note).text, sha256)),
  );
  assert.is(bench.entriesOf('hold-placed').length, 2);
  assert.is(bench.entriesOf('hold-lifted').length, 1);
  assert.is(stateOf(bench).clips.get(clip)?.held, true);
  await bench.stop(run);
});

promise(
  'roles of a higher version replace those before, and an older file never comes back',
  async (bench) => {
    const { run, clip } = await withClip(bench);
    const newer = { ...rolesOf(2), keys: rolesOf().keys.slice(0, 1) };
    for (const note of [rolesNote(rolesOf(2), PEOPLE.operator), rolesNote(rolesOf(3, 'other/*'))]) {
      run.broker.say('cmd/roles', { note });
      await settle();
      assert.is(lastAnswer(run).code, 'ROLES_INVALID');
    }
    run.broker.say('cmd/roles', { note: rolesNote(newer) });
    await settle();
    run.broker.say('cmd/roles', { note: rolesNote() });
    await settle();
    assert.is(lastAnswer(run).code, 'ROLES_INVALID');
    await bench.stop(run);
    const next = await again(bench);
    const chain = new Chain();
    const gone = await send(next, chain.next({ ...on(clip), rolesVersion: 2 }, 'evidence'));
    assert.is(gone.code, 'ORDER_UNSIGNED');
    const stays = sign(orderOf({ ...on(clip), rolesVersion: 2 }), 'operator');
    assert.is(proven(await send(next, stays)).outcome.kind, 'order-accepted');
    assert.equal(
      bench.entriesOf('roles-accepted').map(({ version }) => version),
      [1, 2],
    );
    await bench.stop(next);
  },
);

promise(
  'retention counts from the first cosignature over the clip, and ends on its day',
  async (bench) => {
    bench.witness = WITNESS_KEY;
    const { run, clip } = await withClip(bench);
    const checkpoint = bench.custody.checkpoints.at(-1) ?? '';
    for (const atMs of [AT_MS, AT_MS + 30 * DAY_MS]) {
      const by = { signer: WITNESS, atMs, kept: KEYS.log.name };
      bench.custody.cosigned.push(cosign(checkpoint, by, sha256));
    }
    const chain = new Chain();
    const expiresAtMs = AT_MS + 61 * DAY_MS;
    const times = { issuedAtMs: expiresAtMs - 10 * DAY_MS, expiresAtMs };
    const order = { ...on(clip), ...times, action: 'dispose', reason: 'RETENTION-ENDED' } as const;
    const endMs = AT_MS + 60 * DAY_MS + 1_000;
    for (const [earliestMs, outcome] of [
      [endMs - 1, 'order-refused'],
      [endMs, 'order-accepted'],
    ] as const) {
      timed(run, { kind: 'known', earliestMs, latestMs: endMs, source: 'witness' });
      const answer = await send(run, chain.next(order, 'operator', 'officer'));
      assert.is(proven(answer).outcome.kind, outcome);
    }
    assert.not(bench.vault.stored.has(clip));
    await stopInTime(bench, run);
  },
);

orders.run();

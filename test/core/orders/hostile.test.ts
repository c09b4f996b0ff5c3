// timeout: 300
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { overtaken, staleOrders } from '../../../src/core/orders/centre.ts';
import { seeded } from '../witness/kit.ts';
import { alter, forge, type Pick1, SimulatedCentre, SimulatedDock } from './hostile.ts';
import { AT_MS, DAY_MS } from './kit.ts';

const RUNS = 10_000;
const STEPS = 30;
const hostile = suite('hostile broker');

interface Run {
  readonly dock: SimulatedDock;
  readonly centre: SimulatedCentre;
  readonly toDock: string[];
  readonly toCentre: string[];
}

function step({ dock, centre, toDock, toCentre }: Run, pick: Pick1): void {
  const any = (list: readonly string[]) => list[pick(list.length)];
  const deliver = (note: string | undefined) => {
    const receipt = note === undefined ? undefined : dock.hear(note);
    if (receipt !== undefined) toCentre.push(receipt);
  };
  switch (pick(9)) {
    case 0:
    case 1:
      if (centre.state.counter < 5) toDock.push(centre.issue(pick));
      break;
    case 2:
    case 3:
      // Delayed, reordered, duplicated or never: whatever was ever sent.
      deliver(any(toDock));
      break;
    case 4:
      if (pick(3) === 0) deliver(forge(dock, pick));
      else deliver(toDock.length === 0 ? undefined : alter(any(toDock) ?? '', toDock, pick));
      break;
    case 5:
      deliver(centre.state.pending[0]?.note);
      break;
    case 6:
      dock.restart();
      break;
    case 7:
      centre.hear(any(toCentre) ?? '');
      break;
    default:
      centre.hear(toCentre.length === 0 ? '' : alter(any(toCentre) ?? '', toCentre, pick));
      if (pick(20) === 0) dock.nowMs += DAY_MS / 2;
  }
}

/** Every act follows an order that people signed for exactly that, which ran once. */
function checkEffects({ dock, centre }: Run, name: string): void {
  let action = '';
  let subject = '';
  const seen = new Set<string>();
  for (const act of dock.acts) {
    if (act.kind === 'order-accepted' || act.kind === 'order-refused') {
      const order = centre.signed.get(act.order);
      assert.ok(order, `${name}: it was signed`);
      assert.not(seen.has(act.order), `${name}: it runs once`);
      seen.add(act.order);
      assert.is(act.counter, order.counter);
      action = act.kind === 'order-accepted' ? order.action : 'none';
      subject = order.subject.id;
    } else {
      const allowed: Readonly<Record<string, readonly string[]>> = {
        hold: ['hold-placed'],
        lift: ['hold-lifted'],
        restrict: ['clip-restricted'],
        unrestrict: ['clip-unrestricted'],
        dispose: ['disposal-begun', 'clip-disposed'],
      };
      assert.ok(allowed[action]?.includes(act.kind), `${name}: ${act.kind} after ${action}`);
      assert.is('clip' in act ? act.clip : '', subject, name);
    }
  }
  assert.is(dock.state.misfits, 0, name);
}

/** Nothing is withheld in silence: what the centre has no proof of stands among its stale orders. */
function checkStaleness({ dock, centre }: Run, name: string): number {
  const stale = new Set(staleOrders(centre.state, AT_MS + DAY_MS + 1).map(({ order }) => order));
  for (const digest of centre.signed.keys()) {
    const outcome = centre.receipts.get(digest);
    assert.is(stale.has(digest), outcome === undefined, `${name}: stale or proven`);
    if (outcome === undefined) continue;
    const act = dock.acts.find((each) => 'order' in each && each.order === digest);
    assert.is(act?.kind, outcome, `${name}: the receipt says what the log says`);
  }
  return stale.size;
}

hostile(
  `in ${RUNS} runs nothing happens that nobody ordered, and nothing is withheld in silence`,
  () => {
    const totals = { accepted: 0, refused: 0, stale: 0, acts: 0 };
    for (let seed = 0; seed < RUNS; seed++) {
      const random = seeded(seed);
      const pick: Pick1 = (count) => Math.floor(random() * count);
      const run = { dock: new SimulatedDock(), centre: new SimulatedCentre() };
      const full: Run = { ...run, toDock: [], toCentre: [] };
      for (let n = 0; n < STEPS; n++) step(full, pick);
      checkEffects(full, `seed ${seed}`);
      totals.stale += checkStaleness(full, `seed ${seed}`);
      totals.acts += full.dock.acts.length;
      for (const { kind } of full.dock.acts) {
        if (kind === 'order-accepted') totals.accepted += 1;
        if (kind === 'order-refused') totals.refused += 1;
      }
    }
    // A simulation in which nothing happens would promise nothing.
    assert.ok(totals.accepted > RUNS, `${totals.accepted} orders ran`);
    assert.ok(totals.refused > 100 && totals.stale > 1_000, JSON.stringify(totals));
  },
);

hostile(
  'every old order in every order, again and again across restarts, runs at most once',
  () => {
    const random = seeded(7);
    const pick: Pick1 = (count) => Math.floor(random() * count);
    const centre = new SimulatedCentre();
    const all = Array.from({ length: 5 }, () => centre.issue(pick));
    for (const order of permutations(all)) {
      const dock = new SimulatedDock();
      const counts: number[] = [];
      for (let round = 0; round < 6; round++) {
        for (const note of order) {
          dock.hear(note);
          dock.restart();
        }
        counts.push(dock.acts.filter(({ kind }) => kind.startsWith('order-')).length);
      }
      assert.is(counts.at(-1), all.length, 'each had its turn');
      const digests = dock.acts.flatMap((act) => ('order' in act ? [act.order] : []));
      assert.is(new Set(digests).size, digests.length);
      assert.equal(digests, [...centre.signed.keys()]);
    }
  },
);

hostile('a centre learns from a receipt that another one took its turn', () => {
  const pick = () => 0;
  const [one, two] = [new SimulatedCentre(), new SimulatedCentre()];
  const first = one.issue(pick);
  const rival = two.issue(() => 1);
  const dock = new SimulatedDock();
  dock.hear(rival);
  assert.is(dock.hear(first), undefined);
  const receipt = dock.hear(rival) ?? '';
  const before = one.state;
  assert.ok(one.hear(receipt));
  const [outcome] = dock.acts.filter((act) => act.kind === 'order-accepted');
  assert.ok(outcome?.kind === 'order-accepted');
  assert.is(overtaken(before, { outcome } as never).length, 1);
  assert.equal(one.state.pending, []);
  assert.is(one.state.previous, outcome.order);
  assert.ok(dock.hear(one.issue(pick)));
});

function permutations<T>(list: readonly T[]): T[][] {
  if (list.length === 0) return [[]];
  return list.flatMap((item, at) =>
    permutations([...list.slice(0, at), ...list.slice(at + 1)]).map((rest) => [item, ...rest]),
  );
}

hostile.run();

import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type IngestCap, nextCap, startCap } from '../../../src/core/dock/ingest-cap.ts';

const cap = suite('the cap of the ingests');

interface Machine {
  readonly bays: number;
  /** Bytes a millisecond of one line. */
  readonly lineRate: number;
  /** Of processors and disk together, however many bays there are. */
  readonly sealRate: number;
  /** What each further bay at once costs the sealer: seeks. */
  readonly seekLoss?: number;
}

const PERIOD_MS = 500;

/** Bays that always have something, for so many periods. */
function settle(machine: Machine, periods: number, from: IngestCap): IngestCap {
  let state = from;
  for (let period = 0; period < periods; period++) {
    const { bays, lineRate, sealRate, seekLoss = 0 } = machine;
    const active = Math.min(state.cap, bays);
    const sealing = sealRate * Math.max(0.1, 1 - seekLoss * (active - 1));
    const rate = Math.min(active * lineRate, sealing);
    const placeMs = active * PERIOD_MS;
    const lineMs = (rate * PERIOD_MS) / lineRate;
    state = nextCap(state, {
      ...{ durationMs: PERIOD_MS, bytes: rate * PERIOD_MS, placeMs },
      ...{ sealMs: Math.max(0, placeMs - lineMs), kept: bays > active },
    });
  }
  return state;
}

const start = (cores: number, most?: number) => startCap({ bays: 8, cores, most });

cap('starts with what the processors can carry, within what is allowed', () => {
  assert.is(start(2).cap, 4);
  assert.is(start(4).cap, 8);
  assert.is(start(1).cap, 2);
  assert.is(start(4, 3).cap, 3);
  assert.is(startCap({ bays: 1, cores: 4, most: undefined }).cap, 1);
});

cap('lets all bays run at once on slow lines, within seconds', () => {
  const uart = { bays: 8, lineRate: 92, sealRate: 300_000 };
  assert.is(settle(uart, 4, start(1)).cap, 8);
});

cap('never goes over what the configuration allows', () => {
  const uart = { bays: 8, lineRate: 92, sealRate: 300_000 };
  assert.is(settle(uart, 40, start(1, 3)).cap, 3);
});

cap('goes down to the processors where the sealer is the limit', () => {
  const usb = { bays: 8, lineRate: 300_000, sealRate: 200_000 };
  assert.is(settle(usb, 20, start(4)).cap, 8, 'nobody waits: it makes no difference');
  assert.is(settle(usb, 20, start(2)).cap, 2);
});

cap('takes back a change that brought nothing, and leaves it for a while', () => {
  const loaded = { bays: 8, lineRate: 30_000, sealRate: 130_000, seekLoss: 0.04 };
  let state = start(2);
  const caps = Array.from({ length: 200 }, () => {
    state = settle(loaded, 1, state);
    return state.cap;
  });
  assert.ok(caps.includes(8), 'it was tried');
  assert.ok(caps.filter((at) => at === 4).length > 180, `${caps}`);
});

cap('stays between its bounds, whatever is measured', () => {
  const period = fc.record({
    durationMs: fc.nat(5_000),
    bytes: fc.nat(),
    placeMs: fc.nat(40_000),
    sealMs: fc.nat(40_000),
    kept: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(period),
      fc.nat(16),
      fc.integer({ min: 1, max: 64 }),
      (all, cores, most) => {
        let state = startCap({ bays: 8, cores, most });
        for (const one of all) {
          state = nextCap(state, one);
          assert.ok(state.cap >= state.least && state.cap <= Math.min(8, most));
        }
      },
    ),
  );
});

cap.run();

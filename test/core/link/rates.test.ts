import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RATES } from '../../../src/core/link/frame.ts';
import { isRateTooHigh, lowerRate } from '../../../src/core/link/rates.ts';

const rates = suite('rates');

rates('go down one step at a time and end above the base rate', () => {
  const steps: number[] = [];
  for (let rate = lowerRate(4_000_000, 115_200); rate !== undefined; ) {
    steps.push(rate);
    rate = lowerRate(rate, 115_200);
  }
  assert.equal(steps, RATES.slice(0, -1));
  assert.is(lowerRate(1_200_000, 115_200), 1_000_000);
  assert.is(lowerRate(460_800, 460_800), undefined);
  assert.is(lowerRate(115_200, 9_600), undefined);
});

const counters = (heardBytes: number, discardedBytes: number) => ({ heardBytes, discardedBytes });

rates('are too high when more than a quarter of what came is damaged', () => {
  const before = counters(1_000_000, 900_000);
  assert.is(isRateTooHigh(before, counters(1_010_000, 902_500)), false);
  assert.is(isRateTooHigh(before, counters(1_010_000, 902_501)), true);
});

rates('are not judged by a few bytes', () => {
  assert.is(isRateTooHigh(counters(0, 0), counters(4_095, 4_095)), false);
  assert.is(isRateTooHigh(counters(0, 0), counters(4_096, 4_096)), true);
});

rates.run();

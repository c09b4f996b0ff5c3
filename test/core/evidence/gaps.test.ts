import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findCounterGaps } from '../../../src/core/evidence/gaps.ts';

const gaps = suite('counter gaps');

gaps('finds none where every counter is known', () => {
  assert.equal(findCounterGaps([], 0), []);
  assert.equal(findCounterGaps([1, 2, 3], 3), []);
  assert.equal(findCounterGaps([3, 1, 2, 2], 3), []);
});

gaps('finds them before, between and after what is known', () => {
  assert.equal(findCounterGaps([3, 4, 7], 9), [
    { first: 1, last: 2 },
    { first: 5, last: 6 },
    { first: 8, last: 9 },
  ]);
  assert.equal(findCounterGaps([], 2), [{ first: 1, last: 2 }]);
});

gaps('counts a gap that was recorded as known, in whole and in part', () => {
  assert.equal(findCounterGaps([1, { first: 2, last: 4 }], 4), []);
  assert.equal(findCounterGaps([1, 3, { first: 2, last: 4 }], 6), [{ first: 5, last: 6 }]);
});

gaps('looks no further than the last counter', () => {
  assert.equal(findCounterGaps([1, 9], 3), [{ first: 2, last: 3 }]);
});

gaps('costs nothing by the number that a hostile camera claims', () => {
  assert.equal(findCounterGaps([5], Number.MAX_SAFE_INTEGER), [
    { first: 1, last: 4 },
    { first: 6, last: Number.MAX_SAFE_INTEGER },
  ]);
});

gaps('with what is known they cover every counter once', () => {
  const counter = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(fc.array(counter), fc.nat({ max: 40 }), (known, lastCounter) => {
      const found = findCounterGaps(known, lastCounter);
      for (let each = 1; each <= lastCounter; each++) {
        const covers = found.filter(({ first, last }) => first <= each && each <= last).length;
        assert.is(covers, known.includes(each) ? 0 : 1);
      }
      assert.ok(found.every(({ first, last }) => first >= 1 && last <= lastCounter));
    }),
  );
});

gaps.run();

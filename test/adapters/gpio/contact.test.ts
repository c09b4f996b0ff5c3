import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ContactState, newContact, nextContact } from '../../../src/adapters/gpio/contact.ts';

const contact = suite('contact');

const times = { debounceMs: 20, longPressMs: 800 };
type Reading = readonly [nowMs: number, isClosed: boolean];

function play(readings: readonly Reading[], from: ContactState = newContact(false, 0)) {
  let state = from;
  const presses: string[] = [];
  let lookAgainMs = Number.POSITIVE_INFINITY;
  for (const [nowMs, isClosed] of readings) {
    const step = nextContact(state, { isClosed, nowMs }, times);
    state = step.state;
    lookAgainMs = step.lookAgainMs;
    if (step.press !== undefined) presses.push(`${step.press} at ${nowMs}`);
  }
  return { state, presses, lookAgainMs };
}

contact('a bounce shorter than the rest is nothing', () => {
  const { state, presses } = play([
    [5, true],
    [10, false],
    [15, true],
    [24, false],
    [90, false],
  ]);
  assert.is(state.isClosed, false);
  assert.equal(presses, []);
});

contact('a short press is told when the button came up and rested', () => {
  const { presses } = play([
    [5, true],
    [25, true],
    [200, false],
    [220, false],
    [900, false],
  ]);
  assert.equal(presses, ['short at 220']);
});

contact('a long press is told while the button is down, once', () => {
  const readings: Reading[] = [
    [5, true],
    [25, true],
    [804, true],
    [805, true],
    [2000, true],
    [3000, false],
    [3020, false],
  ];
  assert.equal(play(readings).presses, ['long at 805']);
});

contact('a press whose edges were lost but whose level was read in time is still told', () => {
  assert.equal(
    play([
      [1000, true],
      [2000, true],
      [3000, false],
      [4000, false],
    ]).presses,
    ['long at 2000'],
  );
});

contact('a button that is down from the start says nothing until it was let go', () => {
  const held = play(
    [
      [900, true],
      [1000, false],
      [1020, false],
    ],
    newContact(true, 0),
  );
  assert.equal(held.presses, []);
  assert.equal(
    play(
      [
        [1100, true],
        [1120, true],
        [1200, false],
        [1220, false],
      ],
      held.state,
    ).presses,
    ['short at 1220'],
  );
});

contact('it asks to be read again when a rest or a long press falls due, and not otherwise', () => {
  assert.is(play([[5, true]]).lookAgainMs, 25);
  assert.is(
    play([
      [5, true],
      [25, true],
    ]).lookAgainMs,
    805,
  );
  assert.is(
    play([
      [5, true],
      [25, true],
      [805, true],
    ]).lookAgainMs,
    Number.POSITIVE_INFINITY,
  );
  assert.is(
    play([
      [5, true],
      [25, true],
      [90, false],
    ]).lookAgainMs,
    110,
  );
  assert.is(play([[5, false]]).lookAgainMs, Number.POSITIVE_INFINITY);
});

contact('whatever is read, each press is one closing, and only one kind', () => {
  const readings = fc.array(fc.tuple(fc.nat(500), fc.boolean()), { maxLength: 60 });
  const property = fc.property(readings, (steps) => {
    let state = newContact(false, 0);
    let nowMs = 0;
    let closings = 0;
    let presses = 0;
    for (const [laterMs, isClosed] of steps) {
      nowMs += laterMs;
      const step = nextContact(state, { isClosed, nowMs }, times);
      if (step.state.isClosed && !state.isClosed) closings++;
      if (step.press !== undefined) presses++;
      assert.ok(step.lookAgainMs > nowMs);
      state = step.state;
    }
    assert.ok(presses <= closings);
    assert.ok(closings - presses <= 1);
  });
  fc.assert(property, { numRuns: 2000 });
});

contact.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  initialTime,
  mayBeFloor,
  observeTime,
  TIME_POLICY,
  type TrustedTimeState,
  trustedNow,
} from '../../../src/core/time/trusted-time.ts';

const time = suite('trusted time');
const DAY_MS = 86_400_000;
const T0 = Date.UTC(2030, 0, 1);

/** The state after a cosignature of `cosignedAtMs` over a checkpoint made 100 ms before. */
function heard(state: TrustedTimeState, cosignedAtMs: number, monotonicMs: number) {
  const observation = {
    cosignedAtMs,
    madeAtMonotonicMs: monotonicMs - 100,
    receivedAtMonotonicMs: monotonicMs,
  };
  return observeTime(state, observation);
}

const STARTED = heard(initialTime(undefined), T0, 1_000).state;

function known(state: TrustedTimeState, monotonicMs: number) {
  const now = trustedNow(state, monotonicMs);
  if (now.kind !== 'known') throw new Error('the time is unknown');
  return now;
}

time('is unknown after a start, and says what it cannot be before', () => {
  assert.equal(trustedNow(initialTime(undefined), 0), { kind: 'unknown', floorMs: 0 });
  assert.equal(trustedNow(initialTime(T0), 9 * DAY_MS), { kind: 'unknown', floorMs: T0 });
});

time('is known with the first cosignature over what this run signed', () => {
  const now = known(STARTED, 1_000);
  assert.is(now.earliestMs, T0);
  assert.is(now.source, 'witness');
  // A whole second that the witness cut off, the way there and back, and its drift.
  assert.is(now.latestMs, T0 + 1_000 + 101);
});

time('moves with the monotonic clock alone, slower and faster than it by its drift', () => {
  const now = known(STARTED, 1_000 + DAY_MS);
  assert.is(now.earliestMs, T0 + DAY_MS - 17_280);
  assert.is(now.latestMs, T0 + 1_101 + DAY_MS + 17_280);
});

time('never goes back when the monotonic clock does', () => {
  assert.is(known(STARTED, 0).earliestMs, T0);
});

time('is not moved by a cosignature that comes again', () => {
  const later = heard(STARTED, T0 + DAY_MS, 1_000 + DAY_MS).state;
  const { state } = observeTime(later, {
    ...{ cosignedAtMs: T0, madeAtMonotonicMs: 900, receivedAtMonotonicMs: 1_000 + 2 * DAY_MS },
  });
  const atMs = 1_000 + 2 * DAY_MS;
  assert.ok(known(state, atMs).earliestMs >= known(later, atMs).earliestMs);
});

time('is narrowed by every fresh cosignature', () => {
  const later = known(heard(STARTED, T0 + DAY_MS, 1_000 + DAY_MS).state, 1_000 + DAY_MS);
  assert.is(later.earliestMs, T0 + DAY_MS);
  assert.is(later.latestMs, T0 + DAY_MS + 1_101);
});

time('is not moved on by a witness whose clock jumps, and doubts it', () => {
  for (const jumpMs of [120_000, DAY_MS, 400 * DAY_MS]) {
    const { state, verdict } = heard(STARTED, T0 + jumpMs, 2_000);
    assert.is(verdict, 'ahead');
    const now = known(state, 2_000);
    assert.ok(now.earliestMs <= T0 + 2_500, 'the lower bound stays');
    assert.ok(now.latestMs >= T0 + jumpMs, 'the upper bound covers both stories');
  }
});

time('gains no more than the drift from ten thousand small steps of a witness', () => {
  let state = STARTED;
  for (let step = 1; step <= 10_000; step++) {
    ({ state } = heard(state, T0 + step * 30_000, 1_000 + step * 1_000));
  }
  const passedMs = 10_000 * 1_000;
  const { earliestMs } = known(state, 1_000 + passedMs);
  assert.ok(earliestMs <= T0 + 1_200 + passedMs * 1.0003, `${earliestMs - T0}`);
});

time('is not moved by a witness that says an earlier time than it did', () => {
  const back = heard(STARTED, T0 - DAY_MS, 2_000);
  assert.is(back.verdict, 'behind');
  assert.equal(back.state, STARTED);
});

time('is unknown when the monotonic clock ran ahead of the witness, until they agree again', () => {
  const passedMs = 10 * DAY_MS;
  const ran = heard(STARTED, T0 + DAY_MS, 1_000 + passedMs);
  assert.is(ran.verdict, 'behind');
  assert.equal(trustedNow(ran.state, 1_000 + passedMs), { kind: 'unknown', floorMs: T0 });
  const right = heard(ran.state, T0 + passedMs + 5_000, 1_000 + passedMs + 5_000);
  assert.is(right.verdict, 'believed');
  assert.is(known(right.state, 1_000 + passedMs + 5_000).earliestMs, T0 + passedMs + 5_000);
});

time('starts from the floor that was kept: not before it, and not further on than the cap', () => {
  const { jumpMsMax } = TIME_POLICY;
  assert.is(heard(initialTime(T0), T0 - 61_000, 500).verdict, 'behind');
  assert.is(heard(initialTime(T0), T0, 500).verdict, 'believed');
  assert.is(heard(initialTime(T0), T0 + jumpMsMax, 500).verdict, 'believed');
  const far = heard(initialTime(T0), T0 + jumpMsMax + 1_000, 500);
  assert.is(far.verdict, 'ahead');
  assert.equal(trustedNow(far.state, 600), { kind: 'unknown', floorMs: T0 });
});

time('takes as the next floor only what lies between the last one and the cap', () => {
  const { jumpMsMax } = TIME_POLICY;
  assert.ok(mayBeFloor(T0, undefined));
  assert.ok(mayBeFloor(T0, T0));
  assert.ok(mayBeFloor(T0 + jumpMsMax, T0));
  assert.not.ok(mayBeFloor(T0 + jumpMsMax + 1, T0));
  assert.not.ok(mayBeFloor(T0 - 1, T0));
});

time('is unknown again after a month without a word, and does not lose its floor', () => {
  const atMs = 1_000 + TIME_POLICY.staleMsMax;
  assert.is(trustedNow(STARTED, atMs).kind, 'known');
  const now = trustedNow(STARTED, atMs + 1);
  assert.is(now.kind, 'unknown');
  assert.ok(now.kind === 'unknown' && now.floorMs > T0 + 29 * DAY_MS);
});

time('does not take the word of a witness whose time it doubts for a sign of life', () => {
  let { state } = heard(STARTED, T0 + 400 * DAY_MS, 2_000);
  const atMs = 1_000 + TIME_POLICY.staleMsMax;
  ({ state } = heard(state, T0 + 430 * DAY_MS, atMs));
  assert.is(trustedNow(state, atMs + 1).kind, 'unknown');
});

time.run();

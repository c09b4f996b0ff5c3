import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type AskedLine, exchange } from '../../../src/adapters/serial/exchange.ts';
import type { RequestListener } from '../../../src/adapters/serial/line.ts';
import { LINK_TIMINGS } from '../../../src/adapters/serial/timings.ts';
import { isDockError } from '../../../src/core/errors.ts';
import { FRAME_TYPE, type Frame } from '../../../src/core/link/frame.ts';
import { encodeI64 } from '../../../src/core/link/wire.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';

const asking = suite('asking on a serial line');
const never = new AbortController().signal;

/** A line on which nothing comes but what a test says. */
function silentLine() {
  const clock = new FakeClock();
  const sent: Frame[] = [];
  const failures: string[] = [];
  const listeners = new Map<number, RequestListener>();
  let request = 0;
  const line: AskedLine = {
    clock,
    timings: { ...LINK_TIMINGS, answerMs: [1000, 2000] },
    newRequest: () => ++request,
    listen: (number, listener) => void listeners.set(number, listener),
    unlisten: (number) => void listeners.delete(number),
    send: (frame) => void sent.push(frame),
    fail: ({ code }) => void failures.push(code),
  };
  return { line, clock, sent, failures, listeners };
}

const CLOCK = { name: 'CLOCK', type: FRAME_TYPE.CLOCK, signal: never, lineMs: 0 };

asking('makes what it asks anew for each try', async () => {
  const { line, clock, sent, listeners } = silentLine();
  const payload = () => encodeI64(clock.monotonicMs());
  const begin = () => (frame: Frame) => frame.request;
  const asked = exchange(line, { ...CLOCK, payload, begin });
  await clock.advance(1000);
  assert.equal(sent, [
    { type: FRAME_TYPE.CLOCK, request: 1, payload: encodeI64(0) },
    { type: FRAME_TYPE.CLOCK, request: 2, payload: encodeI64(1000) },
  ]);
  assert.equal([...listeners.keys()], [2]);
  const answer = { type: FRAME_TYPE.CLOCK_OK, request: 2, payload: encodeI64(0) };
  listeners.get(2)?.frame(answer);
  assert.is(await asked, 2);
  assert.is(listeners.size, 0);
});

asking('gives the camera up, and the line with it, when no try is answered', async () => {
  const { line, clock, sent, failures, listeners } = silentLine();
  const asked = exchange(line, { ...CLOCK, payload: encodeI64(0), begin: () => () => undefined });
  const failure = asked.catch((error: unknown) => error);
  await clock.advance(1000);
  await clock.advance(2000);
  assert.ok(isDockError(await failure, 'LINK_TIMEOUT'));
  assert.equal(failures, ['LINK_TIMEOUT']);
  assert.is(sent.length, 2);
  assert.is(listeners.size, 0);
});

asking.run();

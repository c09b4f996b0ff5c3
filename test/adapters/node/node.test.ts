import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NodeRandom } from '../../../src/adapters/node/node-random.ts';
import { PinoLogger } from '../../../src/adapters/node/pino-logger.ts';
import { SystemClock } from '../../../src/adapters/node/system-clock.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { FakeRandom } from '../../fakes/fake-random.ts';

const node = suite('node adapters');

node('the clock never goes back and a delay waits at least its time', async () => {
  const clock = new SystemClock();
  const fromMs = clock.monotonicMs();
  await clock.delay(20);
  assert.ok(clock.monotonicMs() - fromMs >= 20);
  assert.ok(Math.abs(clock.nowMs() - Date.now()) < 1000);
});

node('a delay, real or fake, rejects with the reason of its signal', async () => {
  for (const clock of [new SystemClock(), new FakeClock()]) {
    const reason = new Error('enough');
    assert.is(await clock.delay(1e12, AbortSignal.abort(reason)).catch((error) => error), reason);
    const later = new AbortController();
    const waiting = clock.delay(1e12, later.signal).catch((error) => error);
    later.abort(reason);
    assert.is(await waiting, reason);
  }
});

node('the fake clock ends delays in the order of their times', async () => {
  const clock = new FakeClock(1000);
  const ended: number[] = [];
  for (const ms of [30, 10, 20]) void clock.delay(ms).then(() => ended.push(ms));
  assert.equal(clock.waitingMs, [10, 20, 30]);
  await clock.advance(20);
  assert.equal(ended, [10, 20]);
  assert.equal([clock.nowMs(), clock.monotonicMs()], [1020, 20]);
  clock.setWall(5);
  await clock.advance(10);
  assert.equal([clock.nowMs(), clock.monotonicMs()], [15, 30]);
  assert.equal(ended, [10, 20, 30]);
});

node('random bytes are as many as asked, and a fake gives the same for the same seed', () => {
  const random = new NodeRandom();
  assert.is(random.bytes(0).length, 0);
  assert.is(random.bytes(33).length, 33);
  assert.not.equal(random.bytes(32), random.bytes(32));
  assert.is(random.bytes(8).buffer.byteLength, 8, 'no view of a shared pool');
  assert.equal(new FakeRandom(7).bytes(16), new FakeRandom(7).bytes(16));
  assert.not.equal(new FakeRandom(7).bytes(16), new FakeRandom(8).bytes(16));
});

node('the logger writes one JSON object a line, from its level up', () => {
  const lines: string[] = [];
  const stream = { write: (line: string) => lines.push(line) };
  const logger = new PinoLogger({ level: 'warn', stream });
  logger.info('too-quiet');
  logger.warn('vault-low', { freeBytes: 7, bay: undefined });
  logger.error('dock-halted');
  const [warned, failed] = lines.map((line) => JSON.parse(line));
  assert.is(lines.length, 2);
  assert.equal(Object.keys(warned).sort(), ['at', 'event', 'freeBytes', 'level']);
  assert.equal([warned.level, warned.event, warned.freeBytes], ['warn', 'vault-low', 7]);
  assert.equal([failed.level, failed.event], ['error', 'dock-halted']);
});

node('a silent logger writes nothing', () => {
  const lines: string[] = [];
  const logger = new PinoLogger({
    level: 'silent',
    stream: { write: (line) => void lines.push(line) },
  });
  logger.error('dock-halted');
  assert.equal(lines, []);
});

node.run();

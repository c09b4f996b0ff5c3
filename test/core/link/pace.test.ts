import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bestPayloadBytes, ErrorRate } from '../../../src/core/link/error-rate.ts';
import {
  DATA_BYTES_MAX,
  DATA_BYTES_MIN,
  DATA_OVERHEAD_BYTES,
  READ_LENGTH_MAX,
} from '../../../src/core/link/frame.ts';
import { LinePace } from '../../../src/core/link/pace.ts';
import { type LineSetting, SimulatedLine } from './simulated-line.ts';

const pace = suite('pace');
const LATENCY_MS = 5;
const SECONDS = 20;

function over(baud: number, ber: number, seed: number): LineSetting {
  return { baud, ber: () => ber, seed, bytes: (baud / 10) * SECONDS, latencyMs: LATENCY_MS };
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

pace('finds the payload that brings most over', () => {
  const carried = (perByte: number, n: number) =>
    (n / (n + DATA_OVERHEAD_BYTES)) * Math.exp(-perByte * (n + DATA_OVERHEAD_BYTES));
  for (const perByte of [1e-7, 8e-6, 8e-5, 8e-4, 5e-3]) {
    const best = bestPayloadBytes(perByte, DATA_OVERHEAD_BYTES);
    assert.ok(carried(perByte, best) > carried(perByte, best * 0.9));
    assert.ok(carried(perByte, best) > carried(perByte, best * 1.1));
  }
});

const GOALS: readonly (readonly [ber: number, share: number])[] = [
  [0, 0.98],
  [1e-6, 0.95],
  [1e-5, 0.9],
  [1e-4, 0.72],
];

for (const [ber, goal] of GOALS) {
  pace(`carries ${goal * 100} % of what a line can at a bit-error rate of ${ber}`, () => {
    for (const baud of [115_200, 921_600, 3_000_000]) {
      const shares = [1, 2, 3, 4, 5].map((seed) => new SimulatedLine(over(baud, ber, seed)).run());
      assert.ok(middle(shares.map(({ share }) => share)) >= goal, `at ${baud} baud`);
    }
  });
}

pace('comes within a quarter of the best payload at any rate of errors', () => {
  fc.assert(
    fc.property(fc.double({ min: 4, max: 5.5, noNaN: true }), fc.nat(1_000_000), (power, seed) => {
      const ber = 10 ** -power * 3;
      const best = bestPayloadBytes(8 * ber, DATA_OVERHEAD_BYTES);
      const payloads: number[] = [];
      const line = new LinePace(921_600);
      for (let part = 0; part < 9; part++) {
        new SimulatedLine({ ...over(921_600, ber, seed + part), bytes: 400_000 }, line).run();
        payloads.push(line.dataBytes);
      }
      const found = middle(payloads);
      assert.ok(found > best * 0.75 && found < best * 1.25, `${found} for ${best}`);
    }),
    { numRuns: 25 },
  );
});

pace('shrinks its frames within a second of noise, and grows them again when it ends', () => {
  const baud = 921_600;
  const second = baud / 10;
  const line = new LinePace(baud);
  const run = (ber: number, seconds: number) =>
    new SimulatedLine({ ...over(baud, ber, 3), bytes: second * seconds }, line).run();
  run(0, 20);
  assert.ok(line.dataBytes > 4_000);
  run(1e-4, 1);
  assert.ok(line.dataBytes < 400, `${line.dataBytes}`);
  run(0, 4);
  assert.ok(line.dataBytes > 1_000, `${line.dataBytes}`);
  run(0, 40);
  assert.ok(line.dataBytes > 3_000, `${line.dataBytes}`);
});

pace('stays within the limits of a READ and of a frame, whatever is lost', () => {
  const event = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: DATA_BYTES_MAX }));
  fc.assert(
    fc.property(
      fc.integer({ min: 300, max: 20_000_000 }),
      fc.array(event, { maxLength: 300 }),
      (baud, events) => {
        const line = new LinePace(baud);
        let nowMs = 0;
        for (const [isLost, sizeBytes] of events) {
          if (isLost) line.noteLost(1, sizeBytes);
          else line.noteArrived(sizeBytes);
          nowMs += 20;
          line.noteTime(nowMs);
          assert.ok(line.dataBytes >= DATA_BYTES_MIN && line.dataBytes <= line.dataBytesMax);
          assert.ok(line.dataBytesMax <= DATA_BYTES_MAX && line.readBytes <= READ_LENGTH_MAX);
          assert.ok(line.readBytes >= line.dataBytes && Number.isInteger(line.readBytes));
        }
      },
    ),
    { numRuns: 100 },
  );
});

pace('asks for more at a time of a line that is faster than it says', () => {
  const line = new LinePace(4_000_000);
  const before = line.readBytes;
  for (let nowMs = 0; nowMs < 1_000; nowMs += 50) {
    for (let frame = 0; frame < 40; frame++) line.noteArrived(65_536);
    line.noteTime(nowMs);
  }
  assert.ok(line.readBytes > 8 * before);
  assert.is(line.dataBytes, DATA_BYTES_MAX);
});

pace('waits longer after silence of a camera that takes breaks, up to a limit', () => {
  const line = new LinePace(921_600);
  const before = line.quietMs;
  line.noteLate();
  assert.is(line.quietMs, 2 * before);
  for (let i = 0; i < 20; i++) line.noteLate();
  assert.ok(line.quietMs <= 500);
});

pace('knows the rate of errors within a factor of two after thirty losses', () => {
  const errors = new ErrorRate();
  for (let i = 0; i < 30; i++) {
    errors.noteArrived(9_800);
    errors.noteLost(200);
  }
  assert.ok(errors.perByte > 0.5e-4 && errors.perByte < 2e-4);
});

pace.run();

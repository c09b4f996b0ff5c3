import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limitOfOneWorker, limitOfTwoWorkers } from './measure/limit.ts';
import { parseCpuList } from './measure/machine.ts';
import { Rounds } from './measure/rounds.ts';
import { median, pairedRatio, toRow } from './measure/sample.ts';
import { formatTable, parseSize } from './measure/table.ts';

const bench = suite('bench');

bench('takes the middle of what it measured', () => {
  assert.is(median([3, 1, 2]), 2);
  assert.is(median([4, 1, 2, 3]), 2.5);
  assert.is(Number.isNaN(median([])), true);
});

bench('divides only what was measured in the same round', () => {
  assert.is(pairedRatio([10, 40, 90], [10, 20, 30]), 2);
  assert.is(pairedRatio([10, 40, 90], [10]), 1);
  assert.is(Number.isNaN(pairedRatio([], [1])), true);
});

bench('computes the limit of one worker from one cipher and two digests', () => {
  assert.is(limitOfOneWorker({ chacha20Poly1305: 2, sha256: 4 }), 1);
});

bench('caps the limit of two workers by the digest of one stream', () => {
  assert.is(limitOfTwoWorkers({ chacha20Poly1305: 2, sha256: 4 }), 2);
  assert.is(limitOfTwoWorkers({ chacha20Poly1305: Number.POSITIVE_INFINITY, sha256: 4 }), 4);
});

bench('runs every subject once a round, forwards and backwards in turn', async () => {
  const order: string[] = [];
  const subjects = ['a', 'b'].map((name) => ({
    name,
    run: async (round: number) => {
      order.push(`${name}${round}`);
      return { bytes: 10, seconds: round + 1, cpuSeconds: 1, peakMiB: 5 };
    },
  }));
  const rounds = new Rounds();
  await rounds.run(subjects, 3);
  assert.equal(order, ['a0', 'b0', 'b1', 'a1', 'a2', 'b2']);
  assert.equal(rounds.rates('a'), [10, 5, 10 / 3]);
  assert.equal(rounds.rows[0], {
    ...{ name: 'a', bytes: 10, seconds: 2, cpuSeconds: 1, peakMiB: 5, rounds: 3 },
  });
});

bench('leaves out of a row what no run measured', () => {
  const sample = { bytes: 1, seconds: 1, cpuSeconds: 1, peakMiB: 1 };
  const row = toRow('x', [sample, { ...sample, eventLoopP99Ms: 2 }]);
  assert.is(row.eventLoopP99Ms, 2);
  assert.not('mainThreadMsPerMiB' in row);
});

bench('reads sizes and CPU lists, and refuses what is none', () => {
  assert.equal(
    ['4096', '64K', '1M', '4G'].map(parseSize),
    [4096, 65_536, 1_048_576, 4_294_967_296],
  );
  for (const text of ['', '0', '1T', '-1M', '1.5G', 'M']) assert.throws(() => parseSize(text));
  assert.equal(parseCpuList('0-2,5'), [0, 1, 2, 5]);
  assert.throws(() => parseCpuList('a'));
});

bench('lines the columns of a table up', () => {
  const table = formatTable(
    ['', 'MB/s'],
    [
      ['age', '5'],
      ['docket', '12345'],
    ],
  );
  assert.equal(table.split('\n'), [
    '|        |  MB/s |',
    '| ------ | ----: |',
    '| age    |     5 |',
    '| docket | 12345 |',
  ]);
});

bench.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fuzzByMutation, fuzzByProperty } from './link.ts';

const fuzz = suite('fuzzing of the link');

fuzz('changed lines and payloads break no decoder and no parser, and leave nothing behind', () => {
  const tally = fuzzByMutation(20_000, 1);
  assert.ok(tally.frames > 5_000);
  assert.ok(tally.parsed > 500);
  assert.ok(tally.refused > 1_000);
  assert.ok(tally.growthBytes < 2_000_000, `${tally.growthBytes} bytes more`);
});

fuzz('lines of frames, parts of frames and noise come out as the reference reads them', () => {
  const tally = fuzzByProperty(2_000, 1);
  assert.ok(tally.frames > 1_000);
  assert.ok(tally.discardedBytes > 1_000);
});

fuzz.run();

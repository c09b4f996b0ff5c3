import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EntryBody } from '../../../src/core/custody/entry.ts';
import {
  type CameraClocks,
  clockOffsetOf,
  firstUnmarked,
  noteClock,
} from '../../../src/core/dock/camera-clocks.ts';
import { foldEntries } from '../../../src/core/dock/state.ts';
import { encodeState, parseState } from '../../../src/core/dock/state-codec.ts';
import { testCrypto } from '../custody/keys.ts';

const clocks = suite('the clocks of cameras');

const CAMERA = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);
const STAMP = { atMs: 0, clock: 'system', boot: '00000000', actor: 'dock' } as const;

function fold(bodies: readonly EntryBody[]) {
  return foldEntries(bodies.map((body, index) => ({ entry: { ...STAMP, ...body }, index })));
}

const offset = (camera: string, first: number, last: number, ms: number): EntryBody => {
  return { kind: 'clock-offset', camera, first, last, ms };
};

clocks('are known from the log for each recording that they were measured for', () => {
  const state = fold([offset(CAMERA, 1, 4, 900), offset(OTHER, 1, 9, -5), offset(CAMERA, 5, 6, 2)]);
  const known = [1, 4, 5, 6, 7].map((counter) => clockOffsetOf(state.clocks, CAMERA, counter));
  assert.equal(known, [900, 900, 2, 2, undefined]);
  assert.is(clockOffsetOf(state.clocks, OTHER, 9), -5);
  assert.is(firstUnmarked(state.clocks, CAMERA), 7);
  assert.is(firstUnmarked(state.clocks, 'c'.repeat(64)), 1);
});

clocks('are not learnt from an entry that names no camera', () => {
  assert.is(fold([{ kind: 'clock-offset', ms: 4 }]).clocks.size, 0);
});

clocks('come back from the cache as they were', () => {
  const state = fold([offset(CAMERA, 1, 4, -900), offset(OTHER, 2, 2, 0)]);
  const root = new Uint8Array(32);
  const encoded = encodeState(state, root, testCrypto.sha256);
  const parsed = parseState(JSON.parse(JSON.stringify(encoded)), testCrypto.sha256);
  assert.equal(parsed?.state.clocks, state.clocks);
});

clocks('of one camera take little room; what is forgotten is unknown and not guessed', () => {
  let all: CameraClocks = new Map();
  for (let counter = 1; counter <= 100; counter++) {
    all = noteClock(all, CAMERA, { first: counter, last: counter, offsetMs: counter });
  }
  assert.ok((all.get(CAMERA)?.length ?? 0) <= 8);
  assert.is(clockOffsetOf(all, CAMERA, 100), 100);
  assert.is(clockOffsetOf(all, CAMERA, 1), undefined);
  assert.is(firstUnmarked(all, CAMERA), 101);
});

clocks.run();

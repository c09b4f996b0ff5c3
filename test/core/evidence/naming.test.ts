import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseClipId } from '../../../src/core/evidence/clip.ts';
import {
  clipFolder,
  draftFolder,
  MIB,
  parseSegmentName,
  SEGMENT_COUNT_MAX,
  segmentBytesFor,
  segmentCount,
  segmentName,
  segmentPath,
  segmentRange,
} from '../../../src/core/evidence/naming.ts';

const naming = suite('naming');

const CLIP = parseClipId('0123456789abcdef0123456789abcdef');

naming('puts a clip below the vault and a draft out of its sight', () => {
  assert.ok(CLIP);
  assert.is(clipFolder(CLIP), `vault/${CLIP}`);
  assert.is(draftFolder(CLIP), `vault/.drafts/${CLIP}`);
  assert.is(segmentPath(CLIP, 7), `vault/${CLIP}/0007.age`);
});

naming('names of segments sort in the order of the clip', () => {
  const names = Array.from({ length: SEGMENT_COUNT_MAX }, (_, index) => segmentName(index));
  assert.equal([...names].sort(), names);
  assert.equal(names.map(parseSegmentName), [...names.keys()]);
});

naming('takes no other name for a segment', () => {
  for (const name of [
    '0.age',
    '00000.age',
    '-001.age',
    '0001.AGE',
    '0001.age.tmp',
    '9999.age',
    '',
  ]) {
    assert.is(parseSegmentName(name), undefined);
  }
  for (const index of [-1, 0.5, SEGMENT_COUNT_MAX, Number.NaN]) {
    assert.throws(() => segmentName(index), /segment index/);
  }
});

naming('a clip of 0 bytes is one empty segment', () => {
  assert.is(segmentCount(0, MIB), 1);
  assert.equal(segmentRange(0, 0, MIB), { fromByte: 0, toByte: 0 });
});

naming('an exact multiple leaves no empty segment behind', () => {
  assert.is(segmentCount(MIB, MIB), 1);
  assert.is(segmentCount(2 * MIB, MIB), 2);
  assert.is(segmentCount(2 * MIB + 1, MIB), 3);
});

naming('segments tile every clip: no gap, no overlap, no excess', () => {
  const sizes = fc.integer({ min: 0, max: 5_000 });
  const widths = fc.integer({ min: 1, max: 300 });
  fc.assert(
    fc.property(sizes, widths, (sizeBytes, segmentBytes) => {
      let next = 0;
      const count = segmentCount(sizeBytes, segmentBytes);
      for (let index = 0; index < count; index++) {
        const { fromByte, toByte } = segmentRange(index, sizeBytes, segmentBytes);
        assert.is(fromByte, next);
        assert.ok(toByte > fromByte || sizeBytes === 0);
        next = toByte;
      }
      assert.is(next, sizeBytes);
    }),
  );
});

naming('no clip, however long, has more segments than a manifest can name', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 1_024 }), (sizeBytes, wantedMiB) => {
      const segmentBytes = segmentBytesFor(sizeBytes, wantedMiB * MIB);
      assert.ok(segmentBytes >= wantedMiB * MIB);
      assert.ok(segmentCount(sizeBytes, segmentBytes) <= SEGMENT_COUNT_MAX);
    }),
  );
});

naming('keeps the wanted size wherever it will do', () => {
  assert.is(segmentBytesFor(4_096 * MIB, 64 * MIB), 64 * MIB);
  assert.is(segmentBytesFor(4_096 * MIB, MIB), 8 * MIB);
});

naming.run();

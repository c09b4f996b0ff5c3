import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concatBytes } from '../../../src/core/bytes.ts';
import { crc32, crc32Of } from '../../../src/core/link/crc32.ts';
import { encodeFrame, FRAME_PAYLOAD_MAX } from '../../../src/core/link/frame.ts';
import { collector, decodeInPieces } from './collect.ts';
import { hex, readVectors } from './vectors.ts';

interface StreamVector {
  readonly name: string;
  readonly bytes: string;
  readonly frames: { readonly type: number; readonly request: number; readonly payload: string }[];
  readonly framesAfterGap: StreamVector['frames'];
  readonly discarded: number;
}

const decoder = suite('decoder');
const bytesOf = (text: string) => new TextEncoder().encode(text);
const status = encodeFrame({ type: 3, request: 7, payload: new Uint8Array(0) });
const pattern = Uint8Array.from({ length: 300 }, (_, index) => (index * 7) & 0xff);
const data = encodeFrame({ type: 0x86, request: 8, payload: pattern });

decoder('agrees with the check value of CRC-32', () => {
  assert.is(crc32(bytesOf('123456789')), 0xcbf43926);
  assert.is(crc32(new Uint8Array(0)), 0);
});

decoder('computes the same CRC over a part as over a copy of it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, start) => {
      const from = Math.min(start, bytes.length);
      assert.is(crc32Of(bytes, from, bytes.length), crc32(bytes.slice(from)));
    }),
  );
});

for (const vector of readVectors<StreamVector[]>('streams')) {
  for (const size of [1, 2, 3, 15, 16, 17, 4096]) {
    decoder(`reads the shared stream in pieces of ${size}: ${vector.name}`, () => {
      const { decoder: decode, decoded } = collector();
      const bytes = hex(vector.bytes);
      for (let i = 0; i < bytes.length; i += size) decode.push(bytes.slice(i, i + size));
      assert.equal(decoded.frames, vector.frames);
      decode.gap();
      assert.equal(decoded.frames, [...vector.frames, ...vector.framesAfterGap]);
      assert.is(decoded.discarded, vector.discarded);
      assert.not(decode.waiting);
    });
  }
}

decoder('encodes the shared frames byte for byte', () => {
  for (const vector of readVectors<(StreamVector['frames'][0] & { frame: string })[]>('frames')) {
    const frame = encodeFrame({ ...vector, payload: hex(vector.payload) });
    assert.is(Buffer.from(frame).toString('hex'), vector.frame);
  }
});

decoder('finds joined frames however they are cut', () => {
  const joined = concatBytes(status, data, status, data, data);
  for (let cut = 0; cut <= joined.length; cut++) {
    const decoded = decodeInPieces(joined, [cut, joined.length]);
    assert.is(decoded.frames.length, 5);
    assert.is(decoded.discarded, 0);
  }
});

decoder('loses only the frame that is corrupted, at whatever byte and bit', () => {
  const joined = concatBytes(status, data, status);
  const end = status.length + data.length;
  for (let at = status.length; at < end; at++) {
    for (const bit of [1, 0x10, 0x80]) {
      const broken = joined.slice();
      broken[at] = (broken[at] ?? 0) ^ bit;
      const { decoder: decode, decoded } = collector();
      decode.push(broken);
      decode.gap();
      assert.is(decoded.frames.length, 2);
      assert.is(decoded.discarded, data.length);
    }
  }
});

decoder('takes a frame of the greatest payload, byte by byte', () => {
  const payload = new Uint8Array(FRAME_PAYLOAD_MAX).fill(0xd0);
  const frame = encodeFrame({ type: 0x86, request: 1, payload });
  assert.is(decodeInPieces(frame, [1]).frames[0]?.payload.length, FRAME_PAYLOAD_MAX * 2);
});

decoder('allocates and waits for nothing when a header claims 4 GiB', () => {
  const claim = encodeFrame({ type: 0x86, request: 1, payload: new Uint8Array(0) }).slice(0, 16);
  const view = new DataView(claim.buffer);
  view.setUint32(8, 0xffffffff, true);
  view.setUint32(12, crc32Of(claim, 0, 12), true);
  const { decoder: decode, decoded } = collector();
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 10_000; i++) decode.push(claim);
  decode.push(status);
  assert.is(decoded.frames.length, 1);
  assert.is(decoded.discarded, 160_000);
  assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000);
});

decoder('finds every frame between random noise, and counts every other byte', () => {
  const piece = fc.oneof(
    fc.record({ noise: fc.uint8Array({ maxLength: 60 }) }),
    fc.record({ request: fc.integer({ min: 1, max: 0xffffffff }), payload: fc.uint8Array() }),
  );
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.integer({ min: 1, max: 50 })), (pieces, sizes) => {
      const parts = pieces.map((each) =>
        'noise' in each ? each.noise : encodeFrame({ type: 0x86, ...each }),
      );
      const frames = pieces.filter((each) => 'request' in each);
      const bytes = concatBytes(...parts);
      const { decoder: decode, decoded } = collector();
      let offset = 0;
      for (const size of [...sizes, bytes.length]) {
        decode.push(bytes.slice(offset, offset + size));
        offset += size;
      }
      decode.gap();
      const requests = decoded.frames.map((frame) => frame.request);
      assert.equal(
        requests,
        frames.map((frame) => ('request' in frame ? frame.request : 0)),
      );
      const inFrames = decoded.frames.reduce((sum, each) => sum + 20 + each.payload.length / 2, 0);
      assert.is(decoded.discarded + inFrames, bytes.length);
    }),
    { numRuns: 300 },
  );
});

decoder('counts the work of checksums that fail', () => {
  const broken = data.slice();
  broken[100] = (broken[100] ?? 0) ^ 1;
  const { decoder: decode } = collector();
  decode.push(broken);
  assert.is(decode.failedBytes, pattern.length);
});

decoder.run();

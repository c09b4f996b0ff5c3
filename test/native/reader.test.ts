import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concatBytes } from '../../src/core/bytes.ts';
import { encodeFrame, FRAME_PAYLOAD_MAX, FRAME_TYPE } from '../../src/core/link/frame.ts';
import { encodeU32 } from '../../src/core/link/wire.ts';
import { hex, readVectors } from '../core/link/vectors.ts';
import { makeKit, random } from './kit.ts';
import { openPipe, refer, toldBy } from './line-kit.ts';

interface StreamVector {
  readonly name: string;
  readonly bytes: string;
  readonly frames: { readonly type: number; readonly request: number; readonly payload: string }[];
  readonly framesAfterGap: StreamVector['frames'];
  readonly discarded: number;
}

const reader = suite('native reader');
const kit = makeKit();
const nothing = new Uint8Array(0);
const status = encodeFrame({ type: FRAME_TYPE.STATUS_OK, request: 7, payload: nothing });

function data(request: number, offset: number, bytes: Uint8Array): Uint8Array {
  const payload = concatBytes(encodeU32(offset), bytes);
  return encodeFrame({ type: FRAME_TYPE.DATA, request, payload });
}

function placedBytes(line: ReturnType<typeof openPipe>): number {
  return line.arrivals.reduce((sum, each) => {
    return 'placed' in each && each.placed ? sum + each.sizeBytes : sum;
  }, 0);
}

for (const vector of readVectors<StreamVector[]>('streams')) {
  for (const size of [1, 3, 16, 4096]) {
    reader(`reads the shared stream in pieces of ${size}: ${vector.name}`, async () => {
      const line = openPipe(kit);
      const reference = refer();
      const bytes = hex(vector.bytes);
      reference.decoder.push(bytes);
      for (let at = 0; at < bytes.length; at += size) await line.write(bytes.slice(at, at + size));
      await line.until(() => toldBy(line).others.length >= reference.told().others.length);
      reference.decoder.gap();
      // The reader's own clock makes the gap.
      await line.until(() => line.news.discardedBytes === vector.discarded);
      line.take();
      assert.equal(toldBy(line), reference.told());
      const frames = vector.frames.length + vector.framesAfterGap.length;
      assert.is(toldBy(line).others.length + toldBy(line).dataFrames, frames);
      line.close();
    });
  }
}

reader('agrees with the decoder of the core on thousands of damaged streams', async () => {
  const line = openPipe(kit);
  const reference = refer();
  let state = 7;
  const draw = (bound: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  for (let round = 0; round < 150; round++) {
    const parts: Uint8Array[] = [];
    for (let streams = 0; streams < 20; streams++) {
      for (let frames = draw(6); frames > 0; frames--) {
        const payload = Uint8Array.from({ length: draw(3) === 0 ? draw(400) : draw(40) }, () =>
          draw(9) === 0 ? 0xd0 : draw(256),
        );
        const type = draw(3) === 0 ? FRAME_TYPE.DATA : draw(256);
        parts.push(encodeFrame({ type, request: draw(9), payload }));
      }
      if (draw(2) === 0) parts.push(Uint8Array.from({ length: draw(30) }, () => draw(256)));
    }
    const bytes = concatBytes(...parts);
    for (let flips = draw(20); flips > 0; flips--) bytes[draw(bytes.length)]! ^= 1 << draw(8);
    const stream = draw(3) === 0 ? bytes.subarray(0, draw(bytes.length)) : bytes;
    reference.decoder.push(stream);
    await line.write(stream);
  }
  // Whatever a header claimed is over after so many zeros.
  const end = new Uint8Array(FRAME_PAYLOAD_MAX + 100);
  reference.decoder.push(end);
  await line.write(end);
  await line.until(() => line.news.discardedBytes === reference.discarded());
  assert.equal(toldBy(line), reference.told());
  assert.is(line.news.failedBytes, reference.decoder.failedBytes);
  assert.ok(reference.told().others.length > 1000);
  assert.ok(reference.discarded() > 1000);
  line.close();
});

reader('puts clip bytes where they are expected, and tells of each byte once', async () => {
  const line = openPipe(kit);
  const memory = new Uint8Array(300_000).fill(0x55);
  const clip = random.bytes(200_000);
  line.reader.expect(9, memory.subarray(50_000, 250_000));
  for (let at = 0; at < clip.length; at += 40_000) {
    await line.write(data(9, at, clip.subarray(at, at + 40_000)));
  }
  await line.until(() => placedBytes(line) === clip.length);
  assert.ok(Buffer.from(memory.subarray(50_000, 250_000)).equals(clip));
  assert.ok(memory.subarray(0, 50_000).every((byte) => byte === 0x55));
  assert.ok(memory.subarray(250_000).every((byte) => byte === 0x55));
  line.close();
});

reader(
  'puts nothing where it was not asked for: wrong request, too far, or come before',
  async () => {
    const line = openPipe(kit);
    const memory = new Uint8Array(1000).fill(0x55);
    const some = new Uint8Array(100).fill(1);
    line.reader.expect(3, memory.subarray(100, 900));
    for (const [request, offset] of [
      [4, 0],
      [3, 701],
      [3, 2 ** 32 - 50],
      [3, 300],
      [3, 250],
      [3, 300],
    ] as const) {
      await line.write(data(request, offset, some));
    }
    await line.write(data(3, 400, nothing));
    await line.write(status);
    await line.until(() => toldBy(line).others.length === 1);
    assert.is(placedBytes(line), 100);
    assert.is(memory.filter((byte) => byte === 1).length, 100);
    assert.ok(memory.subarray(400, 500).every((byte) => byte === 1));
    assert.is(toldBy(line).dataFrames, 7);
    line.close();
  },
);

reader(
  'tells nothing of a damaged frame, and takes its repeat and the frame inside it',
  async () => {
    const line = openPipe(kit);
    const memory = new Uint8Array(500);
    const clip = random.bytes(500);
    const good = data(5, 0, clip);
    const broken = data(5, 0, concatBytes(clip.subarray(0, 200), status, clip.subarray(220)));
    broken[60]! ^= 1;
    line.reader.expect(5, memory);
    await line.write(broken);
    await line.until(() => toldBy(line).others.length === 1);
    assert.is(placedBytes(line), 0);
    await line.until(() => line.news.discardedBytes === broken.length - status.length);
    await line.write(good);
    await line.until(() => placedBytes(line) === 500);
    assert.equal(memory, clip);
    line.close();
  },
);

reader('leaves a window alone from the moment that it is forgotten', async () => {
  const line = openPipe(kit);
  for (let cut = 1; cut < 560; cut += 7) {
    const memory = new Uint8Array(500);
    const frame = data(cut, 0, random.bytes(500));
    line.reader.expect(cut, memory);
    await line.write(frame.subarray(0, cut));
    line.reader.forget(cut);
    line.reader.forget(cut);
    memory.fill(0x77);
    await line.write(frame.subarray(cut));
    assert.ok(memory.every((byte) => byte === 0x77));
  }
  await line.write(status);
  await line.until(() => toldBy(line).others.length === 1);
  assert.is(placedBytes(line) % 500, 0);
  assert.is(toldBy(line).dataFrames, 80);
  assert.is(line.news.discardedBytes, 0);
  line.close();
});

reader('goes on asking for what was lost while the rest of its window still comes', async () => {
  const line = openPipe(kit);
  const memory = new Uint8Array(300);
  const clip = random.bytes(300);
  line.reader.expect(1, memory);
  assert.throws(() => line.reader.expect(2, memory.subarray(0, 100)), /ESTATE/);
  await line.write(data(1, 100, clip.subarray(100, 200)));
  await line.until(() => placedBytes(line) === 100);
  line.reader.expect(2, memory.subarray(0, 100));
  assert.throws(() => line.reader.expect(3, memory.subarray(250)), /ESTATE/);
  assert.throws(() => line.reader.expect(2, new Uint8Array(1)), /ESTATE/);
  await line.write(data(1, 200, clip.subarray(200)));
  await line.write(data(2, 0, clip.subarray(0, 100)));
  await line.until(() => placedBytes(line) === 300);
  assert.equal(memory, clip);
  line.close();
});

reader('refuses windows that may move, requests that are none, and too many windows', () => {
  const line = openPipe(kit);
  const detached = new Uint8Array(100);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const bad = [detached, nothing, new Uint8Array(new SharedArrayBuffer(64)), new Uint16Array(4)];
  for (const window of bad) {
    assert.throws(() => line.reader.expect(1, window as Uint8Array), TypeError);
  }
  for (const request of [0, -1, 1.5, 2 ** 32, Number.NaN]) {
    assert.throws(() => line.reader.expect(request, new Uint8Array(1)), TypeError);
  }
  const windows = Array.from({ length: 32 }, () => new Uint8Array(10));
  for (const [index, window] of windows.entries()) line.reader.expect(index + 1, window);
  assert.throws(() => line.reader.expect(99, new Uint8Array(10)), /ESTATE/);
  line.reader.forget(1);
  line.reader.expect(99, new Uint8Array(10));
  line.close();
});

reader('reads no further when nothing is taken, and goes on when it is', async () => {
  const line = openPipe(kit);
  const frames = concatBytes(...Array.from({ length: 20_000 }, () => status));
  const written = line.fill(frames);
  assert.ok(written < 200_000, `${written} bytes`);
  await line.until(() => line.news.heardBytes === written);
  await line.write(frames.subarray(written % status.length));
  await line.until(() => line.news.heardBytes === written + frames.length - (written % 20));
  const heard = Math.floor(line.news.heardBytes / status.length);
  await line.until(() => toldBy(line).others.length === heard);
  line.close();
});

reader('says that the other side is gone, after all that it sent', async () => {
  const line = openPipe(kit);
  await line.write(concatBytes(status, status, status.subarray(0, 10)));
  line.hangUp();
  await line.until(() => line.news.failure !== undefined);
  assert.is((line.news.failure as { code?: unknown } | undefined)?.code, 'EIO');
  assert.is(toldBy(line).others.length, 2);
  line.reader.close();
});

reader('can be taken from after it was closed, and closed twice', async () => {
  const line = openPipe(kit);
  const memory = new Uint8Array(10);
  line.reader.expect(1, memory);
  await line.write(concatBytes(status, data(1, 0, new Uint8Array(5).fill(9))));
  line.reader.close();
  line.reader.close();
  line.take();
  assert.is(toldBy(line).others.length, 1);
  assert.is(placedBytes(line), 5);
  assert.throws(() => line.reader.expect(2, new Uint8Array(1)), /ESTATE/);
  line.reader.forget(1);
  line.close();
});

reader.after(() => kit.remove());
reader.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ReadBack } from '../../src/app/read-back.ts';
import { isDockError } from '../../src/core/errors.ts';
import type { ClipId } from '../../src/core/evidence/clip.ts';
import type { SegmentFile } from '../../src/ports/vault.ts';

const GOOD = 'a'.repeat(64);
const readBacks = suite('read-back');

/** A disk whose reads wait until they are answered. */
class SlowDisk {
  readonly clip = '00'.repeat(16) as ClipId;
  readonly opened: number[] = [];
  readonly closed: number[] = [];
  readonly answers: ((sha256: string) => void)[] = [];

  async reopenSegment(index: number): Promise<SegmentFile> {
    this.opened.push(index);
    return { index, fd: 100 + index };
  }

  async closeSegment(file: SegmentFile): Promise<void> {
    this.closed.push(file.index);
  }

  async rehash(): Promise<{ readonly fileBytes: number; readonly sha256: string }> {
    const sha256 = await new Promise<string>((resolve) => this.answers.push(resolve));
    return { fileBytes: 10, sha256 };
  }
}

function segment(index: number) {
  return { index, plainBytes: 1, fileBytes: 10, sha256: GOOD };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

readBacks('lets the next segment be taken meanwhile, and never reads two at once', async () => {
  const disk = new SlowDisk();
  const readBack = new ReadBack(disk, disk);
  await readBack.begin(segment(0));
  let secondBegan = false;
  const second = readBack.begin(segment(1)).then(() => {
    secondBegan = true;
  });
  await turns();
  assert.equal([disk.opened, disk.closed, secondBegan], [[0], [], false]);
  disk.answers[0]?.(GOOD);
  await second;
  await turns();
  assert.equal([disk.opened, disk.closed], [[0, 1], [0]]);
  disk.answers[1]?.(GOOD);
  await readBack.finish();
  assert.equal(disk.closed, [0, 1]);
});

readBacks('says at once that a segment is spoilt, and goes on saying it', async () => {
  const disk = new SlowDisk();
  const readBack = new ReadBack(disk, disk);
  await readBack.begin(segment(0));
  await turns();
  readBack.throwIfFailed();
  disk.answers[0]?.('b'.repeat(64));
  await readBack.settle();
  const isMismatch = (error: unknown) => isDockError(error, 'SEGMENT_DIGEST_MISMATCH');
  assert.throws(() => readBack.throwIfFailed(), isMismatch);
  for (const act of [() => readBack.begin(segment(1)), () => readBack.finish()]) {
    const error = await act().catch((reason: unknown) => reason);
    assert.ok(isMismatch(error));
  }
  assert.equal([disk.opened, disk.closed], [[0], [0]]);
});

readBacks('settles when nothing was begun', async () => {
  const disk = new SlowDisk();
  const readBack = new ReadBack(disk, disk);
  await readBack.finish();
  await readBack.settle();
  assert.equal(disk.opened, []);
});

readBacks.run();

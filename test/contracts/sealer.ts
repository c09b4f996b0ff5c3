import { createHash } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concatBytes } from '../../src/core/bytes.ts';
import { isDockError } from '../../src/core/errors.ts';
import type { Sealer, Sealing } from '../../src/ports/sealer.ts';
import type { SegmentFile } from '../../src/ports/vault.ts';

/** What a sealer needs around it, and an independent way to open what it made. */
export interface SealerBench {
  readonly sealer: Sealer;
  readonly recipients: readonly string[];
  createFile(index: number): SegmentFile;
  /** A file with no room. */
  createFullFile(index: number): SegmentFile;
  contents(file: SegmentFile): Uint8Array;
  open(sealed: Uint8Array): Promise<Uint8Array>;
  close(): void;
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function clipOf(sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, index) => (index * 7919) >>> 5);
}

async function sealSegment(sealing: Sealing, file: SegmentFile, plain: Uint8Array) {
  await sealing.beginSegment(file);
  if (plain.length > 0) await sealing.write(plain);
  return sealing.endSegment();
}

function isCode(code: 'CANCELLED' | 'VAULT_FULL') {
  return (error: unknown) => assert.ok(isDockError(error, code), String(error));
}

async function rejects(promise: Promise<unknown>, check: (error: unknown) => void): Promise<void> {
  const unexpected = Symbol('resolved');
  const outcome = await promise.then(
    () => unexpected,
    (error: unknown) => error,
  );
  assert.is.not(outcome, unexpected, 'it should have been refused');
  check(outcome);
}

/** Every Sealer keeps these promises. */
export function sealerContract(name: string, openBench: () => SealerBench): void {
  const test = suite(`sealer contract: ${name}`);
  const promise = (text: string, body: (bench: SealerBench) => Promise<void>) =>
    test(text, async () => {
      const bench = openBench();
      try {
        await body(bench);
      } finally {
        bench.close();
      }
    });

  for (const size of [0, 1, 65_535, 65_536, 65_537, 200_000]) {
    promise(`seals ${size} bytes that open again, with true sizes and digests`, async (bench) => {
      const clip = clipOf(size);
      const file = bench.createFile(0);
      const sealing = bench.sealer.begin();
      const segment = await sealSegment(sealing, file, clip);
      const sealed = bench.contents(file);
      assert.equal(segment, { plainBytes: size, fileBytes: sealed.length, sha256: sha256(sealed) });
      assert.equal(await sealing.finish(), { sha256: sha256(clip), sizeBytes: size });
      assert.is(sha256(await bench.open(sealed)), sha256(clip));
    });
  }

  promise('makes each segment a file of its own and one digest over all', async (bench) => {
    const parts = [clipOf(70_000), clipOf(65_536), clipOf(3)];
    const sealing = bench.sealer.begin();
    const opened: Uint8Array[] = [];
    for (const [index, part] of parts.entries()) {
      const file = bench.createFile(index);
      await sealSegment(sealing, file, part);
      opened.push(await bench.open(bench.contents(file)));
    }
    const { sha256: digest, sizeBytes } = await sealing.finish();
    assert.is(digest, sha256(concatBytes(...parts)));
    assert.is(sizeBytes, 135_539);
    assert.is(sha256(concatBytes(...opened)), digest);
  });

  promise('goes on with a digest where another sealing left it', async (bench) => {
    const parts = [clipOf(70_016), clipOf(65_536), clipOf(77)];
    const first = bench.sealer.begin();
    for (const [index, part] of parts.slice(0, 2).entries()) {
      await sealSegment(first, bench.createFile(index), part);
    }
    const midstate = first.midstate();
    assert.is(midstate.sizeBytes, 135_552);
    assert.is(midstate.words.length, 32);
    first.abort();
    const second = bench.sealer.begin(midstate);
    const file = bench.createFile(2);
    await sealSegment(second, file, parts[2] ?? clipOf(0));
    assert.is(sha256(await bench.open(bench.contents(file))), sha256(clipOf(77)));
    assert.equal(await second.finish(), {
      sha256: sha256(concatBytes(...parts)),
      sizeBytes: 135_629,
    });
  });

  promise('gives no midstate in a segment, or off its step', async (bench) => {
    const sealing = bench.sealer.begin();
    await sealing.beginSegment(bench.createFile(0));
    assert.throws(() => sealing.midstate());
    await sealing.write(clipOf(100));
    await sealing.endSegment();
    assert.throws(() => sealing.midstate());
    assert.is((await sealing.finish()).sha256, sha256(clipOf(100)));
  });

  promise('reads back the same size and digest as the sealing gave', async (bench) => {
    const file = bench.createFile(0);
    const segment = await sealSegment(bench.sealer.begin(), file, clipOf(100_000));
    const found = await bench.sealer.rehash(file);
    assert.equal(found, { fileBytes: segment.fileBytes, sha256: segment.sha256 });
  });

  promise('seals the same bytes twice to different files', async (bench) => {
    const files = [bench.createFile(0), bench.createFile(1)];
    for (const file of files) await sealSegment(bench.sealer.begin(), file, clipOf(100));
    assert.is.not(...(files.map((file) => sha256(bench.contents(file))) as [string, string]));
  });

  promise('never holds the plaintext in the file', async (bench) => {
    const plain = clipOf(4096);
    const file = bench.createFile(0);
    await sealSegment(bench.sealer.begin(), file, plain);
    const sealed = Buffer.from(bench.contents(file));
    assert.is(sealed.indexOf(plain.subarray(0, 64)), -1);
  });

  promise('refuses every call after an abort, which may come twice', async (bench) => {
    const sealing = bench.sealer.begin();
    await sealing.beginSegment(bench.createFile(0));
    sealing.abort();
    sealing.abort();
    await rejects(sealing.write(clipOf(1)), isCode('CANCELLED'));
    await rejects(sealing.endSegment(), isCode('CANCELLED'));
    await rejects(sealing.finish(), isCode('CANCELLED'));
    await rejects(sealing.beginSegment(bench.createFile(1)), isCode('CANCELLED'));
  });

  promise('may be aborted before it began and after it finished', async (bench) => {
    bench.sealer.begin().abort();
    const sealing = bench.sealer.begin();
    await sealSegment(sealing, bench.createFile(0), clipOf(1));
    await sealing.finish();
    sealing.abort();
  });

  promise('says VAULT_FULL when there is no room, and stays failed', async (bench) => {
    const sealing = bench.sealer.begin();
    const file = bench.createFullFile(0);
    await rejects(sealSegment(sealing, file, clipOf(1 << 21)), isCode('VAULT_FULL'));
    await rejects(sealing.write(clipOf(1)), isCode('VAULT_FULL'));
    await rejects(sealing.finish(), isCode('VAULT_FULL'));
  });

  promise('goes on sealing other clips after one failed', async (bench) => {
    const bad = bench.sealer.begin();
    const full = bench.createFullFile(0);
    await rejects(sealSegment(bad, full, clipOf(1 << 21)), isCode('VAULT_FULL'));
    const good = bench.sealer.begin();
    await sealSegment(good, bench.createFile(1), clipOf(10));
    assert.is((await good.finish()).sizeBytes, 10);
  });

  promise('seals something small in memory', async (bench) => {
    for (const size of [0, 1, 300]) {
      const sealed = await bench.sealer.sealSmall(clipOf(size));
      assert.is(sha256(await bench.open(sealed)), sha256(clipOf(size)));
    }
  });

  promise('names its recipients by count and by a digest of their sorted lines', async (bench) => {
    const lines = [...bench.recipients].sort().map((recipient) => `${recipient}\n`);
    assert.is(bench.sealer.recipientCount, bench.recipients.length);
    assert.is(bench.sealer.recipientsSha256, sha256(lines.join('')));
  });

  test.run();
}

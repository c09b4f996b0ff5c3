import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import path from 'node:path';
import { Decrypter } from 'age-encryption';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatIdentity } from '../../src/adapters/nacl/age-keys.ts';
import { makeKit, random, sealClip } from '../native/kit.ts';

const CLIP_COUNT = 10_000;
/** Clips a round: starting `age` from Node for each of them would take most of the time. */
const BATCH = 500;
const SEGMENT_BYTES = 300_000;
const CHUNK_BYTES = 65_536;
const SLAB_BYTES = 1 << 20;
const OPEN_ALL =
  'identity=$1; shift; for file; do age -d -i "$identity" "$file" >"$file.plain" || exit 1; done';

const many = suite('10,000 clips');
const kit = makeKit();
const identityFile = path.join(kit.folder, 'identity.txt');
fs.writeFileSync(identityFile, `${formatIdentity(kit.evidence.identity)}\n`);
const source = random.bytes(8 * SLAB_BYTES);

interface Clip {
  readonly plain: Uint8Array;
  readonly files: readonly string[];
}

function below(limit: number): number {
  return new DataView(random.bytes(4).buffer).getUint32(0) % limit;
}

/** Mostly small; every border that the sealer has, and both its neighbours, many times. */
function sizeOf(turn: number): number {
  const near = below(5) - 2;
  switch (turn % 20) {
    case 0:
      return SEGMENT_BYTES * (1 + below(3)) + near;
    case 1:
      return CHUNK_BYTES * (1 + below(4)) + near;
    case 2:
      return turn % 200 === 2 ? SLAB_BYTES * (1 + below(3)) + near * 100 : CHUNK_BYTES + near;
    case 3:
      return below(4);
    case 4:
      return below(SEGMENT_BYTES);
    default:
      return below(20_000);
  }
}

async function sealBatch(first: number): Promise<Clip[]> {
  const clips: Clip[] = [];
  for (let turn = first; turn < first + BATCH; turn++) {
    const start = below(4 * SLAB_BYTES);
    const plain = source.subarray(start, start + sizeOf(turn));
    const writeBytes = [1 + below(200_000), CHUNK_BYTES, 1 + below(2 * SLAB_BYTES)];
    const segmentBytes = turn % 200 === 2 ? 64 * SLAB_BYTES : SEGMENT_BYTES;
    const options = { name: `clip-${turn}`, segmentBytes, writeBytes };
    const sealed = await sealClip(kit, plain, options);
    assert.is(sealed.sha256, sha256(plain));
    clips.push({ plain, files: sealed.files });
  }
  return clips;
}

function sha256(...parts: readonly Uint8Array[]): string {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest('hex');
}

function read(file: string): Uint8Array {
  return Uint8Array.from(fs.readFileSync(file));
}

async function openWithAge(clips: readonly Clip[]): Promise<void> {
  const files = clips.flatMap((clip) => clip.files);
  const child: ChildProcess = spawn('sh', ['-c', OPEN_ALL, 'sh', identityFile, ...files], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [status] = (await once(child, 'close')) as [number | null];
  assert.is(status, 0, 'age refused a file');
  for (const { plain, files: sealed } of clips) {
    assert.is(sha256(...sealed.map((file) => read(`${file}.plain`))), sha256(plain));
  }
}

async function openWithNpm(clips: readonly Clip[]): Promise<void> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(formatIdentity(kit.escrow.identity));
  for (const { plain, files } of clips) {
    const parts: Uint8Array[] = [];
    for (const file of files) parts.push(await decrypter.decrypt(read(file)));
    assert.is(sha256(...parts), sha256(plain));
  }
}

many('open identically with Debian age and with age-encryption', async () => {
  for (let first = 0; first < CLIP_COUNT; first += BATCH) {
    const clips = await sealBatch(first);
    await Promise.all([openWithAge(clips), openWithNpm(clips)]);
    for (const file of clips.flatMap((clip) => clip.files)) {
      fs.rmSync(file);
      fs.rmSync(`${file}.plain`);
    }
  }
});

many.after(() => kit.remove());
many.run();

import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { Decrypter, Encrypter } from 'age-encryption';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatIdentity } from '../../src/adapters/nacl/age-keys.ts';
import { concatBytes } from '../../src/core/bytes.ts';
import { makeKit, openClip, random, sealClip } from './kit.ts';

const MIB = 1 << 20;
const SIZES = [
  0,
  1,
  15,
  16,
  17,
  65_535,
  65_536,
  65_537,
  131_071,
  131_072,
  131_073,
  MIB - 1,
  MIB,
  MIB + 1,
  3 * MIB + 5,
];
const stream = suite('native stream');
const kit = makeKit();

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function readIndependently(file: string, identity: Uint8Array): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(formatIdentity(identity));
  return decrypter.decrypt(Uint8Array.from(fs.readFileSync(file)));
}

for (const size of SIZES) {
  stream(`seals ${size} bytes so that an independent reader gets them back`, async () => {
    const clip = random.bytes(size);
    const options = { name: `whole-${size}`, segmentBytes: 64 * MIB, writeBytes: [262_144] };
    const sealed = await sealClip(kit, clip, options);
    const [file = ''] = sealed.files;
    const bytes = fs.readFileSync(file);
    assert.equal(sealed.sha256, sha256(clip));
    assert.is(sealed.sizeBytes, size);
    assert.equal(sealed.segments, [
      { plainBytes: size, fileBytes: bytes.length, sha256: sha256(Uint8Array.from(bytes)) },
    ]);
    for (const pair of [kit.evidence, kit.escrow]) {
      assert.is(sha256(await readIndependently(file, pair.identity)), sha256(clip));
    }
  });

  stream(`opens its own file of ${size} bytes with the same digests`, async () => {
    const clip = random.bytes(size);
    const options = {
      name: `own-${size}`,
      segmentBytes: 64 * MIB,
      writeBytes: [100_000, 1, 65_536],
    };
    const sealed = await sealClip(kit, clip, options);
    const opened = await openClip(kit, kit.opener, sealed.files);
    assert.is(opened.sha256, sealed.sha256);
    assert.is(sha256(opened.plain), sealed.sha256);
    assert.is(opened.segments[0]?.sha256, sealed.segments[0]?.sha256);
    assert.is(opened.segments[0]?.fileBytes, sealed.segments[0]?.fileBytes);
    assert.is(opened.segments[0]?.stanzaCount, 2);
  });

  stream(`opens what another program sealed from ${size} bytes`, async () => {
    const clip = random.bytes(size);
    const encrypter = new Encrypter();
    for (const recipient of kit.recipients) encrypter.addRecipient(recipient);
    const file = `${kit.folder}/other-${size}.age`;
    fs.writeFileSync(file, await encrypter.encrypt(clip));
    const opened = await openClip(kit, kit.opener, [file]);
    assert.is(opened.sha256, sha256(clip));
    assert.is(sha256(opened.plain), sha256(clip));
  });
}

stream('gives one digest over several segments and keys of its own to each', async () => {
  const clip = random.bytes(2 * MIB + 77);
  const options = { name: 'several', segmentBytes: 524_288, writeBytes: [70_000, 65_536, 3] };
  const sealed = await sealClip(kit, clip, options);
  const plain = await Promise.all(
    sealed.files.map((file) => readIndependently(file, kit.escrow.identity)),
  );
  assert.is(sealed.files.length, 5);
  assert.is(sealed.sha256, sha256(clip));
  assert.is(sha256(concatBytes(...plain)), sha256(clip));
  const headers = sealed.files.map((file) => fs.readFileSync(file).subarray(0, 266).toString());
  assert.is(new Set(headers).size, 5);
  const opened = await openClip(kit, kit.opener, sealed.files);
  assert.is(opened.sha256, sealed.sha256);
  assert.is(opened.sizeBytes, clip.length);
});

stream('makes the same file whatever the sizes of the writes', async () => {
  const clip = random.bytes(400_000);
  for (const [index, writeBytes] of [[1000], [65_536], [65_535], [65_537], [400_000]].entries()) {
    const options = { name: `cut-${index}`, segmentBytes: 64 * MIB, writeBytes };
    const sealed = await sealClip(kit, clip, options);
    assert.is(sealed.sha256, sha256(clip));
    const opened = await openClip(kit, kit.opener, sealed.files);
    assert.is(sha256(opened.plain), sha256(clip));
  }
});

stream('refuses a file with any byte altered, cut off or added', async () => {
  const clip = random.bytes(65_536 + 40);
  const options = { name: 'attacked', segmentBytes: 64 * MIB, writeBytes: [65_536] };
  const sealed = await sealClip(kit, clip, options);
  const good = fs.readFileSync(sealed.files[0] ?? '');
  const flips = [0, 30, 200, 270, 300, 65_840, good.length - 1].map((at) => {
    const bad = Uint8Array.from(good);
    bad[at] = (bad[at] ?? 0) ^ 1;
    return bad;
  });
  const cuts = [0, 10, 266, 281, 282, 283, 65_834, 65_835, good.length - 1].map((size) =>
    Uint8Array.from(good.subarray(0, size)),
  );
  const longer = concatBytes(Uint8Array.from(good), new Uint8Array(1));
  for (const [index, bad] of [...flips, ...cuts, longer].entries()) {
    const file = `${kit.folder}/bad-${index}.age`;
    fs.writeFileSync(file, bad);
    let code: unknown = 'opened';
    try {
      await openClip(kit, kit.opener, [file]);
    } catch (error) {
      code = (error as { code?: unknown }).code;
    }
    assert.is(code, 'OPEN_FAILED', `case ${index}`);
  }
});

stream('never opens with the identity of somebody else', async () => {
  const other = makeKit();
  const options = { name: 'foreign', segmentBytes: 64 * MIB, writeBytes: [1] };
  const sealed = await sealClip(kit, random.bytes(10), options);
  try {
    await openClip(kit, other.opener, sealed.files);
    assert.unreachable();
  } catch (error) {
    assert.is((error as { code?: unknown }).code, 'OPEN_FAILED');
  }
  other.remove();
});

stream('seals and opens something small in memory, as any age reader does', async () => {
  for (const size of [0, 1, 500, 65_536, 131_072, 131_073]) {
    const plain = random.bytes(size);
    const sealed = await kit.sealer.sealSmall(plain);
    const decrypter = new Decrypter();
    decrypter.addIdentity(formatIdentity(kit.evidence.identity));
    assert.is(sha256(await decrypter.decrypt(sealed)), sha256(plain));
    assert.is(sha256(kit.opener.openSmall(sealed)), sha256(plain));
    for (const bad of [sealed.subarray(0, -1), concatBytes(sealed, new Uint8Array(1))]) {
      assert.throws(
        () => kit.opener.openSmall(bad),
        (error: Error) => 'code' in error && error.code === 'OPEN_FAILED',
      );
    }
  }
});

stream.after(() => kit.remove());
stream.run();

import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  centralHeader,
  endOf,
  localHeader,
  PackFile,
  type PackMember,
} from '../../src/cli/pack-file.ts';
import { isDockError } from '../../src/core/errors.ts';
import { openZip, type Storage } from '../../src/verifier/formats/zip.ts';
import { nodeInflate, openStorage } from '../../src/verifier/node.ts';
import { Malformed } from '../../src/verifier/report.ts';
import { numbersFrom } from './kit.ts';
import { type ZipPart, zipOf } from './zips.ts';

const zip = suite('docket-verify: zip');
const folder = mkdtempSync(join(tmpdir(), 'docket-zip-'));
zip.after(() => rmSync(folder, { recursive: true, force: true }));

const BYTES = Buffer.from('some text, some text, some text, some text');
const PART: ZipPart = { path: 'a/b.txt', bytes: BYTES };

function storageOf(bytes: Uint8Array): Storage {
  return {
    sizeBytes: bytes.length,
    async read(at, size) {
      if (at < 0 || at + size > bytes.length) throw new Malformed('it ends too early');
      return bytes.slice(at, at + size);
    },
  };
}

/** Every member of a zip file, read whole. */
async function readAll(bytes: Uint8Array): Promise<Map<string, string>> {
  const source = await openZip(storageOf(bytes), nodeInflate);
  const found = new Map<string, string>();
  for (const { path, kind } of await source.list()) {
    if (kind === 'file') {
      found.set(path, Buffer.from(await source.read(path, 1_048_576)).toString('latin1'));
    }
  }
  return found;
}

async function isRefused(bytes: Uint8Array): Promise<boolean> {
  try {
    await readAll(bytes);
    return false;
  } catch (error) {
    if (error instanceof Malformed) return true;
    throw error;
  }
}

zip('reads stored, deflated and streamed members, and folders', async () => {
  const parts: ZipPart[] = [
    { path: 'a/', bytes: new Uint8Array(0) },
    PART,
    { path: 'deflated', bytes: BYTES, deflate: true },
    { path: 'streamed', bytes: BYTES, deflate: true, streamed: true },
    { path: 'empty', bytes: new Uint8Array(0) },
  ];
  const found = await readAll(zipOf(parts));
  assert.equal([...found.keys()], ['a/b.txt', 'deflated', 'streamed', 'empty']);
  assert.is(found.get('streamed'), BYTES.toString());
  assert.is(found.get('empty'), '');
});

const HOSTILE: readonly (readonly [what: string, bytes: () => Uint8Array])[] = [
  ['a name that leaves the folder', () => zipOf([{ ...PART, path: '../b.txt' }])],
  ['a name that leaves it in the middle', () => zipOf([{ ...PART, path: 'a/../../b' }])],
  ['an absolute name', () => zipOf([{ ...PART, path: '/etc/passwd' }])],
  ['a name with a backslash', () => zipOf([{ ...PART, path: 'a\\b' }])],
  ['a name with a control character', () => zipOf([{ ...PART, path: 'a\u001bb' }])],
  ['a name beyond ASCII', () => zipOf([{ ...PART, path: 'caf\u00e9' }])],
  ['an empty name', () => zipOf([{ ...PART, path: '' }])],
  ['a name twice', () => zipOf([PART, PART])],
  ['another name in the local header', () => zipOf([{ ...PART, lie: { localPath: 'a/c.txt' } }])],
  ['a wrong checksum', () => zipOf([{ ...PART, lie: { crc: 1 } }])],
  ['fewer bytes than it says', () => zipOf([{ ...PART, deflate: true, lie: { size: 1000 } }])],
  ['more bytes than it says', () => zipOf([{ ...PART, deflate: true, lie: { size: 3 } }])],
  ['a stored size that runs on', () => zipOf([{ ...PART, lie: { size: 1_000_000 } }])],
  ['encryption', () => zipOf([{ ...PART, lie: { flags: 1 } }])],
  ['an unknown way of packing', () => zipOf([{ ...PART, lie: { method: 12 } }])],
  ['packed bytes that are none', () => zipOf([{ ...PART, lie: { method: 8 } }])],
  ['a symbolic link', () => zipOf([{ ...PART, lie: { mode: 0o120777 } }])],
  ['a folder with content', () => zipOf([{ ...PART, path: 'a/' }])],
  ['members that overlap', () => zipOf([PART, { ...PART, path: 'c', lie: { at: 0 } }])],
  ['bytes that belong to nothing', () => zipOf([PART], { gap: Buffer.from('hidden') })],
  ['bytes before the first member', () => Buffer.concat([Buffer.from('MZ'), zipOf([PART])])],
  ['bytes behind the end', () => Buffer.concat([zipOf([PART]), Buffer.from('more')])],
  ['a comment', () => zipOf([PART], { comment: 'PK' })],
  ['a count that is too small', () => zipOf([PART, { ...PART, path: 'c' }], { count: 1 })],
  ['a count that is too large', () => zipOf([PART], { count: 2 })],
  ['nothing in it', () => new Uint8Array(0)],
  ['no zip file', () => Buffer.from('%PDF-1.4 and so on, for more than twenty-two bytes')],
];

for (const [what, bytes] of HOSTILE) {
  zip(`refuses ${what}`, async () => assert.ok(await isRefused(Uint8Array.from(bytes()))));
}

zip('gives no more than a member says, however much is packed in it', async () => {
  const bomb = zipOf([
    { path: 'bomb', bytes: new Uint8Array(64 << 20), deflate: true, lie: { size: 1000 } },
  ]);
  assert.ok(bomb.length < 100_000);
  assert.ok(await isRefused(bomb));
});

zip('refuses a member that is longer than its reader can use', async () => {
  const source = await openZip(storageOf(zipOf([PART])), nodeInflate);
  const refused = await source.read('a/b.txt', 3).then(
    () => false,
    (error) => error instanceof Malformed,
  );
  assert.ok(refused);
});

zip('survives every cut and ten flips of every byte of a zip file', async () => {
  const good = zipOf([PART, { path: 'd', bytes: BYTES, deflate: true }]);
  const random = numbersFrom(3);
  for (let size = 0; size < good.length; size++) {
    assert.ok(await isRefused(good.slice(0, size)), `cut to ${size}`);
  }
  for (let turn = 0; turn < 1000; turn++) {
    const bad = good.slice();
    const at = random(bad.length);
    bad[at] = (bad[at] ?? 0) ^ (1 << random(8));
    // Most are refused; those of a date or a version say the same bytes.
    if (await isRefused(bad)) continue;
    assert.equal([...(await readAll(bad)).values()], [BYTES.toString(), BYTES.toString()]);
  }
});

zip('reads what the export writes, of any size, the same each time', async () => {
  const parts = [0, 1, 65_536, 3_000_000].map((size, index) => ({
    path: `folder/${index}`,
    bytes: Uint8Array.from(randomBytes(size)),
  }));
  const paths = ['one.zip', 'two.zip'].map((name) => join(folder, name));
  for (const path of paths) {
    const file = await PackFile.create(path);
    for (const part of parts) await file.addBytes(part.path, part.bytes);
    await file.finish();
    assert.is(file.sizeBytes, readFileSync(path).length);
  }
  const [one = '', two = ''] = paths;
  assert.ok(readFileSync(one).equals(readFileSync(two)));
  const storage = await openStorage(one);
  try {
    const source = await openZip(storage, nodeInflate);
    for (const { path, bytes } of parts) {
      assert.ok(Buffer.from(bytes).equals(await source.read(path, 4_000_000)));
    }
  } finally {
    await storage.close();
  }
});

/** A file of more than 4 GiB that takes no room: all of it is 0 but what is put there. */
function hugeStorage(sizeBytes: number, pieces: readonly (readonly [at: number, Uint8Array])[]) {
  return {
    sizeBytes,
    async read(at: number, size: number) {
      const bytes = new Uint8Array(size);
      for (const [start, piece] of pieces) {
        for (let i = 0; i < piece.length; i++) {
          const place = start + i - at;
          if (place >= 0 && place < size) bytes[place] = piece[i] ?? 0;
        }
      }
      return bytes;
    },
  };
}

zip('finds members beyond 4 GiB where the export puts them', async () => {
  const crc = crc32(BYTES);
  const first: PackMember = { path: 'first', crc: 0, sizeBytes: 0xfffffffe, at: 0 };
  const second: PackMember = { path: 'second', crc, sizeBytes: BYTES.length, at: 0xfffffffe + 35 };
  const directoryAt = second.at + 36 + BYTES.length;
  const directory = Buffer.concat([centralHeader(first), centralHeader(second)]);
  const end = endOf(2, directory.length, directoryAt);
  const storage = hugeStorage(directoryAt + directory.length + end.length, [
    [0, localHeader(first)],
    [second.at, localHeader(second)],
    [second.at + 36, BYTES],
    [directoryAt, directory],
    [directoryAt + directory.length, end],
  ]);
  const source = await openZip(storage, nodeInflate);
  assert.equal(
    (await source.list()).map(({ sizeBytes }) => sizeBytes),
    [0xfffffffe, BYTES.length],
  );
  assert.ok(BYTES.equals(await source.read('second', 1000)));
});

zip('leaves nothing behind when a pack is abandoned, or a member has another size', async () => {
  const before = readdirSync(folder);
  const file = await PackFile.create(join(folder, 'never.zip'));
  async function* three(): AsyncGenerator<Uint8Array> {
    yield Uint8Array.of(1, 2, 3);
  }
  const refused = await file.add('a', 4, three()).then(
    () => false,
    (error) => isDockError(error, 'VAULT_MISSING'),
  );
  await file.abandon();
  assert.ok(refused);
  assert.equal(readdirSync(folder), before);
});

zip.run();

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FsCustodyStore, readCustody } from '../../../src/adapters/fs/custody-store.ts';
import { tilePath } from '../../../src/adapters/fs/custody-tiles.ts';
import { lockDataDir } from '../../../src/adapters/fs/data-lock.ts';
import { decodeBundle, encodeRecord, scanJournal } from '../../../src/adapters/fs/journal.ts';
import { concatBytes, equalBytes, utf8 } from '../../../src/core/bytes.ts';
import { leafHash, MerkleTree } from '../../../src/core/custody/merkle.ts';
import { checkpointOf, leavesOf, rejectsWith } from '../../contracts/custody-store.ts';
import { sha256 } from '../../core/custody/keys.ts';

const store = suite<{ directory: string }>('custody store on the file system');

store.before.each(async (context) => {
  context.directory = await mkdtemp(join(tmpdir(), 'docket-custody-'));
});
store.after.each(async ({ directory }) => rm(directory, { recursive: true }));

/** Six entries in three appends; the checkpoint is of the first `published`. */
async function write(directory: string, published: number): Promise<void> {
  const opened = new FsCustodyStore(directory);
  await opened.open();
  for (const [first, count] of [
    [0, 1],
    [1, 3],
    [4, 2],
  ] as const) {
    await opened.append(leavesOf(count, first));
    if (first + count === published) await opened.putCheckpoint(checkpointOf(leavesOf(published)));
  }
  await opened.close();
}

async function bytesOf(directory: string, name: string): Promise<Uint8Array> {
  return new Uint8Array(await readFile(join(directory, name)));
}

/** All files with their bytes, but for locks. */
async function snapshot(directory: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const name of await readdir(directory, { recursive: true, encoding: 'utf8' })) {
    if (/^(entries|check|tile\/.*\d$)/.test(name)) {
      files[name] = await readFile(join(directory, name), 'hex').catch(() => 'directory');
    }
  }
  return files;
}

store('cuts a tail torn at any byte, says so, and goes on', async ({ directory }) => {
  await write(directory, 4);
  const whole = await bytesOf(directory, 'entries');
  const { records } = scanJournal(whole);
  const last = records[2]?.offset ?? 0;
  for (let size = last; size < whole.length; size++) {
    await writeFile(join(directory, 'entries'), whole.subarray(0, size));
    assert.is((await readCustody(directory)).tornBytes, size - last);
    const opened = new FsCustodyStore(directory);
    const contents = await opened.open();
    assert.equal(contents.leaves, leavesOf(4), `cut at ${size}`);
    assert.is(contents.tornBytes, size - last);
    await opened.append(leavesOf(2, 4));
    await opened.close();
    assert.equal(await bytesOf(directory, 'entries'), whole);
  }
});

store('cuts a tail of zeros or of another’s bytes', async ({ directory }) => {
  await write(directory, 6);
  const whole = await bytesOf(directory, 'entries');
  for (const tail of [new Uint8Array(1), new Uint8Array(4096), utf8('garbage of some length')]) {
    await writeFile(join(directory, 'entries'), concatBytes(whole, tail));
    const opened = new FsCustodyStore(directory);
    assert.is((await opened.open()).tornBytes, tail.length);
    await opened.close();
    assert.equal(await bytesOf(directory, 'entries'), whole);
  }
});

store(
  'refuses a log cut anywhere inside its published size, and changes nothing',
  async ({ directory }) => {
    await write(directory, 6);
    const whole = await bytesOf(directory, 'entries');
    for (let size = 0; size < whole.length; size++) {
      await writeFile(join(directory, 'entries'), whole.subarray(0, size));
      const error = await rejectsWith(new FsCustodyStore(directory).open(), 'CUSTODY_CORRUPT');
      assert.match(error.message, /entries: .* at byte \d+/);
      await rejectsWith(readCustody(directory), 'CUSTODY_CORRUPT');
      assert.is((await bytesOf(directory, 'entries')).length, size);
    }
  },
);

store(
  'refuses a log with any bit flipped inside its published size, by file, record and byte',
  async ({ directory }) => {
    await write(directory, 6);
    const before = await snapshot(directory);
    const whole = await bytesOf(directory, 'entries');
    for (let at = 0; at < whole.length; at++) {
      const flipped = whole.slice();
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      await writeFile(join(directory, 'entries'), flipped);
      await rejectsWith(new FsCustodyStore(directory).open(), 'CUSTODY_CORRUPT');
      assert.equal(await bytesOf(directory, 'entries'), flipped);
    }
    await writeFile(join(directory, 'entries'), whole);
    assert.equal(await snapshot(directory), before);
  },
);

store(
  'refuses damage beyond the published size when whole records follow it',
  async ({ directory }) => {
    await write(directory, 1);
    const whole = await bytesOf(directory, 'entries');
    const second = scanJournal(whole).records[1]?.offset ?? 0;
    const flipped = whole.slice();
    flipped[second + 12] = (flipped[second + 12] ?? 0) ^ 1;
    await writeFile(join(directory, 'entries'), flipped);
    const error = await rejectsWith(new FsCustodyStore(directory).open(), 'CUSTODY_CORRUPT');
    assert.match(error.message, new RegExp(`entries: record 1 at byte ${second}`));
  },
);

store('refuses a log that was rewritten with checksums that fit', async ({ directory }) => {
  await write(directory, 6);
  const forged = concatBytes(
    ...scanJournal(await bytesOf(directory, 'entries')).records.map(({ payload }) =>
      encodeRecord(payload.map((byte) => (byte === 0x33 ? 0x34 : byte))),
    ),
  );
  await writeFile(join(directory, 'entries'), forged);
  const error = await rejectsWith(new FsCustodyStore(directory).open(), 'CUSTODY_CORRUPT');
  assert.match(error.message, /root/);
});

store('refuses a checkpoint or a history that is damaged or gone', async ({ directory }) => {
  await write(directory, 6);
  const original = join(directory, '..', `${directory.split('/').at(-1)}-original`);
  await cp(directory, original, { recursive: true });
  for (const spoil of [
    () => writeFile(join(directory, 'checkpoint'), ''),
    () => writeFile(join(directory, 'checkpoint'), 'x\n'),
    () => flipBit(join(directory, 'checkpoint'), 20),
    () => flipBit(join(directory, 'checkpoint'), -10),
    () => writeFile(join(directory, 'checkpoints'), ''),
    () => rm(join(directory, 'checkpoints')),
    () => rm(join(directory, 'entries')),
  ]) {
    await spoil();
    await rejectsWith(new FsCustodyStore(directory).open(), 'CUSTODY_CORRUPT');
    for (const name of ['checkpoint', 'checkpoints', 'entries']) {
      await copyFile(join(original, name), join(directory, name));
    }
  }
  await rm(original, { recursive: true });
  const opened = new FsCustodyStore(directory);
  await opened.open();
  await opened.close();
});

async function flipBit(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

store('finishes a checkpoint whose writing was cut', async ({ directory }) => {
  await write(directory, 4);
  const older = await readFile(join(directory, 'checkpoint'));
  const opened = new FsCustodyStore(directory);
  await opened.open();
  await opened.putCheckpoint(checkpointOf(leavesOf(6)));
  await opened.close();
  const newer = checkpointOf(leavesOf(6));
  for (const spoil of [
    () => writeFile(join(directory, 'checkpoint'), older),
    () => rm(join(directory, 'checkpoint')),
  ]) {
    await spoil();
    const again = new FsCustodyStore(directory);
    assert.is((await again.open()).checkpoint, newer);
    await again.close();
    assert.is(await readFile(join(directory, 'checkpoint'), 'utf8'), newer);
  }
});

store('keeps every checkpoint', async ({ directory }) => {
  await write(directory, 4);
  const opened = new FsCustodyStore(directory);
  await opened.open();
  await opened.putCheckpoint(checkpointOf(leavesOf(6)));
  await opened.close();
  const { records } = scanJournal(await bytesOf(directory, 'checkpoints'));
  assert.equal(
    records.map(({ payload }) => new TextDecoder().decode(payload)),
    [checkpointOf(leavesOf(4)), checkpointOf(leavesOf(6))],
  );
});

store('reads beside a writer without touching anything', async ({ directory }) => {
  const writer = new FsCustodyStore(directory);
  await writer.open();
  await writer.append(leavesOf(3));
  await writer.putCheckpoint(checkpointOf(leavesOf(3)));
  const before = await snapshot(directory);
  assert.equal((await readCustody(directory)).leaves, leavesOf(3));
  assert.equal(await snapshot(directory), before);
  await writer.append(leavesOf(1, 3));
  await writer.close();
  const none = join(directory, 'none');
  assert.equal(await readCustody(none), { leaves: [], checkpoint: undefined, tornBytes: 0 });
  assert.not((await readdir(directory)).includes('none'));
});

store('names tiles as the format says', () => {
  assert.is(tilePath(0, 0), 'tile/0/000');
  assert.is(tilePath('entries', 999), 'tile/entries/999');
  assert.is(tilePath(1, 1_000), 'tile/1/x001/000');
  assert.is(tilePath(2, 1_234_067), 'tile/2/x001/x234/067');
});

store(
  'writes every tile that fills, and makes damaged and missing ones again',
  async ({ directory }) => {
    const leaves = leavesOf(600);
    const opened = new FsCustodyStore(directory);
    await opened.open();
    await opened.append(leaves.slice(0, 255));
    assert.not((await readdir(directory)).includes('tile'));
    for (const leaf of leaves.slice(255, 258)) await opened.append([leaf]);
    await opened.append(leaves.slice(258));
    await opened.close();
    const tree = new MerkleTree(sha256);
    for (const leaf of leaves) tree.append(leaf);
    const hashes = leaves.slice(256, 512).map((leaf) => leafHash(leaf, sha256));
    assert.equal(await bytesOf(directory, 'tile/0/001'), concatBytes(...hashes));
    assert.equal(decodeBundle(await bytesOf(directory, 'tile/entries/000')), leaves.slice(0, 256));
    const tiles = await snapshot(directory);
    assert.is(Object.keys(tiles).filter((name) => /\/\d{3}$/.test(name)).length, 4);
    await writeFile(join(directory, 'tile/0/000'), 'damaged');
    await rm(join(directory, 'tile/entries/001'));
    const again = new FsCustodyStore(directory);
    await again.open();
    assert.is(again.tilesFault, undefined);
    await again.close();
    assert.equal(await snapshot(directory), tiles);
  },
);

store('writes the higher tiles of a large log', async ({ directory }) => {
  const leaves = leavesOf(65_536);
  const opened = new FsCustodyStore(directory);
  await opened.open();
  for (let at = 0; at < leaves.length; at += 8_192)
    await opened.append(leaves.slice(at, at + 8_192));
  await opened.close();
  const tree = new MerkleTree(sha256);
  for (const leaf of leaves) tree.append(leaf);
  const hashes = Array.from({ length: 256 }, (_, index) => tree.subtree(8, index));
  assert.ok(equalBytes(await bytesOf(directory, 'tile/1/000'), concatBytes(...hashes)));
  assert.is((await readdir(join(directory, 'tile/0'))).length, 256);
});

store('goes on appending when a tile cannot be written, and says why', async ({ directory }) => {
  const opened = new FsCustodyStore(directory);
  await opened.open();
  await mkdir(join(directory, 'tile/entries/000/in-the-way'), { recursive: true });
  await opened.append(leavesOf(300));
  await opened.append(leavesOf(1, 300));
  assert.is(opened.tilesFault?.code, 'DURABLE_WRITE_FAILED');
  await opened.close();
  assert.is((await readCustody(directory)).leaves.length, 301);
});

store('does not append an entry that is too long for a tile', async ({ directory }) => {
  const opened = new FsCustodyStore(directory);
  await opened.open();
  await opened
    .append([new Uint8Array(65_536)])
    .then(() => assert.unreachable())
    .catch((error: Error) => assert.match(error.message, /assertion failed/));
  await opened.close();
  assert.is((await readCustody(directory)).leaves.length, 0);
});

store('is locked by a living process and by no dead one', async ({ directory }) => {
  const lock = await lockDataDir(directory);
  const error = await rejectsWith(lockDataDir(directory), 'DATA_DIR_IN_USE');
  assert.match(error.message, new RegExp(`process ${process.pid} `));
  const [own = ''] = await readdir(directory);
  await lock.release();
  await lock.release();
  const parts = own.split('-');
  const dead = [
    `lock-${parts[1]}-${process.pid}-1`,
    `lock-ffffffff-${process.pid}-${parts[3]}`,
    `lock-${parts[1]}-4194305-5`,
  ];
  for (const name of dead) await writeFile(join(directory, name), '');
  const next = await lockDataDir(directory);
  assert.equal(await readdir(directory), [own]);
  await next.release();
  await writeFile(join(directory, `lock-${parts[1]}-1-${await startOf(1)}`), '');
  await rejectsWith(lockDataDir(directory), 'DATA_DIR_IN_USE');
  assert.is((await readdir(directory)).length, 1);
});

async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

store('has every acknowledged entry after each of twelve kills', async ({ directory }) => {
  const child = fileURLToPath(new URL('append-until-killed.ts', import.meta.url));
  for (let round = 0; round < 12; round++) {
    const writer = spawn(process.execPath, ['--import', 'tsx', child, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    writer.stdout.setEncoding('utf8');
    writer.stdout.on('data', (text: string) => {
      said += text;
      if (said.split('\n').length > 2 + round * 3) writer.kill('SIGKILL');
    });
    await once(writer, 'close');
    const acknowledged = Number.parseInt(said.split('\n').at(-2) ?? '0', 10);
    const opened = new FsCustodyStore(directory);
    const { leaves } = await opened.open();
    await opened.close();
    assert.ok(leaves.length >= acknowledged, `${leaves.length} of ${acknowledged}`);
    assert.equal(leaves, leavesOf(leaves.length));
  }
});

store.run();

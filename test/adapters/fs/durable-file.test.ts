import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AppendFile,
  createDirectory,
  createFile,
  readIfPresent,
  removeDurably,
  renameDirectory,
  replaceFile,
  sweepTemporaries,
} from '../../../src/adapters/fs/durable-file.ts';
import { utf8 } from '../../../src/core/bytes.ts';
import { rejectsWith } from '../../contracts/custody-store.ts';

const durable = suite<{ directory: string }>('durable file');

durable.before.each(async (context) => {
  context.directory = await mkdtemp(join(tmpdir(), 'docket-durable-'));
});
durable.after.each(async ({ directory }) => rm(directory, { recursive: true }));

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8');
}

durable('replaces a file and leaves nothing else behind', async ({ directory }) => {
  const path = join(directory, 'file');
  await replaceFile(path, utf8('one'));
  await replaceFile(path, utf8('two'));
  await replaceFile(path, new Uint8Array(0));
  assert.is(await textOf(path), '');
  await replaceFile(path, new Uint8Array(3_000_000).fill(0x61));
  assert.is((await textOf(path)).length, 3_000_000);
  assert.equal(await readdir(directory), ['file']);
  assert.is((await stat(path)).mode & 0o777, 0o600);
});

durable('replaces what a symbolic link is, not what it points at', async ({ directory }) => {
  await writeFile(join(directory, 'target'), 'kept');
  await symlink(join(directory, 'target'), join(directory, 'file'));
  await replaceFile(join(directory, 'file'), utf8('new'));
  assert.is(await textOf(join(directory, 'target')), 'kept');
  assert.is(await textOf(join(directory, 'file')), 'new');
});

durable('keeps the old file when the new one cannot take its place', async ({ directory }) => {
  const path = join(directory, 'file');
  await mkdir(path);
  await rejectsWith(replaceFile(path, utf8('new')), 'DURABLE_WRITE_FAILED');
  await rejectsWith(
    replaceFile(join(directory, 'none', 'file'), utf8('x')),
    'DURABLE_WRITE_FAILED',
  );
  assert.equal(await readdir(directory), ['file']);
});

durable('creates a file once, and never over another', async ({ directory }) => {
  const path = join(directory, 'file');
  await createFile(path, utf8('first'));
  await rejectsWith(createFile(path, utf8('second')), 'VAULT_EXISTS');
  assert.is(await textOf(path), 'first');
  await symlink(join(directory, 'nowhere'), join(directory, 'link'));
  await rejectsWith(createFile(join(directory, 'link'), utf8('x')), 'VAULT_EXISTS');
  assert.equal((await readdir(directory)).sort(), ['file', 'link']);
  assert.is((await stat(path)).nlink, 1);
});

durable('creates directories, again if need be', async ({ directory }) => {
  const path = join(directory, 'a', 'b', 'c');
  await createDirectory(path);
  await createDirectory(path);
  assert.ok((await stat(path)).isDirectory());
  await writeFile(join(directory, 'file'), '');
  await rejectsWith(createDirectory(join(directory, 'file', 'x')), 'DURABLE_WRITE_FAILED');
});

durable('moves a directory, and never over another', async ({ directory }) => {
  await createDirectory(join(directory, 'drafts', 'one'));
  await createDirectory(join(directory, 'vault', 'two'));
  await writeFile(join(directory, 'drafts', 'one', 'file'), 'x');
  const to = (name: string) => join(directory, 'vault', name);
  await rejectsWith(renameDirectory(join(directory, 'drafts', 'one'), to('two')), 'VAULT_EXISTS');
  await renameDirectory(join(directory, 'drafts', 'one'), to('one'));
  assert.is(await textOf(join(to('one'), 'file')), 'x');
  assert.equal(await readdir(join(directory, 'drafts')), []);
});

durable('removes files and whole directories, again if need be', async ({ directory }) => {
  await createDirectory(join(directory, 'a', 'b'));
  await createFile(join(directory, 'a', 'b', 'file'), utf8('x'));
  await removeDurably(join(directory, 'a'));
  await removeDurably(join(directory, 'a'));
  assert.equal(await readdir(directory), []);
});

durable('sweeps its own leftovers and nothing else', async ({ directory }) => {
  await writeFile(join(directory, '.manifest.note.0123456789abcdef.tmp'), 'half');
  for (const name of ['.hidden', 'x.tmp', '.x.tmp', '.x.0123.tmp']) {
    await writeFile(join(directory, name), '');
  }
  assert.is(await sweepTemporaries(directory), 1);
  assert.is(await sweepTemporaries(directory), 0);
  assert.is((await readdir(directory)).length, 4);
});

durable('reads what is there, and undefined where there is nothing', async ({ directory }) => {
  await writeFile(join(directory, 'file'), 'x');
  assert.equal(await readIfPresent(join(directory, 'file')), utf8('x'));
  assert.is(await readIfPresent(join(directory, 'none')), undefined);
  await rejectsWith(readIfPresent(directory), 'DURABLE_WRITE_FAILED');
});

durable('appends, cuts and opens again', async ({ directory }) => {
  const path = join(directory, 'log');
  const file = await AppendFile.open(path);
  await file.append(utf8('one'));
  await file.append(utf8('two'));
  assert.is(file.sizeBytes, 6);
  await file.truncate(4);
  await file.append(utf8('!'));
  await file.close();
  const again = await AppendFile.open(path);
  assert.is(again.sizeBytes, 5);
  await again.close();
  assert.is(await textOf(path), 'onet!');
});

durable('does not follow a link to append', async ({ directory }) => {
  await writeFile(join(directory, 'target'), '');
  await symlink(join(directory, 'target'), join(directory, 'log'));
  await rejectsWith(AppendFile.open(join(directory, 'log')), 'DURABLE_WRITE_FAILED');
});

durable('says that the disk is full', async () => {
  const full = await AppendFile.open('/dev/full');
  await rejectsWith(full.append(utf8('x')), 'VAULT_FULL');
  await full.close();
});

durable('never writes again to a file whose fsync failed', async () => {
  // A device that takes writes and refuses fsync.
  const file = await AppendFile.open('/dev/null');
  const first = await rejectsWith(file.append(utf8('x')), 'DURABLE_WRITE_FAILED');
  assert.match(first.message, /EINVAL/);
  const second = await rejectsWith(file.append(utf8('x')), 'DURABLE_WRITE_FAILED');
  assert.match(second.message, /not written again/);
  assert.is(file.sizeBytes, 0);
  await file.close();
});

durable.run();

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { durableFile } from '../../src/adapters/fs/durable-file.ts';
import { LowdbStateCache } from '../../src/adapters/lowdb/state-cache.ts';
import { FakeStateCache } from '../fakes/fake-cache.ts';
import { rejectsWith } from './custody-store.ts';
import { stateCacheContract } from './state-cache.ts';

stateCacheContract('in memory', async () => {
  const cache = new FakeStateCache();
  return { cache: () => cache, dispose: async () => undefined };
});

stateCacheContract('lowdb', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'docket-cache-'));
  const path = join(directory, 'cache.json');
  return {
    cache: () => new LowdbStateCache(durableFile(path)),
    dispose: () => rm(directory, { recursive: true }),
  };
});

const cache = suite('lowdb state cache');

cache('is undefined for a file that is empty, cut, zeroed, foreign or not JSON', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'docket-cache-'));
  const path = join(directory, 'cache.json');
  await new LowdbStateCache(durableFile(path)).save({ treeSize: 4, text: 'é' });
  const whole = new Uint8Array(await readFile(path));
  const broken = [
    ...Array.from({ length: whole.length - 1 }, (_, length) => whole.slice(0, length)),
    new Uint8Array(whole.length),
    Uint8Array.from([...whole.slice(0, 8), ...new Uint8Array(whole.length - 8)]),
    Uint8Array.of(0xff, 0xfe),
    ...['null', '[]', '4', '"x"', '{}', 'value'].map((text) => new TextEncoder().encode(text)),
  ];
  for (const bytes of broken) {
    await writeFile(path, bytes);
    const reopened = new LowdbStateCache(durableFile(path));
    assert.is(await reopened.load(), undefined, new TextDecoder().decode(bytes));
    await reopened.save({ treeSize: 5 });
    assert.equal(await reopened.load(), { treeSize: 5 });
  }
  await rm(directory, { recursive: true });
});

cache('is undefined where it cannot be read, and says so where it cannot be written', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'docket-cache-'));
  const path = join(directory, 'cache.json');
  await mkdir(path);
  const unreadable = new LowdbStateCache(durableFile(path));
  assert.is(await unreadable.load(), undefined);
  await rejectsWith(unreadable.save({ treeSize: 1 }), 'DURABLE_WRITE_FAILED');
  await rm(directory, { recursive: true });
});

cache.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CustodyLog } from '../../src/app/custody-log.ts';
import { formatHex } from '../../src/core/bytes.ts';
import { readCheckpointNote } from '../../src/core/custody/checkpoint.ts';
import { type ErrorCode, isDockError } from '../../src/core/errors.ts';
import { testCrypto } from '../core/custody/keys.ts';
import { FakeStateCache } from '../fakes/fake-cache.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeCustodyDisk, FakeCustodyStore } from '../fakes/fake-custody-store.ts';
import { FakeLogger } from '../fakes/fake-logger.ts';
import { KEYS } from './bench.ts';

const log = suite('custody log');
const stopped = { kind: 'dock-stopped' } as const;

function compose(disk = new FakeCustodyDisk(), cache = new FakeStateCache()) {
  const store = new FakeCustodyStore(disk);
  const logger = new FakeLogger();
  const custody = new CustodyLog({
    ...{ store, cache, logger, logKey: KEYS.log, crypto: testCrypto, clock: new FakeClock() },
    boot: '00000001',
  });
  return { disk, cache, store, logger, custody };
}

async function rejectsWith(code: ErrorCode, work: Promise<unknown>): Promise<void> {
  const outcome = await work.then(
    () => 'it was not refused',
    (error: unknown) => error,
  );
  assert.ok(isDockError(outcome, code), String(outcome));
}

log('takes nothing before it is open', async () => {
  const { custody, disk } = compose();
  await rejectsWith('CUSTODY_UNWRITABLE', custody.append([stopped]));
  assert.is(disk.leaves.length, 0);
});

log('takes nothing once it is closed', async () => {
  const { custody, disk } = compose();
  await custody.open();
  await custody.close();
  await rejectsWith('CUSTODY_UNWRITABLE', custody.append([stopped]));
  assert.is(disk.leaves.length, 0);
});

log('has signed what it acknowledges', async () => {
  const { custody, disk } = compose();
  await custody.open();
  const [first] = await custody.append([stopped, stopped]);
  assert.is(first?.index, 0);
  const checkpoint = readCheckpointNote(disk.checkpoints.at(-1) ?? '');
  assert.is(checkpoint.treeSize, 2);
  assert.is(formatHex(checkpoint.root), formatHex(custody.prove(0).root));
});

log('writes what waits in one go, in order, and gives each its own index', async () => {
  const { custody, disk } = compose();
  await custody.open();
  const appended = await Promise.all([1, 2, 3, 4, 5].map(() => custody.append([stopped])));
  assert.equal(
    appended.map(([entry]) => entry?.index),
    [0, 1, 2, 3, 4],
  );
  assert.ok(disk.checkpoints.length < 5);
});

for (const fault of ['failAppend', 'failCheckpoint'] as const) {
  log(`acknowledges nothing more after ${fault}, and a new start reads what is there`, async () => {
    const { custody, store, disk, cache } = compose();
    await custody.open();
    await custody.append([stopped]);
    store[fault] = true;
    await rejectsWith('CUSTODY_UNWRITABLE', custody.append([stopped]));
    store[fault] = false;
    await rejectsWith('CUSTODY_UNWRITABLE', custody.append([stopped]));
    assert.is(custody.state.treeSize, 1);
    await custody.close();
    const next = compose(disk, cache).custody;
    await next.open();
    assert.is(next.state.treeSize, disk.leaves.length);
    assert.is(readCheckpointNote(disk.checkpoints.at(-1) ?? '').treeSize, disk.leaves.length);
  });
}

log('is rebuilt from its entries when the cache is cut, foreign or of a longer log', async () => {
  const other = compose();
  await other.custody.open();
  await other.custody.append([stopped, stopped, stopped]);
  await other.custody.close();
  const first = compose();
  await first.custody.open();
  await first.custody.append([stopped]);
  await first.custody.close();
  const own = first.cache.text;
  for (const text of [
    'null',
    '{}',
    '{"version":1}',
    other.cache.text,
    own?.replace('true', 'false'),
  ]) {
    const cache = new FakeStateCache();
    cache.text = text;
    const next = compose(first.disk, cache);
    await next.custody.open();
    assert.is(next.custody.state.treeSize, 1);
    assert.is(next.logger.of('cache-rebuilt').length, 1);
    await next.custody.close();
  }
  const cached = compose(first.disk, first.cache);
  await cached.custody.open();
  assert.is(cached.logger.of('cache-rebuilt').length, 0);
});

log('goes on when the cache cannot be saved', async () => {
  const { custody, cache, logger } = compose();
  cache.failSave = true;
  await custody.open();
  await custody.saveCache();
  assert.is(logger.of('cache-not-saved').length, 1);
});

log('refuses a log that is shorter than what was signed, and leaves it as it is', async () => {
  const { custody, disk } = compose();
  await custody.open();
  await custody.append([stopped]);
  await custody.append([stopped]);
  await custody.close();
  disk.leaves.pop();
  const next = compose(disk);
  await rejectsWith('CUSTODY_CORRUPT', next.custody.open());
  await rejectsWith('CUSTODY_CORRUPT', next.custody.append([stopped]));
  assert.is(disk.leaves.length, 1);
  assert.is(disk.isOpen, false, 'the lock is given back');
});

log('refuses a checkpoint that another key signed', async () => {
  const { custody, disk } = compose();
  await custody.open();
  await custody.append([stopped]);
  await custody.close();
  disk.checkpoints = disk.checkpoints.map((note) => note.replace(/[A-Za-z]{4}\n$/, 'AAAA\n'));
  disk.checkpoints = disk.checkpoints.map((note) => note.replace(/.{12}\n$/, 'AAAAAAAAAAA=\n'));
  await rejectsWith('CUSTODY_CORRUPT', compose(disk).custody.open());
});

log.run();

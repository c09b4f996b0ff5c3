import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FsOrderStore } from '../../src/adapters/fs/order-store.ts';
import type { OrderStore } from '../../src/ports/order-store.ts';
import { FakeOrderStore } from '../fakes/fake-order-store.ts';
import { clipId } from './vault-contract.ts';

const store = suite('order store');
const folders: string[] = [];
store.after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'order-store-'));
  folders.push(folder);
  return folder;
}

/** The same disk, twice. */
const MEANS: Readonly<Record<string, () => Promise<() => OrderStore>>> = {
  fake: async () => {
    const fake = new FakeOrderStore();
    return () => fake;
  },
  fs: async () => {
    const folder = await newFolder();
    return () => new FsOrderStore(folder);
  },
};

for (const [name, make] of Object.entries(MEANS)) {
  store(
    `${name}: has nothing at first, and then what was put last, also for the next run`,
    async () => {
      const open = await make();
      const first = open();
      await first.start();
      const clip = clipId('one');
      assert.is(await first.readReceipt(1), undefined);
      assert.is(await first.readRoles(), undefined);
      assert.is(await first.readCertificate(clip), undefined);
      for (const text of ['before', 'after']) {
        await first.putOrder(1, text);
        await first.putReceipt(1, `${text} receipt`);
        await first.putRoles(`${text} roles`);
        await first.putCertificate(clip, `${text} certificate`);
      }
      const next = open();
      await next.start();
      assert.is(await next.readReceipt(1), 'after receipt');
      assert.is(await next.readReceipt(2), undefined);
      assert.is(await next.readRoles(), 'after roles');
      assert.is(await next.readCertificate(clip), 'after certificate');
    },
  );
}

store('a write that was cut off leaves no trace after the next start', async () => {
  const folder = await newFolder();
  const fs = new FsOrderStore(folder);
  await fs.start();
  const torn = join(folder, 'orders', '.roles.note.0123456789abcdef.tmp');
  await writeFile(torn, 'half');
  await fs.start();
  assert.is(await fs.readRoles(), undefined);
  assert.throws(() => readFileSync(torn));
});

store.run();

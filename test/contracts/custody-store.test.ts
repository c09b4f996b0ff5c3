import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FsCustodyStore } from '../../src/adapters/fs/custody-store.ts';
import { FakeCustodyDisk, FakeCustodyStore } from '../fakes/fake-custody-store.ts';
import { custodyStoreContract } from './custody-store.ts';

custodyStoreContract('in memory', async () => {
  const disk = new FakeCustodyDisk();
  return { store: () => new FakeCustodyStore(disk), dispose: async () => undefined };
});

custodyStoreContract('on the file system', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'docket-custody-'));
  return {
    store: () => new FsCustodyStore(join(directory, 'data', 'custody')),
    dispose: () => rm(directory, { recursive: true }),
  };
});

/** Appends to the custody log in the folder given, and says on stdout which entries are durable, until it is killed. */
import { writeSync } from 'node:fs';
import { FsCustodyStore } from '../../../src/adapters/fs/custody-store.ts';
import { checkpointOf, leavesOf } from '../../contracts/custody-store.ts';

const store = new FsCustodyStore(process.argv[2] ?? '');
const { leaves, tornBytes } = await store.open();
let size = leaves.length;
writeSync(1, `${size} ${tornBytes}\n`);
for (;;) {
  const count = 1 + (size % 3);
  await store.append(leavesOf(count, size));
  size += count;
  writeSync(1, `${size} 0\n`);
  if (size % 4 === 0) await store.putCheckpoint(checkpointOf(leavesOf(size)));
}

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatRecipient, generateKeyPair } from '../../../src/adapters/nacl/age-keys.ts';
import { NodeRandom } from '../../../src/adapters/node/node-random.ts';

const MEMORY_FILESYSTEM = '/dev/shm';

/** Two folders, one in memory and one on a disk, that are gone when the process ends. */
export interface Workshop {
  readonly memory: string;
  readonly disk: string;
  /** Evidence and escrow. */
  readonly recipients: readonly string[];
}

export function openWorkshop(diskFolder = tmpdir()): Workshop {
  const root = existsSync(MEMORY_FILESYSTEM) ? MEMORY_FILESYSTEM : tmpdir();
  const memory = mkdtempSync(join(root, 'docket-bench-'));
  const disk = mkdtempSync(join(diskFolder, 'docket-bench-'));
  process.once('exit', () => {
    for (const folder of [memory, disk]) rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const random = new NodeRandom();
  const recipients = ['evidence', 'escrow'].map(() =>
    formatRecipient(generateKeyPair(random).recipient),
  );
  return { memory, disk, recipients };
}

/** Runs under a limit on the size of files, which stands for a disk that takes no more bytes. One line of JSON says what came of each step. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FsVault } from '../../src/adapters/fs/vault.ts';
import { isDockError } from '../../src/core/errors.ts';
import { clipId, DETAILS, NOTE, writeSegment } from './vault-contract.ts';

const [dataDir = ''] = process.argv.slice(2);
const LARGE = 65_536;

async function outcome(act: () => Promise<unknown>): Promise<string> {
  try {
    await act();
    return 'done';
  } catch (error) {
    return isDockError(error) ? error.code : String(error);
  }
}

const vault = new FsVault({ dataDir, reserveBytes: 0 });
const results: string[] = [];
const step = async (act: () => Promise<unknown>) => results.push(await outcome(act));

await step(() => vault.start());
const draft = await vault.draft(clipId('a'));
await writeSegment(draft, 0, 'one');
await step(() => draft.putDetails(new Uint8Array(LARGE)));
await step(() => draft.putDetails(DETAILS));
await step(() => draft.commit('x'.repeat(LARGE)));
await step(() => draft.abandon());
const left = readdirSync(join(dataDir, 'vault', '.drafts'));

const next = await vault.draft(clipId('b'));
await writeSegment(next, 0, 'one');
await step(() => next.putDetails(DETAILS));
await step(() => next.commit(NOTE));
await step(() => vault.putReceipt(clipId('b'), 'first'));
await step(() => vault.putReceipt(clipId('b'), 'x'.repeat(LARGE)));
await step(async () => {
  const receipt = await vault.readReceipt(clipId('b'));
  if (receipt !== 'first') throw new Error(`the receipt is ${receipt}`);
});
process.stdout.write(JSON.stringify({ results, left }));

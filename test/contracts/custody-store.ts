import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { utf8 } from '../../src/core/bytes.ts';
import { signCheckpoint } from '../../src/core/custody/checkpoint.ts';
import { MerkleTree } from '../../src/core/custody/merkle.ts';
import { isDockError } from '../../src/core/errors.ts';
import type { CustodyStore } from '../../src/ports/custody-store.ts';
import { sha256, testSigner } from '../core/custody/keys.ts';

/** A place for a log; every store opened on it sees what the earlier ones made durable. */
export interface CustodyPlace {
  store(): CustodyStore;
  dispose(): Promise<void>;
}

const signer = testSigner('depot/dock-1/log', 1);

export function checkpointOf(leaves: readonly Uint8Array[]): string {
  const tree = new MerkleTree(sha256);
  for (const leaf of leaves) tree.append(leaf);
  return signCheckpoint({ treeSize: tree.size, root: tree.root() }, signer, sha256);
}

export function leavesOf(count: number, first = 0): Uint8Array[] {
  return Array.from({ length: count }, (_, at) => utf8(`entry ${first + at}\n`));
}

/** What every custody store promises. */
export function custodyStoreContract(name: string, makePlace: () => Promise<CustodyPlace>): void {
  const store = suite<{ place: CustodyPlace }>(`custody store: ${name}`);
  store.before.each(async (context) => {
    context.place = await makePlace();
  });
  store.after.each(async ({ place }) => place.dispose());

  store('opens empty', async ({ place }) => {
    const first = place.store();
    assert.equal(await first.open(), { leaves: [], checkpoint: undefined, tornBytes: 0 });
    await first.close();
  });

  store('keeps leaves in order over appends and restarts', async ({ place }) => {
    const all = leavesOf(9);
    for (const [from, to] of [
      [0, 1],
      [1, 4],
      [4, 4],
      [4, 9],
    ] as const) {
      const opened = place.store();
      assert.equal((await opened.open()).leaves, all.slice(0, from));
      await opened.append(all.slice(from, to));
      await opened.close();
    }
    const last = place.store();
    assert.equal((await last.open()).leaves, all);
    await last.close();
  });

  store('keeps leaves of no bytes and of any bytes', async ({ place }) => {
    const odd = [new Uint8Array(0), Uint8Array.of(0, 0, 0, 0), new Uint8Array(65_535).fill(7)];
    const first = place.store();
    await first.open();
    await first.append(odd);
    await first.close();
    const second = place.store();
    assert.equal((await second.open()).leaves, odd);
    await second.close();
  });

  store('gives the newest checkpoint back', async ({ place }) => {
    const leaves = leavesOf(3);
    const first = place.store();
    await first.open();
    for (const [at, leaf] of leaves.entries()) {
      await first.append([leaf]);
      await first.putCheckpoint(checkpointOf(leaves.slice(0, at + 1)));
    }
    await first.close();
    const second = place.store();
    assert.is((await second.open()).checkpoint, checkpointOf(leaves));
    await second.close();
  });

  store('refuses a checkpoint that does not parse', async ({ place }) => {
    const first = place.store();
    await first.open();
    await rejectsWith(first.putCheckpoint('not a note'), 'NOTE_INVALID');
    await first.close();
  });

  store(
    'gives the newest cosigned checkpoint back, and none before there is one',
    async ({ place }) => {
      const leaves = leavesOf(3);
      const first = place.store();
      assert.is((await first.open()).cosigned, undefined);
      await first.append(leaves);
      await first.putCheckpoint(checkpointOf(leaves));
      for (const size of [1, 3, 3]) await first.putCosigned(checkpointOf(leaves.slice(0, size)));
      await rejectsWith(first.putCosigned('not a note'), 'NOTE_INVALID');
      await first.close();
      const second = place.store();
      assert.is((await second.open()).cosigned, checkpointOf(leaves));
      await second.close();
    },
  );

  store('reads any entries again, those of earlier runs too', async ({ place }) => {
    const all = leavesOf(1_200);
    const first = place.store();
    await first.open();
    for (const [from, to] of [
      [0, 1],
      [1, 300],
      [300, 301],
      [301, 900],
    ] as const) {
      await first.append(all.slice(from, to));
    }
    await first.close();
    const second = place.store();
    await second.open();
    for (let at = 900; at < 1_200; at += 50) await second.append(all.slice(at, at + 50));
    for (const from of [0, 1, 255, 256, 300, 301, 899, 900, 1_199, 1_200]) {
      for (const to of [from, from + 1, from + 256, 1_200]) {
        if (to > 1_200) continue;
        assert.equal(await second.readLeaves(from, to), all.slice(from, to), `${from} to ${to}`);
      }
    }
    await second.close();
  });

  store('has one writer at a time', async ({ place }) => {
    const first = place.store();
    await first.open();
    await rejectsWith(place.store().open(), 'DATA_DIR_IN_USE');
    await first.append(leavesOf(1));
    await first.close();
    await first.close();
    const second = place.store();
    assert.is((await second.open()).leaves.length, 1);
    await second.close();
  });

  store.run();
}

export async function rejectsWith(
  promise: Promise<unknown>,
  code: Parameters<typeof isDockError>[1],
): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    assert.ok(isDockError(error, code), `${code} expected, not ${String(error)}`);
    return error as Error;
  }
  throw new Error(`${code} expected, nothing was thrown`);
}

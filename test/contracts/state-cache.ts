import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { StateCache } from '../../src/ports/state-cache.ts';

/** What every cache promises. `make` gives a new cache over the same place each time, until `dispose`. */
export interface CachePlace {
  cache(): StateCache;
  dispose(): Promise<void>;
}

export function stateCacheContract(name: string, makePlace: () => Promise<CachePlace>): void {
  const cache = suite<{ place: CachePlace }>(`state cache: ${name}`);
  cache.before.each(async (context) => {
    context.place = await makePlace();
  });
  cache.after.each(async ({ place }) => place.dispose());

  cache('is undefined before anything was saved', async ({ place }) => {
    assert.is(await place.cache().load(), undefined);
  });

  cache('gives the last value back, in this run and the next', async ({ place }) => {
    const first = place.cache();
    await first.save({ treeSize: 1 });
    await first.save({ treeSize: 2, clips: [{ clip: 'a', held: true }] });
    const saved = { treeSize: 2, clips: [{ clip: 'a', held: true }] };
    assert.equal(await first.load(), saved);
    assert.equal(await place.cache().load(), saved);
  });

  cache('does not share what it was given', async ({ place }) => {
    const value = { treeSize: 1 };
    const first = place.cache();
    await first.save(value);
    value.treeSize = 9;
    assert.equal(await first.load(), { treeSize: 1 });
  });

  cache.run();
}

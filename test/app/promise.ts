import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import type { FakeClip } from '../fakes/fake-link.ts';
import { FakeCamera } from '../fakes/fake-link.ts';
import { Bench } from './bench.ts';
import { checkLog, watchErasures } from './oracles.ts';

type Promised = (name: string, body: (bench: Bench) => Promise<void>) => void;

/** A promise about a dock on fakes: whatever it is, the log fits together at its end, and nothing half-done is left. */
export function promisesOf(test: Test): Promised {
  return (name, body) => {
    test(name, async () => {
      const bench = new Bench();
      try {
        await body(bench);
        checkLog(bench);
        assert.is(bench.vault.uselessDraftCount, 0);
      } finally {
        bench.dispose();
      }
    });
  };
}

/** A camera whose every erasure is checked. */
export function watchedCamera(
  bench: Bench,
  clips: readonly FakeClip[],
  serial = 'CAM-0001',
): FakeCamera {
  const camera = new FakeCamera({ serial, clips });
  watchErasures(bench, [camera]);
  return camera;
}

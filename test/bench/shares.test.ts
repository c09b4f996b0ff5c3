import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BayShares } from './ingest/shares.ts';

const shares = suite('shares of the bays');

shares('count from the moment in which all have work until the first has finished', () => {
  const bays = new BayShares(2, 100);
  bays.onBusy(1);
  bays.onProgress(1, 40);
  bays.onBusy(2);
  bays.onProgress(2, 20);
  bays.onProgress(1, 100);
  bays.onProgress(2, 100);
  assert.is(bays.smallest, 20 / 40);
});

shares('are even when all bays are', () => {
  const bays = new BayShares(3, 30);
  for (const bay of [1, 2, 3]) bays.onBusy(bay);
  for (const bay of [1, 2]) bays.onProgress(bay, 29);
  bays.onProgress(3, 30);
  assert.ok((bays.smallest ?? 0) > 0.98);
});

shares('are unknown when the bays never had work at once', () => {
  const bays = new BayShares(2, 10);
  bays.onBusy(1);
  bays.onProgress(1, 10);
  bays.onBusy(2);
  bays.onProgress(2, 10);
  assert.is(bays.smallest, undefined);
});

shares('show a bay that got nothing', () => {
  const bays = new BayShares(2, 10);
  bays.onBusy(1);
  bays.onBusy(2);
  bays.onProgress(1, 10);
  assert.is(bays.smallest, 0);
});

shares.run();

// timeout: 240
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newSite, endSites } from './kit/site.ts';

const faults = suite('faults');
faults.after.each(endSites);

faults('a perfect line', async () => {
  const site = await newSite(2);
  await site.ingest([{ clips: [0, 1, 65_536, 3_000_000] }, { clips: [100_000] }]);
  await site.checkAllVaulted();
});
faults.run();

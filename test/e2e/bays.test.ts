// timeout: 240
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { entriesOf } from './kit/evidence.ts';
import { emptyClip, peakBytes } from './kit/memory.ts';
import { endSites, newSite } from './kit/site.ts';

const BAY_COUNT = 8;
const CLIP_BYTES = 32 * 1_048_576;
const RESIDENT_BYTES_MAX = 200_000_000;

const bays = suite('eight bays');
bays.after.each(endSites);

for (const ingestsMax of [undefined, 2]) {
  const name = ingestsMax === undefined ? 'as many at once as the dock likes' : 'two at a time';
  bays(`are all served, ${name}, in less than 200 MB`, async () => {
    const settings = ingestsMax === undefined ? {} : { ingestsMax };
    const site = await newSite(BAY_COUNT, { segmentMiB: 64, ...settings });
    for (let bay = 1; bay <= BAY_COUNT; bay++) {
      const file = await emptyClip(join(site.folder, `${bay}.mp4`), CLIP_BYTES);
      await site.addCamera({ clips: [], files: [file] });
    }
    const dock = await site.startDock();
    for (const camera of site.cameras) await site.plug(camera);
    let peak = 0;
    await dock.until('eight released clips', async () => {
      peak = await peakBytes(dock.pid);
      const released = await entriesOf(site.dataDir, 'clip-released');
      return released.length === BAY_COUNT ? true : undefined;
    });
    console.log(`peak ${Math.round(peak / 1e6)} MB`);
    assert.ok(peak < RESIDENT_BYTES_MAX, `${peak} bytes`);
  });
}

bays.run();

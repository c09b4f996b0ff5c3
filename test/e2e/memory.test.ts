// timeout: 240
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmbeddedBroker } from '../../src/adapters/mqtt/embedded-broker.ts';
import { entriesOf } from './kit/evidence.ts';
import { emptyClip, peakBytes } from './kit/memory.ts';
import { endSites, newSite } from './kit/site.ts';

const BAY_COUNT = 4;
const CLIP_BYTES = 200 * 1_048_576;
const RESIDENT_BYTES_MAX = 150_000_000;

const memory = suite('memory');
memory.after.each(endSites);

memory(
  'four bays take 200 MiB each at once in less than 150 MB, and the dock tells of it all the while',
  async () => {
    const broker = await startEmbeddedBroker({ mqttPort: 0 });
    const url = `mqtt://127.0.0.1:${broker.mqttPort}`;
    const centre = await connectAsync(url);
    try {
      let told = 0;
      centre.on('message', () => {
        told += 1;
      });
      await centre.subscribeAsync('docket/1/leeds/dock-1/bay/+/state');
      const site = await newSite(BAY_COUNT, { broker: { url }, segmentMiB: 64 });
      for (let bay = 1; bay <= BAY_COUNT; bay++) {
        const file = await emptyClip(join(site.folder, `${bay}.mp4`), CLIP_BYTES);
        await site.addCamera({ clips: [], files: [file] });
      }
      const dock = await site.startDock();
      const startedMs = performance.now();
      for (const camera of site.cameras) await site.plug(camera);
      let peak = 0;
      await dock.until('four released clips', async () => {
        peak = await peakBytes(dock.pid);
        const released = await entriesOf(site.dataDir, 'clip-released');
        return released.length === BAY_COUNT ? true : undefined;
      });
      const seconds = Math.round((performance.now() - startedMs) / 1000);
      const megabytes = Math.round(peak / 1e6);
      console.log(`peak ${megabytes} MB, ${seconds} s, ${told} states of bays told`);
      assert.ok(peak < RESIDENT_BYTES_MAX, `${megabytes} MB`);
      assert.ok(told >= 3 * BAY_COUNT, `${told} states of bays told`);
    } finally {
      await centre.endAsync(true);
      await broker.stop();
    }
  },
);

memory.run();

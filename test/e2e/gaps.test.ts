// timeout: 240
import { createHash } from 'node:crypto';
import { appendFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmbeddedBroker } from '../../src/adapters/mqtt/embedded-broker.ts';
import { entriesOf } from './kit/evidence.ts';
import type { Program } from './kit/programs.ts';
import { endSites, newSite, type Site, type SiteCamera } from './kit/site.ts';

const gaps = suite('gaps');
gaps.after.each(endSites);

const CLIP_COUNT = 20;
const BAY_COUNT = 4;
const CLIPS = Array.from({ length: CLIP_COUNT }, (_, index) => 100 + index);
const ALARM = 'docket/1/leeds/dock-1/alarm/counter-gap';

/** The clip is gone from the camera, and no receipt ever said that it might go. */
async function drop(camera: SiteCamera, counter: number): Promise<void> {
  await appendFile(join(camera.store, 'index'), `${JSON.stringify({ erased: counter })}\n`);
  await rm(join(camera.store, 'clips', `${counter}.clip`));
  camera.clips.delete(counter);
}

/** What the log says is missing of that camera. */
async function gapsOf(site: Site, { serial }: SiteCamera): Promise<string[]> {
  const digest = createHash('sha256').update(`docket/camera/v1\n${serial}`).digest('hex');
  const entries = await entriesOf(site.dataDir, 'counter-gap');
  return entries
    .filter(({ camera }) => camera === digest)
    .map(({ first, last }) => `${first}-${last}`);
}

/** One after the other in the same bays: so many cameras fit into a dock. */
async function dockInTurn(site: Site, dock: Program, cameras: readonly SiteCamera[]) {
  for (let first = 0; first < cameras.length; first += BAY_COUNT) {
    const group = cameras.slice(first, first + BAY_COUNT);
    await Promise.all(group.map((camera) => site.plug(camera)));
    await site.untilReleased(dock, cameras.slice(0, first + BAY_COUNT));
    await site.untilErased(dock, group);
    await Promise.all(group.map((camera) => camera.started?.stop()));
  }
}

gaps('each of twenty clips that a camera lost is named by the log, and no other', async () => {
  const broker = await startEmbeddedBroker({ mqttPort: 0 });
  const url = `mqtt://127.0.0.1:${broker.mqttPort}`;
  const centre = await connectAsync(url);
  try {
    const alarms: string[] = [];
    centre.on('message', (_topic, body) => void alarms.push(body.toString()));
    await centre.subscribeAsync(ALARM);
    const site = await newSite(BAY_COUNT, { broker: { url } });
    for (let lost = 1; lost <= CLIP_COUNT; lost++) {
      const serial = `LOST-${lost}`;
      const bay = 1 + (lost % BAY_COUNT);
      await drop(await site.addCamera({ serial, bay, clips: CLIPS }), lost);
    }
    const dock = await site.startDock();
    await dockInTurn(site, dock, site.cameras);
    for (const [index, camera] of site.cameras.entries()) {
      const lost = index + 1;
      assert.equal(await gapsOf(site, camera), [`${lost}-${lost}`], camera.serial);
    }
    assert.is((await entriesOf(site.dataDir, 'counter-gap')).length, CLIP_COUNT);
    await site.checkAllVaulted();
    const alarm = await dock.until('the alarm', () => alarms.find((body) => body !== ''));
    const { code, action } = JSON.parse(alarm) as { code: string; action: string };
    assert.is(code, 'COUNTER_GAP');
    assert.match(action, /^Check whether another dock took them; ask /);
  } finally {
    await centre.endAsync(true);
    await broker.stop();
  }
});

gaps('several losses are several gaps, and are not entered again at the next docking', async () => {
  const site = await newSite(1);
  const camera = await site.addCamera({ clips: CLIPS.slice(0, 10) });
  for (const counter of [1, 4, 5, 6, 10]) await drop(camera, counter);
  const dock = await site.startDock();
  await dockInTurn(site, dock, [camera]);
  const found = ['1-1', '4-6', '10-10'];
  assert.equal(await gapsOf(site, camera), found);
  await dock.kill('SIGTERM');

  const again = await site.startDock();
  await site.plug(camera);
  await site.record(camera, Buffer.alloc(3_000, 1));
  await site.untilErased(again);
  assert.equal(await gapsOf(site, camera), found, 'over a restart, with a new recording');
});

gaps.run();

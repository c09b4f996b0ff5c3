// timeout: 180
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { entriesOf, readVault } from './kit/evidence.ts';
import type { Program } from './kit/programs.ts';
import { type CameraPlan, endSites, newSite, type Site, type SiteCamera } from './kit/site.ts';

const strangers = suite('strangers');
strangers.after.each(endSites);

type Strange = Omit<CameraPlan, 'clips' | 'bay' | 'serial'>;

/** A stranger in bay 1 beside a good camera in bay 2. */
async function beside(
  plan: Strange,
): Promise<{ site: Site; dock: Program; stranger: SiteCamera; good: SiteCamera }> {
  const site = await newSite(2);
  const stranger = await site.addCamera({ bay: 1, serial: 'STRANGER', clips: [50_000], ...plan });
  const good = await site.addCamera({ bay: 2, clips: [100_000] });
  const dock = await site.startDock();
  const { faults = [], keyless = false } = plan;
  await site.plug(stranger, { faults, keyless });
  await site.plug(good);
  await site.untilReleased(dock, [good]);
  await site.checkAllVaulted({ cameras: [good] });
  return { site, dock, stranger, good };
}

async function checkUntouched(site: Site, stranger: SiteCamera): Promise<void> {
  const vault = await readVault(site.dataDir);
  assert.is(vault.filter(({ camera }) => camera === stranger.serial).length, 0);
  assert.is(existsSync(join(stranger.store, 'clips/1.clip')), true);
}

const REFUSALS: readonly { what: string; plan: Strange; code: string }[] = [
  { what: 'an unknown camera', plan: { registered: 'no' }, code: 'CAMERA_UNKNOWN' },
  { what: 'a wrongly keyed camera', plan: { registered: 'wrong' }, code: 'CAMERA_NOT_AUTHENTIC' },
  { what: 'a camera without a key', plan: { keyless: true }, code: 'CAMERA_KEYLESS' },
];

for (const { what, plan, code } of REFUSALS) {
  strangers(`${what} is refused: nothing is read, its bay is red, the log says so`, async () => {
    const { site, dock, stranger } = await beside({ ...plan });
    await dock.untilLogged(/"bay":1,"light":"fast-red"/);
    await dock.until('the entry', async () => {
      return (await entriesOf(site.dataDir, 'camera-refused')).length > 0 ? true : undefined;
    });
    const [refused] = await entriesOf(site.dataDir, 'camera-refused');
    assert.is(refused?.reason, code);
    assert.is(refused?.bay, '1');
    assert.not(stranger.events.some(({ event }) => event === 'docked'));
    await checkUntouched(site, stranger);
  });
}

strangers(
  'a camera without a key is taken where the policy allows it, and its manifest says so',
  async () => {
    const site = await newSite(1, { allowKeylessCameras: true });
    const plan = { clips: [50_000, 0], keyless: true };
    await site.ingest([plan]);
    await site.checkAllVaulted();
    for (const clip of await readVault(site.dataDir)) assert.is(clip.cameraAuth, 'none');
    const vaulted = await entriesOf(site.dataDir, 'clip-vaulted');
    for (const entry of vaulted) assert.is(entry['camera-auth'], 'none');
  },
);

for (const fault of ['garbage', 'claim-4g']) {
  strangers(
    `a line with ${fault} loses nothing, and a good camera beside it is served`,
    async () => {
      const { site, dock, stranger } = await beside({ faults: [fault] });
      if (fault === 'garbage') await checkUntouched(site, stranger);
      stranger.started?.send('fault none');
      stranger.started?.send('unplug');
      stranger.started?.send('plug');
      await site.untilReleased(dock);
      await site.checkAllVaulted();
    },
  );
}

strangers('one bad bay never stops three good ones', async () => {
  const site = await newSite(4);
  const bad = await site.addCamera({ clips: [3_000_000] });
  for (let bay = 2; bay <= 4; bay++) await site.addCamera({ clips: [65_536, 600_000] });
  const dock = await site.startDock();
  await site.plug(bad, { faults: ['drop=1', 'corrupt-in=0.5'] });
  const good = site.cameras.slice(1);
  for (const camera of good) await site.plug(camera);
  await site.untilReleased(dock, good);
  await site.checkAllVaulted({ cameras: good });
  await checkUntouched(site, bad);
});

strangers.run();

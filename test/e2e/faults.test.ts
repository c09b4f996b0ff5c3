// timeout: 240
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { entriesOf, readVault } from './kit/evidence.ts';
import { docket } from './kit/programs.ts';
import { endSites, newSite } from './kit/site.ts';

const faults = suite('faults');
faults.after.each(endSites);

const CLIPS = [0, 65_537, 1_500_000];

faults('lines that lose and spoil bytes give every clip all the same', async () => {
  const site = await newSite(4);
  const clips = [...CLIPS, 6_000_000];
  const dock = await site.ingest([
    { clips, faults: ['drop=0.1'] },
    { clips, faults: ['corrupt=0.1'] },
    { clips, faults: ['drop-in=0.1', 'corrupt-in=0.1'] },
    { clips, faults: ['drop=0.01', 'corrupt=0.01', 'drop-in=0.01', 'corrupt-in=0.01'] },
  ]);
  await site.checkAllVaulted();
  await dock.kill('SIGTERM');
  const closed = dock.log.find((line) => /"bay":2,.*"link.closed"/.test(line)) ?? '{}';
  const { discardedBytes } = JSON.parse(closed) as { discardedBytes?: number };
  assert.ok((discardedBytes ?? 0) > 0, 'frames were spoilt');
});

faults(
  'cameras that stall, vanish, lose power or fall silent give every clip in the end',
  async () => {
    const site = await newSite(4);
    await site.ingest([
      { clips: CLIPS, faults: ['stall=300000:1500'] },
      { clips: CLIPS, faults: ['vanish=700000:400'] },
      { clips: CLIPS, faults: ['power-loss=700000:400'] },
      { clips: CLIPS, faults: ['no-erase-answer'] },
    ]);
    await site.checkAllVaulted();
    const drafts = await entriesOf(site.dataDir, 'draft-removed');
    assert.is(drafts.length, 0, 'a draft that was given up needs no restart to go');
  },
);

faults('a camera that lies about a digest keeps its clip, which is in quarantine', async () => {
  const site = await newSite(2);
  const liar = await site.addCamera({ clips: [200_000] });
  const honest = await site.addCamera({ clips: [200_000] });
  const dock = await site.startDock();
  await site.plug(liar, { faults: ['lie-digest'] });
  await site.plug(honest);
  await site.untilReleased(dock, [honest]);
  await dock.untilLogged(/"bay":1,"light":"fast-red"/);
  await site.checkAllVaulted({ cameras: [honest] });
  const [quarantined] = await entriesOf(site.dataDir, 'clip-quarantined');
  assert.is(quarantined?.reason, 'CLIP_DIGEST_MISMATCH');
  const released = await entriesOf(site.dataDir, 'clip-released');
  assert.not(released.some(({ clip }) => clip === quarantined?.clip));
  assert.is(existsSync(join(liar.store, 'clips/1.clip')), true);
  const listed = await docket('list', '--data', site.dataDir, '--json');
  const { clips } = JSON.parse(listed.stdout) as { clips: { id: string; state: string }[] };
  assert.is(clips.find(({ id }) => id === quarantined?.clip)?.state, 'quarantined');
});

const HOSTILE = ['../../etc/passwd', '\u001b[31mred\r\n\u0007\u202egpj.exe', '/', '..', ' '];

faults('a hostile clip name is data: kept in the sealed details, never a path', async () => {
  const site = await newSite(HOSTILE.length);
  await site.ingest(
    HOSTILE.map((name) => ({ clips: [70_000], faults: [`name=${name}`], wearer: name })),
  );
  await site.checkAllVaulted();
  for (const clip of await readVault(site.dataDir)) {
    const name = HOSTILE[Number(clip.camera.slice(-1)) - 1] ?? '';
    const out = join(site.folder, `${clip.id}.out`);
    const args = ['open', clip.id, '--data', site.dataDir, '--identity', site.identityPath];
    const opened = await docket(...args, '--out', out);
    assert.is(opened.code, 0, opened.stderr);
    assert.not.match(opened.stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    const reported = await docket(...args, '--out', `${out}.json`, '--json');
    assert.is((JSON.parse(reported.stdout) as { name: string }).name, name);
  }
});

faults.run();

// timeout: 180
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readEntries } from './kit/evidence.ts';
import { docket } from './kit/programs.ts';
import { endSites, newSite, type Site } from './kit/site.ts';

const run = suite('run');
run.after.each(endSites);

run('every fault of the configuration is listed at once, and nothing is started', async () => {
  const site = await newSite(1);
  await site.writeConfig({
    site: 'Leeds North',
    retentionDays: 0,
    colour: 'green',
    broker: { url: 'http://nowhere' },
    cameras: [{ serial: 'CAM 1', publicKey: 'abc' }],
    board: 'no-such-board.json',
  });
  const ended = await docket('run', '--config', site.configPath);
  assert.is(ended.code, 1);
  assert.match(ended.stderr, /docket: CONFIG_INVALID: .* faults:/);
  const named = ['site', 'retentionDays', 'colour', 'broker.url', 'cameras[0].serial'];
  for (const name of [...named, 'cameras[0].publicKey', 'no-such-board.json']) {
    assert.ok(ended.stderr.includes(name), `${name} is named in\n${ended.stderr}`);
  }
});

run('a recipient that is not one is refused before a camera is asked for anything', async () => {
  const site = await newSite(1);
  const good = (await readFile(join(site.keysDir, 'evidence.recipient.txt'), 'utf8')).trim();
  const spoilt = `${good.slice(0, -1)}${good.endsWith('q') ? 'p' : 'q'}`;
  const identity = await readFile(site.identityPath, 'utf8');
  const secret = /AGE-SECRET-KEY-\S+/.exec(identity)?.[0] ?? '';
  for (const recipient of [spoilt, 'age1', secret, '']) {
    const roles = [good, recipient].map((each, index) => ({ role: `r${index}`, recipient: each }));
    await site.writeConfig({ recipients: roles });
    const ended = await docket('run', '--config', site.configPath);
    assert.is(ended.code, 1);
    assert.match(ended.stderr, /RECIPIENT_INVALID|CONFIG_INVALID/);
    assert.not.ok(secret !== '' && ended.stderr.includes(secret), 'the secret is not repeated');
  }
  await site.writeConfig({ recipients: [{ role: 'evidence', recipient: good }] });
  assert.match((await docket('run', '--config', site.configPath)).stderr, /recipients/);
});

run('a dock that is told to stop ends well, and its log says so', async () => {
  const site = await newSite(1);
  const dock = await site.ingest([{ clips: [100_000] }]);
  const ended = await dock.kill('SIGTERM');
  assert.is(ended.code, 0, ended.stderr);
  const kinds = (await readEntries(site.dataDir)).map(({ kind }) => kind);
  assert.equal(kinds, [
    ...['log-opened', 'dock-started', 'clock-offset', 'clip-vaulted', 'clip-released'],
    'dock-stopped',
  ]);
  await (await site.startDock()).kill('SIGKILL');
  await (await site.startDock()).kill('SIGINT');
  const started = (await readEntries(site.dataDir)).filter(({ kind }) => kind === 'dock-started');
  assert.equal(
    started.map(({ clean }) => clean),
    ['yes', 'yes', 'no'],
  );
});

run(
  'a stop in the middle of an ingest leaves the clip on the camera, and the next run takes it',
  async () => {
    const site = await newSite(1);
    const camera = await site.addCamera({ clips: [12_000_000] });
    const dock = await site.startDock();
    await site.plug(camera);
    await dock.untilLogged(/"event":"camera-docked"/);
    assert.is((await dock.kill('SIGTERM')).code, 0);
    assert.is(
      camera.events.some(({ event }) => event === 'released'),
      false,
    );
    await site.untilReleased(await site.startDock());
    await site.checkAllVaulted();
  },
);

const CACHES: readonly (readonly [what: string, spoil: (path: string) => Promise<unknown>])[] = [
  ['is missing', (path) => rm(path)],
  ['is empty', (path) => writeFile(path, '')],
  ['is cut', async (path) => writeFile(path, (await readFile(path)).subarray(0, 40))],
  ['is garbage', (path) => writeFile(path, '\u0000{"clips":[[[]]]}\n')],
  [
    'is another JSON document',
    (path) => writeFile(path, '{"value":{"version":1,"state":{"clips":[]}}}'),
  ],
];

run('a cache that is missing, empty, cut or garbage is made again from the log', async () => {
  const site = await newSite(1);
  const first = await site.ingest([{ clips: [100_000, 5] }]);
  await first.kill('SIGTERM');
  const cache = join(site.dataDir, 'cache.json');
  const clipsOf = async (): Promise<unknown> => {
    const text = await readFile(cache, 'utf8');
    const { value } = JSON.parse(text) as { value: { state: { clips: unknown } } };
    return value.state.clips;
  };
  const whole = await clipsOf();
  for (const [what, spoil] of CACHES) {
    await spoil(cache);
    const dock = await site.startDock();
    assert.is((await dock.kill('SIGTERM')).code, 0, what);
    assert.equal(await clipsOf(), whole, `a cache that ${what}`);
  }
  await site.checkAllVaulted();
});

run('a dock that was killed while it made its keys comes up with all of them', async () => {
  const site = await newSite(1);
  await site.writeConfig();
  const keys = join(site.dataDir, 'keys');
  const namesOf = () => readdir(keys).catch(() => []);
  for (let count = 1; count <= 7; count += 2) {
    const dock = site.launch();
    await dock.until(`${count} files`, async () => (await namesOf()).length >= count || undefined);
    await dock.kill('SIGKILL');
  }
  await site.ingest([{ clips: [1000] }]);
  await site.checkAllVaulted();
  const names = (await namesOf()).filter((name) => !name.startsWith('.'));
  assert.equal(
    names.sort(),
    ['link', 'log', 'manifest', 'receipt'].flatMap((purpose) => [
      `${purpose}.key`,
      `${purpose}.pub`,
    ]),
  );
});

run('a second dock on the same data takes no clips and says why; the first goes on', async () => {
  const site = await newSite(1);
  const camera = await site.addCamera({ clips: [100_000] });
  const first = await site.startDock();
  const second = site.launch();
  await second.untilLogged(/DATA_DIR_IN_USE/);
  await second.kill('SIGTERM');
  await site.plug(camera);
  await site.untilReleased(first);
  await site.checkAllVaulted();
});

async function checkHalted(site: Site, code: string): Promise<void> {
  const camera = await site.addCamera({ clips: [100_000] });
  await site.writeConfig();
  const dock = site.launch();
  await dock.untilLogged(/"event":"dock-halted"/);
  assert.ok(
    dock.log.some((line) => line.includes(code)),
    dock.log.join('\n'),
  );
  await dock.untilLogged(/"event":"dock-started"/);
  await site.pair();
  await site.plug(camera);
  await dock.untilLogged(/"bay":1,"light":"steady-amber"/);
  assert.is(
    camera.events.some(({ event }) => event === 'released'),
    false,
  );
  assert.is((await dock.kill('SIGTERM')).code, 0, dock.log.join('\n'));
}

run(
  'a vault that is a file takes no clips: the lights say wait, and the camera keeps them',
  async () => {
    const site = await newSite(1);
    await mkdir(site.dataDir, { recursive: true });
    await writeFile(join(site.dataDir, 'vault'), 'in the way');
    await checkHalted(site, 'VAULT_UNWRITABLE');
  },
);

run('a custody folder that is a file takes no clips: the lights say wait', async () => {
  const site = await newSite(1);
  await mkdir(site.dataDir, { recursive: true });
  await writeFile(join(site.dataDir, 'custody'), 'in the way');
  await checkHalted(site, 'CUSTODY_UNWRITABLE');
});

run('a log with a damaged entry takes no clips, and is not touched', async () => {
  const site = await newSite(1);
  await (await site.startDock()).kill('SIGTERM');
  const path = join(site.dataDir, 'custody/entries');
  const bytes = await readFile(path);
  bytes[100] = (bytes[100] ?? 0) ^ 4;
  await writeFile(path, bytes);
  await checkHalted(site, 'CUSTODY_CORRUPT');
  assert.ok((await readFile(path)).equals(bytes));
});

run('a data folder that cannot be written is a coded error that names it', async () => {
  const site = await newSite(1);
  await mkdir(site.dataDir, { recursive: true });
  await chmod(site.dataDir, 0o500);
  // Root writes everywhere; a path through a file stops it too.
  if (process.getuid?.() === 0) {
    await writeFile(join(site.folder, 'plain'), '');
    await site.writeConfig({ dataDir: 'plain/data' });
  } else await site.writeConfig();
  const ended = await docket('run', '--config', site.configPath);
  assert.is(ended.code, 1);
  assert.match(ended.stderr, /docket: [A-Z_]+: .*(data|plain)/);
  assert.not.match(ended.stderr, /\n\s+at /, 'an operating error, not a defect');
});

run.run();

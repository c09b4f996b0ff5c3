// timeout: 240
import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type EmbeddedBroker,
  startEmbeddedBroker,
} from '../../src/adapters/mqtt/embedded-broker.ts';
import { docket, Program, until } from './kit/programs.ts';
import { endSites, newSite, type Site } from './kit/site.ts';

/** A dock, a broker and the witness, each in its own process but the broker. */
interface Scene {
  readonly site: Site;
  readonly broker: EmbeddedBroker;
  readonly url: string;
  readonly centre: MqttClient;
  readonly topics: Map<string, string>;
}

const rollback = suite('rollback');
const DOCK = 'leeds/dock-1';
const TOPIC = `docket/1/${DOCK}`;
const brokers: EmbeddedBroker[] = [];
const clients: MqttClient[] = [];

rollback.after.each(async () => {
  for (const client of clients.splice(0)) await client.endAsync(true);
  await endSites();
  for (const broker of brokers.splice(0)) await broker.stop();
});

async function newScene(): Promise<Scene> {
  const broker = await startEmbeddedBroker({ mqttPort: 0 });
  brokers.push(broker);
  const url = `mqtt://127.0.0.1:${broker.mqttPort}`;
  const site = await newSite(1, {});
  const topics = new Map<string, string>();
  const centre = await connectAsync(url, { protocolVersion: 4, reconnectPeriod: 0 });
  clients.push(centre);
  centre.on('message', (topic, payload) => topics.set(topic, payload.toString('utf8')));
  await centre.subscribeAsync(`${TOPIC}/#`, { qos: 1 });
  return { site, broker, url, centre, topics };
}

async function startDock({ site, url }: Scene): Promise<Program> {
  const key = (await readFile(join(site.keysDir, 'witness.pub'), 'utf8')).trim();
  await site.writeConfig({ broker: { url }, witness: { key } });
  const dock = site.launch();
  await dock.untilLogged(/"event":"dock-started"/);
  await site.pair();
  return dock;
}

function witnessArgs({ site, url }: Scene): string[] {
  const data = join(site.folder, 'mirrors');
  return ['witness', '--broker', url, '--data', data, '--keys', site.keysDir];
}

function stateOf({ topics }: Scene): { state?: string; code?: string; treeSize?: number } {
  return JSON.parse(topics.get(`${TOPIC}/state`) ?? '{}');
}

async function untilCosigned(scene: Scene, dock: Program): Promise<void> {
  await dock.until('a cosignature over everything', async () => {
    const note = await readFile(join(scene.site.dataDir, 'custody/cosigned'), 'utf8').catch(
      () => '',
    );
    const newest = await readFile(join(scene.site.dataDir, 'custody/checkpoint'), 'utf8');
    const textOf = (text: string) => text.slice(0, text.indexOf('\n\n'));
    return textOf(note) === textOf(newest) ? true : undefined;
  });
}

async function putBack({ site }: Scene, image: string): Promise<void> {
  await rm(site.dataDir, { recursive: true });
  await cp(image, site.dataDir, { recursive: true });
}

rollback(
  'a disk put back to any earlier moment stops the dock, and the witness says so',
  async () => {
    const scene = await newScene();
    const { site, topics } = scene;
    const images: string[] = [];
    let witness: Program | undefined;
    for (let run = 0; run < 3; run++) {
      const dock = await startDock(scene);
      witness ??= new Program(witnessArgs(scene));
      await untilCosigned(scene, dock);
      await dock.kill('SIGTERM');
      images.push(join(site.folder, `image-${run}`));
      await cp(site.dataDir, images.at(-1) ?? '', { recursive: true });
    }
    const newest = images.pop() ?? '';
    for (const image of images) {
      await putBack(scene, image);
      const dock = await startDock(scene);
      await dock.untilLogged(/"event":"dock-halted".*|CUSTODY_ROLLBACK/);
      await until('a halted dock', () => stateOf(scene).code === 'CUSTODY_ROLLBACK' || undefined);
      const alarm = await until('its alarm', () => topics.get(`${TOPIC}/alarm/custody-rollback`));
      assert.match(alarm, /"severity":"critical"/);
      await dock.kill('SIGTERM');
    }
    const found = await until('the word of the witness', () =>
      topics.get(`${TOPIC}/witness/custody-rollback`),
    );
    assert.equal(JSON.parse(found).isProven, true);
    assert.match(
      await readFile(join(site.folder, 'mirrors', DOCK, 'conflict.note'), 'utf8'),
      /leeds/,
    );
    await witness?.kill('SIGTERM');

    await putBack(scene, newest);
    const dock = await startDock(scene);
    const once = await docket(...witnessArgs(scene), '--once');
    assert.is(once.code, 1, 'the finding stays until a person has dealt with it');
    assert.match(once.stdout, /CUSTODY_ROLLBACK/);
    await untilCosigned(scene, dock);
    await dock.kill('SIGTERM');
  },
);

rollback('the mirror has every entry of the dock, and its last', async () => {
  const scene = await newScene();
  const { site } = scene;
  const camera = await site.addCamera({ clips: [100_000, 200_000] });
  const dock = await startDock(scene);
  const witness = new Program(witnessArgs(scene));
  await site.plug(camera);
  await site.untilReleased(dock);
  await untilCosigned(scene, dock);
  await dock.kill('SIGTERM');
  await witness.kill('SIGTERM');
  const mirror = join(site.folder, 'mirrors', DOCK, 'custody');
  const leaves = async (folder: string) => {
    const { readCustody } = await import('../../src/adapters/fs/custody-store.ts');
    return (await readCustody(folder)).leaves.map((leaf) => Buffer.from(leaf).toString('utf8'));
  };
  const mirrored = await leaves(mirror);
  assert.equal(mirrored, await leaves(join(site.dataDir, 'custody')));
  assert.match(mirrored.at(-1) ?? '', /kind dock-stopped/);
  assert.is(
    await readFile(join(mirror, 'cosigned'), 'utf8'),
    await readFile(join(mirror, 'checkpoint'), 'utf8'),
  );
});

rollback('a witness without its key, or with a broker that is none, says what to do', async () => {
  const scene = await newScene();
  const { site, url } = scene;
  const noKey = await docket(
    'witness',
    '--broker',
    url,
    '--data',
    site.folder,
    '--keys',
    site.folder,
  );
  assert.is(noKey.code, 1);
  assert.match(noKey.stderr, /KEY_INVALID[\s\S]*docket keygen/);
  const args = witnessArgs(scene).map((word) => (word === url ? 'http://x' : word));
  const noBroker = await docket(...args);
  assert.is(noBroker.code, 1);
  assert.match(noBroker.stderr, /ARGUMENT_INVALID/);
});

rollback.run();

// timeout: 300
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Program, until } from '../e2e/kit/programs.ts';
import { endSites, newSite, type Site } from '../e2e/kit/site.ts';
import { type BrokerProcess, embedded, mosquitto } from './kit/brokers.ts';
import { Subscriber } from './kit/subscriber.ts';

const DOCK = 'docket/1/leeds/dock-1';
/** Long enough on the line that progress is told, however fast the machine. */
const CLIP_BYTES = 8_000_000;
const SLOW = [`stall=${CLIP_BYTES / 2}:1500`];
const RETAINED = [
  'availability',
  'description',
  'state',
  'checkpoint',
  'bay/1/state',
  'bay/2/state',
];

const BROKERS = { mosquitto: () => mosquitto(), 'the embedded broker': embedded };

const status = suite('status of docket run');
const ends: (() => Promise<void> | void)[] = [];

status.after.each(async () => {
  await endSites();
  for (const end of ends.splice(0).reverse()) await end();
});

async function started(make: () => Promise<BrokerProcess>): Promise<BrokerProcess> {
  const broker = await make();
  ends.push(() => broker.end());
  await broker.start();
  return broker;
}

function subscribe(broker: { readonly port: number }): Subscriber {
  const subscriber = new Subscriber(broker.port);
  ends.push(() => subscriber.end());
  return subscriber;
}

async function dockOn(broker: BrokerProcess): Promise<{ site: Site; dock: Program }> {
  const site = await newSite(2, { broker: { url: broker.url } });
  await site.addCamera({ clips: [CLIP_BYTES] });
  const dock = await site.startDock();
  return { site, dock };
}

/** What a newcomer is told at once: the broker's memory of the dock. */
async function retainedOn(broker: BrokerProcess): Promise<Map<string, string>> {
  const newcomer = subscribe(broker);
  const memory = () =>
    newcomer.heard.filter(({ isRetained, topic }) => isRetained && topic.startsWith(DOCK));
  for (const path of RETAINED) {
    const topic = `${DOCK}/${path}`;
    await newcomer.until(topic, (message) => message.isRetained && message.topic === topic);
  }
  return new Map(memory().map(({ topic, text }) => [topic.slice(DOCK.length + 1), text]));
}

for (const [name, make] of Object.entries(BROKERS)) {
  status(`${name} is told of dock, bays and progress, and remembers the state`, async () => {
    const broker = await started(make);
    const centre = subscribe(broker);
    const { site, dock } = await dockOn(broker);
    await centre.untilText(`${DOCK}/availability`, 'online');
    const [camera] = site.cameras;
    await site.plug(camera!, { faults: SLOW });
    const working = await centre.untilBody(`${DOCK}/bay/1/state`, (bay) => {
      const { bytes = 0, ofBytes } = (bay.progress ?? {}) as Record<string, number>;
      return bay.light === 'slow-amber' && ofBytes === CLIP_BYTES && bytes > 0;
    });
    assert.match(working.text, '"camera":"CAM-0001"');
    await centre.untilBody(`${DOCK}/state`, ({ state }) => state === 'working');
    await site.untilReleased(dock);
    await centre.untilBody(`${DOCK}/bay/1/state`, ({ light }) => light === 'steady-green');
    await centre.untilBody(`${DOCK}/state`, (body) => {
      return body.state === 'ready' && (body.clips as { released: number }).released === 1;
    });
    const events = centre.heard.filter(({ topic }) => topic.startsWith(`${DOCK}/event/`));
    const kinds = events.map(({ topic }) => topic.split('/').at(-1));
    assert.ok(kinds.includes('clip-vaulted') && kinds.includes('clip-released'), String(kinds));
    const memory = await retainedOn(broker);
    assert.is(memory.get('availability'), 'online');
    assert.is(JSON.parse(memory.get('bay/1/state') ?? '').percent, 100);
    assert.is(JSON.parse(memory.get('bay/2/state') ?? '').light, 'off');
    assert.not.ok([...memory.keys()].some((path) => path.startsWith('event/')));
  });

  status(
    `${name} tells offline by last will after SIGKILL, disconnected after SIGTERM`,
    async () => {
      const broker = await started(make);
      const centre = subscribe(broker);
      const { site, dock } = await dockOn(broker);
      await centre.untilText(`${DOCK}/availability`, 'online');
      await dock.kill('SIGKILL');
      await centre.untilText(`${DOCK}/availability`, 'offline');
      const killedAt = centre.heard.length;
      assert.is((await retainedOn(broker)).get('availability'), 'offline');
      const again = site.launch();
      await centre.untilText(`${DOCK}/availability`, 'online', killedAt);
      assert.is((await again.kill('SIGTERM')).code, 0);
      await centre.untilText(`${DOCK}/availability`, 'disconnected', killedAt);
      const later = await retainedOn(broker);
      assert.is(later.get('availability'), 'disconnected');
      const told = centre.heard.slice(killedAt).filter(({ text }) => text === 'offline');
      assert.equal(told, [], 'a dock that stopped by itself leaves no last will');
    },
  );

  status(`${name} is told everything retained again after it forgot it`, async () => {
    const broker = await started(make);
    const { site, dock } = await dockOn(broker);
    await site.plug(site.cameras[0]!);
    await site.untilReleased(dock);
    const isReady = ({ state }: Readonly<Record<string, unknown>>) => state === 'ready';
    await subscribe(broker).untilBody(`${DOCK}/state`, isReady);
    const before = await retainedOn(broker);
    await broker.kill();
    await dock.untilLogged(/"event":"broker-connection-lost"/);
    await broker.start();
    await subscribe(broker).untilText(`${DOCK}/availability`, 'online');
    const after = await retainedOn(broker);
    assert.equal([...after.keys()].sort(), [...before.keys()].sort());
    assert.is(after.get('description'), before.get('description'));
    assert.is(after.get('availability'), 'online');
    const clipsOf = (memory: Map<string, string>) => JSON.parse(memory.get('state') ?? '').clips;
    assert.equal(clipsOf(after), clipsOf(before));
  });

  status(`${name} may be away while clips are taken, and is told when it is back`, async () => {
    const broker = await started(make);
    const { site, dock } = await dockOn(broker);
    await dock.untilLogged(/"event":"broker-connected"/);
    await broker.kill();
    await dock.untilLogged(/"event":"broker-connection-lost"/);
    await site.plug(site.cameras[0]!);
    await site.untilReleased(dock);
    await broker.start();
    const centre = subscribe(broker);
    await centre.untilText(`${DOCK}/availability`, 'online');
    await centre.untilBody(`${DOCK}/state`, ({ clips }) => {
      return (clips as { released: number }).released === 1;
    });
    await dock.kill('SIGTERM');
    await site.checkAllVaulted();
  });
}

status('mosquitto speaks MQTT 5 with the dock, the embedded broker 3.1.1', async () => {
  const spoken: (string | undefined)[] = [];
  for (const make of Object.values(BROKERS)) {
    const { dock } = await dockOn(await started(make));
    const line = await dock.untilLogged(/"event":"broker-connected"/);
    spoken.push((JSON.parse(line) as { mqtt: string }).mqtt);
  }
  assert.equal(spoken, ['5', '3.1.1']);
});

status('the demo tells the same on its own broker', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'docket-status-'));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const places = ['data', 'keys'].map((name) => `--${name}=${join(folder, name)}`);
  const demo = new Program(['demo', '--port=0', '--mqtt-port=0', ...places]);
  ends.push(async () => void (await demo.kill('SIGTERM')));
  const port = await demo.until('the port of the broker', () =>
    demo.lines.map((line) => /mosquitto_sub -p (\d+)/.exec(line)?.[1]).find((found) => found),
  );
  const centre = subscribe({ port: Number(port) });
  const prefix = 'docket/1/demo/dock-1';
  await centre.untilText(`${prefix}/availability`, 'online');
  for (const bay of [1, 2, 3, 4]) {
    const isDone = ({ light }: Readonly<Record<string, unknown>>) => light === 'steady-green';
    await centre.untilBody(`${prefix}/bay/${bay}/state`, isDone);
  }
  await centre.untilBody(`${prefix}/bay/1/state`, ({ percent }) => percent === 100);
  const newcomer = subscribe({ port: Number(port) });
  const state = `${prefix}/state`;
  await newcomer.until(state, ({ isRetained, topic }) => isRetained && topic === state);
  await until('retained bays', () => {
    const bays = newcomer.heard.filter(({ topic }) => /\/bay\/\d\/state$/.test(topic));
    return bays.length >= 4 && bays.every(({ isRetained }) => isRetained) ? bays : undefined;
  });
});

status.run();

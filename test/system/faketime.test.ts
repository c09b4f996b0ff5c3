// timeout: 240
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type EmbeddedBroker,
  startEmbeddedBroker,
} from '../../src/adapters/mqtt/embedded-broker.ts';
import { parseNote } from '../../src/core/custody/note.ts';
import type { TimeBody } from '../../src/core/dock/status.ts';
import { type Manifest, parseManifest } from '../../src/core/evidence/manifest.ts';
import { dueAtMs } from '../../src/core/retention/due.ts';
import { isDue, trustedDueAtMs } from '../../src/core/time/trusted-due.ts';
import type { TrustedNow } from '../../src/core/time/trusted-time.ts';
import { Program } from '../e2e/kit/programs.ts';
import { endSites, newSite, type Site } from '../e2e/kit/site.ts';

/** libfaketime under the real process: its wall clock is another, and nothing else. */
const LIBRARY = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime/libfaketime.so.1`;
const DAYS = 60;
const YEAR_MS = 365 * 86_400_000;

const faketime = suite('a real dock with its clock set');
const ended: (() => Promise<unknown>)[] = [];

faketime.after.each(async () => {
  for (const end of ended.splice(0).reverse()) await end();
  await endSites();
});

interface Scene {
  readonly site: Site;
  readonly url: string;
  readonly state: () => { readonly at?: string; readonly time?: TimeBody };
}

async function newScene(): Promise<Scene> {
  const broker: EmbeddedBroker = await startEmbeddedBroker({ mqttPort: 0 });
  const url = `mqtt://127.0.0.1:${broker.mqttPort}`;
  const site = await newSite(1, {});
  const centre: MqttClient = await connectAsync(url, { protocolVersion: 4, reconnectPeriod: 0 });
  let text = '{}';
  centre.on('message', (_topic, payload) => {
    text = payload.toString('utf8');
  });
  await centre.subscribeAsync('docket/1/leeds/dock-1/state', { qos: 1 });
  ended.push(
    () => broker.stop(),
    () => centre.endAsync(true),
  );
  return { site, url, state: () => JSON.parse(text) };
}

async function startDock({ site, url }: Scene, offset: string): Promise<Program> {
  const key = (await readFile(join(site.keysDir, 'witness.pub'), 'utf8')).trim();
  await site.writeConfig({ broker: { url }, witness: { key }, retentionDays: DAYS });
  const env = offset === '' ? {} : { LD_PRELOAD: LIBRARY, FAKETIME: offset };
  const dock = new Program(['run', '--config', site.configPath], env);
  ended.push(() => dock.kill('SIGTERM'));
  await dock.untilLogged(/"event":"dock-started"/);
  await site.pair();
  return dock;
}

function startWitness({ site, url }: Scene): void {
  const data = join(site.folder, 'mirrors');
  const witness = new Program(['witness', '--broker', url, '--data', data, '--keys', site.keysDir]);
  ended.push(() => witness.kill('SIGTERM'));
}

const isClip = (name: string) => /^[0-9a-f]{32}$/.test(name);

async function manifestsOf(site: Site): Promise<Manifest[]> {
  const vault = join(site.dataDir, 'vault');
  const notes = (await readdir(vault))
    .filter(isClip)
    .map((clip) => readFile(join(vault, clip, 'manifest.note'), 'utf8'));
  return (await Promise.all(notes)).map((note) => parseManifest(parseNote(note).text));
}

/** What the dock itself tells of the time. */
function nowOf(time: TimeBody | undefined): TrustedNow {
  if (time?.quality !== 'known') return { kind: 'unknown', floorMs: 0 };
  const { source, earliest, latest } = time;
  return { kind: 'known', source, earliestMs: Date.parse(earliest), latestMs: Date.parse(latest) };
}

for (const [name, offset, byMs] of [
  ['ten years forward', '+3650d', 10 * YEAR_MS],
  ['ten years back', '-3650d', -10 * YEAR_MS],
] as const) {
  faketime(`${name}: its trusted time stays right, and nothing is due`, async () => {
    const scene = await newScene();
    const { site } = scene;
    startWitness(scene);
    const camera = await site.addCamera({ clips: [50_000] });
    const honest = await startDock(scene, '');
    await site.plug(camera);
    await site.untilReleased(honest);
    await honest.kill('SIGTERM');

    const dock = await startDock(scene, offset);
    await dock.until('a known time under the other clock', () => {
      const { at = '', time } = scene.state();
      const isFaked = Math.abs(Date.parse(at) - Date.now() - byMs) < YEAR_MS / 12;
      return isFaked && time?.quality === 'known' ? true : undefined;
    });
    const realMs = Date.now();
    const { at = '', time } = scene.state();
    const now = nowOf(time);
    assert.ok(now.kind === 'known' && now.earliestMs <= realMs, JSON.stringify(time));
    assert.ok(now.kind === 'known' && now.earliestMs > realMs - 120_000, JSON.stringify(time));

    await site.record(camera, new Uint8Array(10_000).fill(7));
    await site.untilReleased(dock);
    const manifests = await manifestsOf(site);
    assert.is(manifests.length, 2);
    for (const clockAgreed of [true, false]) {
      const ingest = { cosignedAtMs: realMs, clockAgreed };
      const [first] = manifests.filter(
        ({ ingestedAtMs }) => Math.abs(ingestedAtMs - realMs) < YEAR_MS,
      );
      assert.ok(first);
      if (first !== undefined) assert.not.ok(isDue(trustedDueAtMs(first, DAYS, ingest), now));
    }
    for (const manifest of manifests) {
      const ingest = { cosignedAtMs: realMs, clockAgreed: false };
      assert.not.ok(isDue(trustedDueAtMs(manifest, DAYS, ingest), now));
    }
    const fooled = manifests.filter((manifest) => dueAtMs(manifest, DAYS) < Date.parse(at));
    if (byMs > 0) assert.ok(fooled.length > 0, 'by its own clock something would have been');
  });
}

faketime.run();

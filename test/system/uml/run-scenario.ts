import * as assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startEmbeddedBroker } from '../../../src/adapters/mqtt/embedded-broker.ts';
import { type BoardConfig, parseBoard } from '../../../src/core/config/board.ts';
import { Observer } from '../../adapters/mqtt/observer.ts';
import { entriesOf, readVault } from '../../e2e/kit/evidence.ts';
import { type Program, ROOT, until } from '../../e2e/kit/programs.ts';
import { endSites, erasedOn, newSite, type Site, type SiteCamera } from '../../e2e/kit/site.ts';
import { type BayLamps, patternOf, watch } from './lamps.ts';
import { levelOf, pull } from './sim-gpio.ts';

const BASE = 512;
const BOARD = `${ROOT}boards/rpi-4b.json`;
/** A camera that stays busy for a while in the middle of its clip. */
const BUSY = ['stall=1000000:9000'];
const pi = await readPi();

async function readPi(): Promise<BoardConfig> {
  const parsed = parseBoard(JSON.parse(await readFile(BOARD, 'utf8')));
  if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed.value;
}

function bayOf(bay: number) {
  const found = pi.bays[bay - 1];
  if (found?.button === undefined || found.present === undefined) throw new Error(`bay ${bay}`);
  const { green, amber, red } = found.lights;
  const lamps: BayLamps = { green: green.line, amber: amber.line, red: red.line };
  return { lamps, button: found.button.line, present: found.present.line };
}

/** The published board with the bays' serial lines in the site's folder. */
function siteOn(settings: Readonly<Record<string, unknown>> = {}): Promise<Site> {
  return newSite(1, { board: BOARD, ...settings });
}

async function overrideLines(site: Site): Promise<Record<string, unknown>> {
  return { bays: pi.bays.map(({ bay }) => ({ bay, serial: site.lineOf(bay) })) };
}

async function sees(bay: number, pattern: string, forMs = 4500): Promise<void> {
  const { lamps } = bayOf(bay);
  let seen = '';
  await until(`${pattern} on bay ${bay}`, async () => {
    seen = patternOf(await watch(lamps, forMs));
    return seen === pattern ? true : undefined;
  }).catch((error: unknown) => {
    throw new Error(`bay ${bay}: ${pattern} was expected, ${seen} was seen`, { cause: error });
  });
}

async function press(bay: number, forMs: number): Promise<void> {
  const { button } = bayOf(bay);
  pull(button, 'down');
  await new Promise((resolve) => setTimeout(resolve, forMs));
  pull(button, 'up');
}

async function untilErased(dock: Program, camera: SiteCamera): Promise<void> {
  await dock.until('a camera without clips', () =>
    erasedOn(camera).size === camera.clips.size ? true : undefined,
  );
}

function codesIn(dock: Program, event: string): string[] {
  return dock.log
    .filter((line) => line.includes(`"event":"${event}"`))
    .map((line) => (JSON.parse(line) as { code: string }).code);
}

interface Running {
  readonly site: Site;
  dock: Program;
}

let running: Running | undefined;

function current(): Running {
  if (running === undefined) throw new Error('the dock does not run');
  return running;
}

const tests: Record<string, () => Promise<void>> = {
  'shows slow amber while it works, then steady green, on the lines of that bay': async () => {
    const site = await siteOn();
    const camera = await site.addCamera({ clips: [2_000_000, 300_000] });
    await site.addCamera({ clips: [1000], registered: 'no' });
    const dock = await site.startDock(await overrideLines(site));
    running = { site, dock };
    for (const { bay } of pi.bays)
      assert.equal(patternOf(await watch(bayOf(bay).lamps, 300)), 'dark');
    await site.plug(camera, { faults: BUSY });
    pull(bayOf(1).present, 'up');
    await sees(1, 'slow-amber');
    await sees(1, 'steady-green', 3000);
    await untilErased(dock, camera);
    for (const bay of [2, 3, 4])
      assert.equal(patternOf(await watch(bayOf(bay).lamps, 300)), 'dark');
    assert.deepEqual(codesIn(dock, 'board-fault'), []);
  },

  'shows fast red for a camera that the dock does not know': async () => {
    const { site, dock } = current();
    const stranger = site.cameras[1]!;
    await site.plug(stranger);
    pull(bayOf(2).present, 'up');
    await sees(2, 'fast-red');
    assert.equal(patternOf(await watch(bayOf(1).lamps, 500)), 'steady-green');
    assert.ok(codesIn(dock, 'bay-failed').includes('CAMERA_UNKNOWN'));
    assert.equal(stranger.events.filter(({ event }) => event === 'released').length, 0);
  },

  'answers a short press with the progress, then shows the light again': async () => {
    const seen = watch(bayOf(1).lamps, 5000);
    await press(1, 200);
    const { onCount, share } = await seen;
    // Four quarters, and the light itself.
    assert.deepEqual(onCount, { green: 5, amber: 0, red: 0 });
    assert.ok(share.green > 0.3 && share.green < 0.9, `green for ${share.green}`);
    await sees(1, 'steady-green', 2000);
  },

  'holds the last recording after a long press, and says so with a double blink': async () => {
    const { site } = current();
    const seen = watch(bayOf(1).lamps, 4000);
    await press(1, 1500);
    assert.equal((await seen).isAllSeen, true);
    await sees(1, 'green-double-blink', 6000);
    const holds = await entriesOf(site.dataDir, 'hold-placed');
    assert.equal(holds.length, 1);
    const vault = await readVault(site.dataDir);
    const last = vault.find((clip) => clip.id === holds[0]?.clip);
    assert.deepEqual([last?.camera, last?.counter], ['CAM-0001', 2]);
  },

  'does not mind pins left exported and lit by a SIGKILL': async () => {
    const { site, dock } = current();
    await sees(2, 'fast-red');
    await dock.kill('SIGKILL');
    assert.ok(existsSync(`/sys/class/gpio/gpio${BASE + bayOf(1).lamps.green}`));
    const again = site.launch();
    running = { site, dock: again };
    await again.untilLogged(/"event":"dock-started"/);
    await sees(1, 'steady-green', 3000);
    await sees(2, 'fast-red');
    const camera = site.cameras[0]!;
    await site.record(camera, Buffer.alloc(200_000, 'again'));
    await untilErased(again, camera);
    await sees(1, 'steady-green', 2000);
    await sees(2, 'fast-red');
    const seen = watch(bayOf(1).lamps, 5000);
    await press(1, 200);
    assert.deepEqual((await seen).onCount, { green: 5, amber: 0, red: 0 });
    assert.deepEqual(codesIn(again, 'board-fault'), []);
  },

  'goes dark when the camera is taken out, and gives every line back at SIGTERM': async () => {
    const { site, dock } = current();
    await site.cameras[0]?.started?.stop();
    pull(bayOf(1).present, 'down');
    await sees(1, 'dark', 1500);
    assert.equal((await dock.kill('SIGTERM')).code, 0);
    const lines = pi.bays.flatMap(({ bay }) => Object.values(bayOf(bay).lamps));
    assert.deepEqual(
      lines.filter((line: number) => levelOf(line) === 1),
      [],
    );
    const left = lines.filter((line: number) => existsSync(`/sys/class/gpio/gpio${BASE + line}`));
    assert.deepEqual(left, []);
    await endSites();
  },

  'takes clips without the chip of its board, and says that the lights are dead': async () => {
    const broker = await startEmbeddedBroker({ mqttPort: 0 });
    const url = `mqtt://127.0.0.1:${broker.mqttPort}`;
    const site = await siteOn();
    const board = join(site.folder, 'other.json');
    await writeFile(
      board,
      (await readFile(BOARD, 'utf8')).replaceAll('pinctrl-bcm2711', 'pinctrl-rp1'),
    );
    const camera = await site.addCamera({ clips: [100_000] });
    const centre = await Observer.open(url, 'leeds/dock-1');
    const dock = await site.startDock({
      ...(await overrideLines(site)),
      ...{ board, broker: { url } },
    });
    await site.plug(camera);
    await untilErased(dock, camera);
    assert.deepEqual(codesIn(dock, 'board-fault'), ['GPIO_UNAVAILABLE']);
    await centre.until(() => centre.bodiesOf('alarm/gpio-unavailable').some((body) => body));
    const alarm = centre.bodiesOf('alarm/gpio-unavailable').find((body) => body);
    assert.equal((alarm as { code: string }).code, 'GPIO_UNAVAILABLE');
    assert.equal((await dock.kill('SIGTERM')).code, 0);
    await site.checkAllVaulted();
    await centre.close();
    await broker.stop();
    await endSites();
  },
};

for (const [name, test] of Object.entries(tests)) {
  try {
    await test();
    console.log(`result ${JSON.stringify({ name, failure: null })}`);
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const log = running?.dock.log.slice(-12).join('\n') ?? '';
    console.log(`result ${JSON.stringify({ name, failure: `${failure}\n${log}` })}`);
  }
}
await endSites();
process.exit(0);

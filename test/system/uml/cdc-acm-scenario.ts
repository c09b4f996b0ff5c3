import * as assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { entriesOf } from '../../e2e/kit/evidence.ts';
import { type Program, until } from '../../e2e/kit/programs.ts';
import { endSites, newSite, type Site, type SiteCamera } from '../../e2e/kit/site.ts';

const CAMERA_SIDE = '/dev/ttyGS0';
const DOCK_SIDE = '/dev/ttyACM0';
const gadget = process.env.DOCKET_GADGET ?? '';

/** The cable: the gadget is bound to its controller or it is not. */
function plug(isIn: boolean): void {
  const [controller = ''] = readdirSync('/sys/class/udc');
  writeFileSync(`${gadget}/UDC`, isIn ? controller : '\n');
}

/** Segment files of the clip that is on its way. */
function segmentsUnderWay(site: Site): number {
  const drafts = join(site.dataDir, 'vault', '.drafts');
  const [draft] = readdirSync(drafts);
  return draft === undefined ? 0 : readdirSync(join(drafts, draft)).length;
}

interface Running {
  readonly site: Site;
  readonly camera: SiteCamera;
  readonly dock: Program;
}

let running: Running | undefined;

function current(): Running {
  if (running === undefined) throw new Error('the dock does not run');
  return running;
}

/** What the log says of one event, in order. */
function logged(event: string): Record<string, unknown>[] {
  const lines = current().dock.log.map((line) => JSON.parse(line) as Record<string, unknown>);
  return lines.filter((line) => line.event === event);
}

function untilLogged(event: string, times: number): Promise<true> {
  const look = () => (logged(event).length >= times ? true : undefined);
  return current().dock.until(`${event}, ${times} times`, look);
}

const tests: Record<string, () => Promise<void>> = {
  'takes the clips of a camera on a USB cable, and the camera erases them': async () => {
    const site = await newSite(1, { bays: [{ bay: 1, serial: DOCK_SIDE }] });
    const camera = await site.addCamera({ clips: [1, 100_000, 1_500_000] });
    const dock = await site.startDock();
    running = { site, camera, dock };
    await site.plug(camera, { link: CAMERA_SIDE, isDevice: true });
    assert.equal(existsSync(DOCK_SIDE), false);
    plug(true);
    await site.untilErased(dock);
    await site.untilReleased(dock);
    await site.checkAllVaulted();
  },

  'takes a clip whole whose camera was pulled out in the middle of it and put in again':
    async () => {
      const { site, camera, dock } = current();
      const docked = logged('link.docked').length;
      const closed = logged('link.closed').length;
      await site.record(camera, Buffer.alloc(5_000_000, 'a clip that takes some seconds'));
      await until('a part of the clip', () => (segmentsUnderWay(site) >= 2 ? true : undefined));
      plug(false);
      await untilLogged('link.closed', closed + 1);
      await until('a bay without a device', () => (existsSync(DOCK_SIDE) ? undefined : true));
      assert.equal(logged('link.closed').at(-1)?.code, 'LINK_CLOSED');
      plug(true);
      await untilLogged('link.docked', docked + 1);
      await site.untilErased(dock);
      await site.untilReleased(dock);
      await site.checkAllVaulted();
    },

  'enters in the log that the camera was taken out early, and that nothing was lost': async () => {
    const { site } = current();
    const faults = await entriesOf(site.dataDir, 'bay-fault');
    assert.deepEqual(
      faults.map(({ bay, reason }) => ({ bay, reason })),
      [{ bay: '1', reason: 'TAKEN-EARLY' }],
    );
    assert.deepEqual(await entriesOf(site.dataDir, 'counter-gap'), []);
    assert.deepEqual(
      logged('bay-failed').map(({ code }) => code),
      ['LINK_CLOSED'],
    );
  },

  'docks a camera each time of ten that it is pulled out and put in': async () => {
    const { dock } = current();
    for (let time = 1; time <= 10; time++) {
      const docked = logged('link.docked').length;
      const closed = logged('link.closed').length;
      plug(false);
      await untilLogged('link.closed', closed + 1);
      await until('a bay without a device', () => (existsSync(DOCK_SIDE) ? undefined : true));
      plug(true);
      await untilLogged('link.docked', docked + 1);
    }
    assert.equal((await dock.kill('SIGTERM')).code, 0);
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

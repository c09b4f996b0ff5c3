import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as ref from '../vectors/link/reference.ts';
import { Bench, KEYS } from './bench.ts';
import { LinkClient, TYPE } from './link-client.ts';

const rate = suite("the simulated camera's rate");
const bench = new Bench();
const file = bench.file('clip.mp4', 50_000);
const IMPATIENT_MS = 150;

/** What the dock does to its own end of the line. */
function setOurs(baud: number): void {
  const done = spawnSync('stty', ['-F', bench.link, `${baud}`], { encoding: 'utf8' });
  assert.is(done.status, 0, done.stderr);
}

async function docked(): Promise<LinkClient> {
  const client = new LinkClient(bench.link);
  setOurs(115_200);
  assert.is((await client.dock(KEYS)).answer.type, TYPE.PROVED);
  return client;
}

/** The rate that the camera chose; it has switched when this returns. */
async function chosen(client: LinkClient, wanted: number): Promise<number> {
  const changed = bench.camera.next('rate');
  const answer = await client.ask(TYPE.RATE, ref.u32(wanted));
  assert.is(answer.type, TYPE.RATE_OK);
  const baud = answer.payload.readUInt32LE(0);
  assert.is((await changed).baud, baud);
  return baud;
}

const status = (client: LinkClient, waitMs?: number) =>
  client.answer(client.send(TYPE.STATUS), waitMs).then((frame) => frame?.type);

rate.before(async () => {
  bench.pair();
  const rates = [115_200, 921_600, 3_000_000];
  await bench.start({ clips: [file], rates, strictRate: true, deadRate: 3_000_000 });
});
rate.after(() => bench.end());

rate('is changed by RATE, and what the dock says at the old one is noise', async () => {
  const client = await docked();
  assert.is(await chosen(client, 2_000_000), 921_600);
  assert.is(await status(client, IMPATIENT_MS), undefined);
  setOurs(921_600);
  assert.is(await status(client), TYPE.STATUS_OK);
  assert.ok((await client.read(1, 50_000)).equals(readFileSync(file)));
  await bench.leave(client);
});

rate(
  'goes back to the base rate when nothing follows the change, and keeps the session',
  async () => {
    const client = await docked();
    assert.is(await chosen(client, 921_600), 921_600);
    assert.is((await bench.camera.next('rate')).baud, 115_200);
    assert.is(await status(client), TYPE.STATUS_OK);
    await bench.leave(client);
  },
);

rate('comes back from a rate at which nothing gets through', async () => {
  const client = await docked();
  assert.is(await chosen(client, 3_000_000), 3_000_000);
  setOurs(3_000_000);
  const back = bench.camera.next('rate');
  assert.is(await status(client, IMPATIENT_MS), undefined);
  assert.is((await back).baud, 115_200);
  setOurs(115_200);
  assert.is(await status(client), TYPE.STATUS_OK);
  await bench.leave(client);
});

rate('starts anew at the base rate when the line was closed', async () => {
  const client = await docked();
  await chosen(client, 921_600);
  setOurs(921_600);
  assert.is(await status(client), TYPE.STATUS_OK);
  await bench.leave(client);
  await bench.leave(await docked());
});

rate.run();

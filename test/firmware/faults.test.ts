import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseFault } from '../../firmware-bridge/sim/faults.ts';
import * as ref from '../vectors/link/reference.ts';
import { Bench, KEYS, SERIAL } from './bench.ts';
import { LinkClient, receiptFor, receiptPayload, TYPE } from './link-client.ts';

const faults = suite("the simulated camera's faults");
const bench = new Bench();
const file = bench.file('clip.mp4', 100_000);
const content = readFileSync(file);
const IMPATIENT_MS = 40;

faults.before(async () => {
  bench.pair();
  await bench.start({ clips: [file], seed: 7 });
});
faults.before.each(() => bench.order('fault none'));
faults.after(() => bench.end());

for (const fault of ['drop=0.2', 'corrupt=0.2', 'drop-in=0.2', 'corrupt-in=0.2']) {
  faults(`${fault}: a dock that asks again has every byte in the end`, async () => {
    const client = await bench.dock();
    await bench.order(`fault ${fault}`);
    assert.ok((await client.read(1, content.length, IMPATIENT_MS)).equals(content));
    assert.is(client.discarded > 0, fault.startsWith('corrupt='));
    await bench.leave(client);
  });
}

faults('claim-4g: frames arrive between headers that claim 4 GiB', async () => {
  const client = await bench.dock();
  await bench.order('fault claim-4g');
  assert.ok((await client.read(1, content.length)).equals(content));
  assert.ok(client.discarded >= 16 * 24);
  await bench.leave(client);
});

faults('stall: the camera falls silent, and goes on where it was', async () => {
  const client = await bench.dock();
  await bench.order('fault stall=20000:300');
  assert.is(
    await client.answer(client.send(TYPE.LIST, Buffer.alloc(10)), 2_000).then((f) => f?.type),
    TYPE.RECORDS_END,
  );
  assert.ok((await client.read(1, content.length, 2_000)).equals(content));
  await bench.leave(client);
});

faults('vanish: the line goes in the middle of a clip, and comes back', async () => {
  const client = await bench.dock();
  const gone = bench.camera.next('unplugged');
  const back = bench.camera.next('plugged');
  await bench.order('fault vanish=30000:50');
  await client.read(1, content.length, 500).then(
    () => assert.unreachable('the clip came whole'),
    (error: Error) => assert.match(error.message, /line is gone|read \d+ of/),
  );
  await gone;
  await client.close();
  await back;
  const again = await bench.dock();
  assert.ok((await again.read(1, content.length)).equals(content));
  await bench.leave(again);
});

faults('power-loss: the camera starts anew from its store', async () => {
  const client = await bench.dock();
  const lost = bench.camera.next('power-loss');
  const ready = bench.camera.next('ready');
  await bench.order('fault power-loss=30000:50');
  await client.read(1, content.length, 500).then(
    () => assert.unreachable('the clip came whole'),
    (error: Error) => assert.match(error.message, /line is gone|read \d+ of/),
  );
  await lost;
  await client.close();
  await ready;
  const again = await bench.dock();
  assert.ok((await again.read(1, content.length)).equals(content));
  await bench.leave(again);
});

faults('flip-content: the bytes are not those of the signed digest', async () => {
  const client = await bench.dock();
  await bench.order('fault flip-content');
  const [record] = await client.list();
  const digest = createHash('sha256')
    .update(await client.read(1, content.length))
    .digest();
  assert.not.ok(digest.equals(record?.sha256 as Buffer));
  await bench.leave(client);
});

faults('lie-digest: the record is signed, and wrong', async () => {
  await bench.order('fault lie-digest');
  await bench.order(`record ${bench.file('lie.mp4', 100)}`);
  const client = await bench.dock();
  const [record] = await client.list(2);
  const digest = createHash('sha256')
    .update(await client.read(2, 100))
    .digest();
  assert.not.ok(digest.equals(record?.sha256 as Buffer));
  await bench.leave(client);
});

faults('name: the camera claims any name for a clip', async () => {
  await bench.order('fault name=../../etc/passwd');
  await bench.order(`record ${bench.file('named.mp4', 10)}`);
  const client = await bench.dock();
  assert.is((await client.list(3))[0]?.name, '../../etc/passwd');
  await bench.leave(client);
});

faults('no-erase-answer: the clip is erased, and the repeated receipt is answered', async () => {
  await bench.order('fault no-erase-answer');
  const client = await bench.dock();
  const record = (await client.list(3))[0] as never;
  const payload = receiptPayload(3, receiptFor(KEYS, SERIAL, record));
  assert.is(await client.answer(client.send(TYPE.RECEIPT, payload), 200), undefined);
  assert.not.ok(existsSync(`${bench.store}/clips/3.clip`));
  assert.is((await client.ask(TYPE.RECEIPT, payload)).type, TYPE.RELEASED);
  await bench.leave(client);
});

faults('garbage: a foreign device sends noise and no frame', async () => {
  await bench.order('fault garbage');
  const client = new LinkClient(bench.link);
  const payload = Buffer.concat([Buffer.from([1, 1]), ref.string8(KEYS.dock), Buffer.alloc(32)]);
  assert.is(await client.answer(client.send(TYPE.HELLO, payload), 300), undefined);
  assert.ok(client.discarded > 0);
  await bench.leave(client);
});

faults('a fault that does not exist is named', () => {
  assert.throws(() => parseFault('explode'), /no fault explode; there are drop/);
  assert.throws(() => parseFault('drop=2'), /not a share/);
  assert.throws(() => parseFault('stall=5'), /AFTER_BYTES:MS/);
  assert.throws(() => parseFault('vanish=soon'), /not a whole number/);
});

faults.run();

import { createHash, createPublicKey, verify } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as ref from '../vectors/link/reference.ts';
import { Bench, FOREIGN, KEYS, SERIAL } from './bench.ts';
import { LinkClient, receiptFor, receiptPayload, TYPE } from './link-client.ts';

const camera = suite('the simulated camera');
const bench = new Bench();
const SIZES = [0, 1, 63, 65_536, 200_001];
const files = SIZES.map((size, index) => bench.file(`clip ${index}.mp4`, size));
const contents = files.map((file) => readFileSync(file));

const errorOf = (frame: ref.Frame) =>
  frame.type === TYPE.ERROR ? frame.payload.readUInt16LE(0) : undefined;
const bytesOf = (counter: number) => join(bench.store, 'clips', `${counter}.clip`);

function publicKey() {
  const raw = Buffer.from(readFileSync(join(bench.store, 'camera.pub'), 'utf8').trim(), 'hex');
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]);
  return createPublicKey({ key: spki, format: 'der', type: 'spki' });
}

camera.before(() => bench.start({ clips: files, wearer: 'CEO-117' }));
camera.after(() => bench.end());

camera('refuses a dock that it was not paired with, and takes it once it is', async () => {
  const client = new LinkClient(bench.link);
  const refused = await client.dock(KEYS);
  assert.is(errorOf(refused.answer), 4);
  bench.pair();
  const taken = await client.dock(KEYS);
  assert.is(taken.answer.type, TYPE.PROVED);
  await bench.leave(client);
});

camera('refuses a dock whose link key is another', async () => {
  const client = new LinkClient(bench.link);
  const { answer } = await client.dock({ ...KEYS, link: FOREIGN.receipt });
  assert.is(errorOf(answer), 4);
  await bench.leave(client);
});

camera('signs the transcript with the key in its store', async () => {
  const client = new LinkClient(bench.link);
  const { hello, auth, signature } = await client.dock(KEYS);
  assert.is(auth, 1);
  assert.is(hello.serial, SERIAL);
  assert.is(hello.lastCounter, SIZES.length);
  assert.ok(verify(null, ref.transcript('camera', hello), publicKey(), signature));
  assert.not.ok(verify(null, ref.transcript('dock', hello), publicKey(), signature));
  await bench.leave(client);
});

camera('lists records that it signed when recording ended', async () => {
  const client = await bench.dock();
  const records = await client.list();
  assert.equal(
    records.map((record) => record.size),
    SIZES,
  );
  for (const [index, record] of records.entries()) {
    const digest = createHash('sha256')
      .update(contents[index] as Buffer)
      .digest();
    assert.ok(digest.equals(record.sha256));
    const body = record.raw.subarray(0, -64);
    assert.ok(verify(null, ref.recordMessage(body), publicKey(), record.raw.subarray(-64)));
  }
  assert.is(records[1]?.name, 'clip 1.mp4');
  await bench.leave(client);
});

camera('gives every byte of every clip', async () => {
  const client = await bench.dock();
  for (const [index, size] of SIZES.entries()) {
    assert.ok((await client.read(index + 1, size)).equals(contents[index] as Buffer));
  }
  assert.is(client.discarded, 0);
  await bench.leave(client);
});

camera('forgets the session when the dock closes the line, and keeps the link', async () => {
  await bench.leave(await bench.dock());
  assert.ok(lstatSync(bench.link).isSymbolicLink());
  const client = new LinkClient(bench.link);
  assert.is(errorOf(await client.ask(TYPE.STATUS)), 3);
  await bench.leave(client);
});

camera('finds frames among noise on the line', async () => {
  const client = await bench.dock();
  client.sendBytes(Buffer.from('noise d0c4 noise \xd0\xc4\x03\x00', 'latin1'));
  assert.is((await client.ask(TYPE.STATUS)).type, TYPE.STATUS_OK);
  await bench.leave(client);
});

camera('erases nothing for a receipt that does not hold', async () => {
  const client = await bench.dock();
  const [record, other] = (await client.list(2)) as [never, never];
  const right = receiptFor(KEYS, SERIAL, record);
  const wrong = [
    receiptFor(FOREIGN, SERIAL, record),
    receiptFor({ ...KEYS, dock: 'leeds-north/dock-2' }, SERIAL, record),
    receiptFor(KEYS, 'CAM-0002', record),
    receiptFor(KEYS, SERIAL, other),
    right.replace('size 1', 'size 2'),
    right.slice(0, -1),
    '',
  ];
  for (const note of wrong) {
    assert.is(errorOf(await client.ask(TYPE.RECEIPT, receiptPayload(2, note))), 8);
    assert.is(statSync(bytesOf(2)).size, 1);
  }
  assert.is(errorOf(await client.ask(TYPE.RECEIPT, receiptPayload(99, right))), 5);
  await bench.leave(client);
});

camera('erases nothing for a receipt before the dock proved itself', async () => {
  const docked = await bench.dock();
  const note = receiptFor(KEYS, SERIAL, (await docked.list(2))[0] as never);
  await bench.leave(docked);
  const client = new LinkClient(bench.link);
  await client.hello(KEYS.dock, Buffer.alloc(32));
  assert.is(errorOf(await client.ask(TYPE.RECEIPT, receiptPayload(2, note))), 3);
  assert.ok(existsSync(bytesOf(2)));
  await bench.leave(client);
});

camera('erases its copy for a receipt that holds, and the file it came from stays', async () => {
  const client = await bench.dock();
  const record = (await client.list(2))[0] as never;
  const payload = receiptPayload(2, receiptFor(KEYS, SERIAL, record));
  for (const time of ['first', 'repeated']) {
    assert.is((await client.ask(TYPE.RECEIPT, payload)).type, TYPE.RELEASED, time);
  }
  assert.not.ok(existsSync(bytesOf(2)));
  assert.ok(readFileSync(files[1] as string).equals(contents[1] as Buffer));
  assert.equal(
    (await client.list()).map(({ counter }) => counter),
    [1, 3, 4, 5],
  );
  await bench.leave(client);
});

camera('sets its own clock and says by how much it was wrong', async () => {
  const client = await bench.dock();
  const time = Buffer.alloc(8);
  time.writeBigInt64LE(1_900_000_000_000n);
  assert.is((await client.ask(TYPE.CLOCK, time)).type, TYPE.CLOCK_OK);
  const again = await client.ask(TYPE.CLOCK, time);
  assert.ok(again.payload.readBigInt64LE(0) < 60_000n);
  await bench.leave(client);
});

camera('goes and comes back when it is pulled out and put in', async () => {
  const gone = bench.camera.next('unplugged');
  bench.camera.send('unplug');
  await gone;
  assert.not.ok(existsSync(bench.link));
  const back = bench.camera.next('plugged');
  bench.camera.send('plug');
  await back;
  await bench.leave(await bench.dock());
});

camera('gives a new recording the next counter', async () => {
  const recorded = bench.camera.next('recorded');
  bench.camera.send(`record ${bench.file('late.mp4', 500)}`);
  assert.is((await recorded).counter, 6);
  const client = await bench.dock();
  assert.is((await client.list(6))[0]?.size, 500);
  await bench.leave(client);
});

camera('has the same records after a restart, and adds no clip twice', async () => {
  const before = await bench.dock();
  const records = await before.list();
  await bench.leave(before);
  await bench.stop();
  assert.not.ok(existsSync(bench.link));
  await bench.start({ clips: files });
  const after = await bench.dock();
  assert.equal(await after.list(), records);
  await bench.leave(after);
});

camera('says that it has no key, and still checks the dock', async () => {
  const keyless = new Bench();
  const clip = keyless.file('a.mp4', 100);
  await keyless.start({ keyless: true, clips: [clip], onceReleased: true });
  keyless.pair();
  const client = new LinkClient(keyless.link);
  const { auth, signature, answer } = await client.dock(KEYS);
  assert.is(auth, 0);
  assert.ok(signature.equals(Buffer.alloc(64)));
  assert.is(answer.type, TYPE.PROVED);
  const record = (await client.list())[0] as never;
  const refused = await client.ask(
    TYPE.RECEIPT,
    receiptPayload(1, receiptFor(FOREIGN, SERIAL, record)),
  );
  assert.is(errorOf(refused), 8);
  const exit = new Promise((resolve) => keyless.camera.child.once('exit', resolve));
  const released = await client.ask(
    TYPE.RECEIPT,
    receiptPayload(1, receiptFor(KEYS, SERIAL, record)),
  );
  assert.is(released.type, TYPE.RELEASED);
  await client.close();
  assert.is(await exit, 0);
  await keyless.end();
});

camera.run();

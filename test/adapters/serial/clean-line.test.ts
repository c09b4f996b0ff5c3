import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isDockError } from '../../../src/core/errors.ts';
import { never, newRig, type Rig, readAll, receiptFor, SERIAL } from './rig.ts';

const line = suite<{ rig: Rig }>('serial camera link on a clean line');

line.before.each(async (context) => {
  context.rig = await newRig();
});
line.after.each(async (context) => {
  await context.rig.end();
});

line('brings every clip whole, of whatever size, and releases it', async ({ rig }) => {
  const sizes = [0, 1, 65_536, 262_144, 1_500_003];
  const contents = await rig.plug({ sizes });
  const session = await rig.dock();
  assert.is(session.serial, SERIAL);
  assert.is(session.lastCounter, 5);
  const { records, refused } = await session.records(never);
  assert.equal(refused, []);
  assert.equal(
    records.map((record) => record.sizeBytes),
    sizes,
  );
  for (const [index, record] of records.entries()) {
    const got = await readAll(session, record);
    assert.ok(Buffer.from(got).equals(contents[index] ?? Buffer.alloc(0)));
    await session.release(record.counter, receiptFor(record, rig.receiptKey), never);
    await session.release(record.counter, receiptFor(record, rig.receiptKey), never);
  }
  assert.is((await session.records(never)).records.length, 0);
  await session.close();
  await session.close();
  await session.closed;
});

line('reads a part of a clip', async ({ rig }) => {
  const [content = new Uint8Array(0)] = await rig.plug({ sizes: [700_000] });
  const session = await rig.dock();
  const [record] = (await session.records(never)).records;
  const got = await readAll(session, record!, { fromByte: 99_999, toByte: 600_001 });
  assert.ok(Buffer.from(got).equals(content.subarray(99_999, 600_001)));
  await session.close();
});

line('tells the status and sets the clock, also in the middle of a read', async ({ rig }) => {
  await rig.plug({ sizes: [900_000] });
  const session = await rig.dock();
  const [record] = (await session.records(never)).records;
  const [bytes, status] = await Promise.all([readAll(session, record!), session.status(never)]);
  assert.is(bytes.length, 900_000);
  assert.type(status.firmware, 'string');
  await session.setClock(Date.UTC(2026, 5, 1), never);
  const ahead = await session.setClock(Date.UTC(2026, 5, 1), never);
  assert.ok(Math.abs(ahead) < 60_000);
  await session.close();
});

line('does not run ahead of a slow taker by more than its window', async ({ rig }) => {
  await rig.plug({ sizes: [8_000_000] });
  const session = await rig.dock();
  const [record] = (await session.records(never)).records;
  let calls = 0;
  const abort = new AbortController();
  await new Promise<void>((first) => {
    const onBytes = () => {
      calls++;
      first();
      return new Promise<void>((resolve) =>
        abort.signal.addEventListener('abort', () => resolve()),
      );
    };
    const options = { fromByte: 0, toByte: 8_000_000, signal: abort.signal, onBytes };
    session.read(record!, options).catch((error) => assert.ok(isDockError(error, 'CANCELLED')));
  });
  for (let i = 0; i < 20; i++) await session.status(never);
  assert.is(calls, 1);
  abort.abort();
  await session.close();
  const closed = rig.logged.find((fields) => fields.event === 'link.closed');
  assert.ok(Number(closed?.heardBytes) < 5 * 1_048_576);
});

line('ends a read with the error of the taker', async ({ rig }) => {
  await rig.plug({ sizes: [3_000_000] });
  const session = await rig.dock();
  const [record] = (await session.records(never)).records;
  const onBytes = () => Promise.reject(new RangeError('full'));
  const options = { fromByte: 0, toByte: 3_000_000, signal: never, onBytes };
  const error = await session.read(record!, options).catch((thrown: unknown) => thrown);
  assert.instance(error, RangeError);
  assert.is((await readAll(session, record!)).length, 3_000_000);
  await session.close();
});

line('ends a read, and a wait for a camera, when it is aborted', async ({ rig }) => {
  const early = new AbortController();
  const waiting = rig.dock(early.signal).catch((error: unknown) => error);
  early.abort();
  assert.ok(isDockError(await waiting, 'CANCELLED'));
  await rig.plug({ sizes: [5_000_000] });
  const session = await rig.dock();
  const [record] = (await session.records(never)).records;
  const abort = new AbortController();
  const onBytes = async () => abort.abort();
  const options = { fromByte: 0, toByte: 5_000_000, signal: abort.signal, onBytes };
  const error = await session.read(record!, options).catch((thrown: unknown) => thrown);
  assert.ok(isDockError(error, 'CANCELLED'));
  assert.is((await readAll(session, record!, { toByte: 10 })).length, 10);
  await session.close();
});

line('says that a receipt was refused, and the clip stays', async ({ rig }) => {
  await rig.plug({ sizes: [1000] });
  const session = await rig.dock();
  const [record] = (await session.records(never)).records;
  const wrong = receiptFor({ ...record!, sizeBytes: 999 }, rig.receiptKey);
  const error = await session.release(1, wrong, never).catch((thrown: unknown) => thrown);
  assert.ok(isDockError(error, 'RECEIPT_REFUSED'));
  assert.is((await session.records(never)).records.length, 1);
  await session.close();
});

line('says what the camera refused', async ({ rig }) => {
  await rig.plug({ sizes: [1000] });
  const session = await rig.dock();
  const [record] = (await session.records(never)).records;
  const error = await readAll(session, { ...record!, counter: 7 }).catch((thrown) => thrown);
  assert.ok(isDockError(error, 'CAMERA_REFUSED'));
  await session.close();
});

line('lists more clips than one page holds', async ({ rig }) => {
  await rig.plug({ sizes: Array.from({ length: 150 }, () => 10) });
  const session = await rig.dock();
  const { records } = await session.records(never);
  assert.equal(
    records.map((record) => record.counter),
    records.map((_, index) => index + 1),
  );
  assert.is(records.length, 150);
  await session.close();
});

line('finds the camera again after the dock closed the line', async ({ rig }) => {
  await rig.plug({ sizes: [100_000] });
  for (let i = 0; i < 3; i++) {
    const session = await rig.dock();
    const [record] = (await session.records(never)).records;
    assert.is((await readAll(session, record!)).length, 100_000);
    await session.close();
  }
});

line('waits for a camera that comes later', async ({ rig }) => {
  let present = 0;
  const docking = rig.link.dock(1, { signal: never, onPresent: () => present++ });
  await rig.plug({ sizes: [10] });
  const session = await docking;
  assert.is(present, 1);
  await session.close();
});

line('keeps a second dock out', async ({ rig }) => {
  await rig.plug({ sizes: [10] });
  const session = await rig.dock();
  const error = await rig.dock().catch((thrown: unknown) => thrown);
  assert.ok(isDockError(error, 'SERIAL_IN_USE'));
  assert.is((await session.records(never)).records.length, 1);
  await session.close();
});

line.run();

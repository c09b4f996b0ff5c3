import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { NativeModule } from '../../src/adapters/native/loader.ts';
import { loadNative } from '../../src/adapters/native/loader.ts';
import { DockError } from '../../src/core/errors.ts';
import { makeKit, random } from './kit.ts';

const MIB = 1 << 20;
const abuse = suite('native abuse');
const kit = makeKit();
const native = kit.native as unknown as Record<string, (...args: unknown[]) => unknown>;
const KEY = random.bytes(32);
const PREFIX = random.bytes(100);

function isTypeError(error: Error): boolean {
  return error instanceof TypeError;
}

function open(name: string, flags = 'w+'): number {
  return fs.openSync(path.join(kit.folder, name), flags);
}

async function codeOf(act: () => unknown): Promise<unknown> {
  try {
    await act();
    return 'no error';
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

abuse('refuses arguments of every wrong type without harm', () => {
  const fd = open('types');
  const sealing = kit.native.createSealing();
  const opening = kit.native.createOpening();
  kit.native.beginSegment(sealing, fd, PREFIX, KEY);
  const junk = [undefined, null, -1, 'x', {}, [], Symbol('x'), () => 0, new Proxy({}, {}), 10n];
  for (const name of Object.keys(native).filter(
    (key) => !/^(create|abiVersion|hasLanes)/.test(key),
  )) {
    for (const value of junk) {
      assert.throws(() => native[name]?.(value, value, value, value, value), isTypeError, name);
    }
    assert.throws(() => native[name]?.(), isTypeError, name);
    if (name !== 'hashFile' && name !== 'setThreads') {
      const wrongKind = /Open/.test(name) || name === 'openSegment' ? sealing : opening;
      assert.throws(() => native[name]?.(wrongKind, 1, 1, PREFIX, KEY), isTypeError, name);
    }
  }
  kit.native.abortSealing(sealing);
  fs.closeSync(fd);
});

abuse('refuses descriptors that are no small whole number', () => {
  const sealing = kit.native.createSealing();
  for (const fd of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 53]) {
    assert.throws(() => kit.native.beginSegment(sealing, fd, PREFIX, KEY), isTypeError);
    assert.throws(() => kit.native.hashFile(fd), isTypeError);
  }
});

abuse('refuses memory that may move: detached, shared, resizable, or not of bytes', () => {
  const fd = open('memory');
  const sealing = kit.native.createSealing();
  kit.native.beginSegment(sealing, fd, PREFIX, KEY);
  const detached = new Uint8Array(100);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const Resizable = ArrayBuffer as unknown as new (size: number, options: object) => ArrayBuffer;
  const bad = [
    detached,
    new Uint8Array(new SharedArrayBuffer(64)),
    new Uint8Array(new Resizable(64, { maxByteLength: 128 })),
    new Uint16Array(4),
    new Uint8ClampedArray(4),
    new DataView(new ArrayBuffer(4)),
    new ArrayBuffer(4),
  ];
  for (const bytes of bad) {
    assert.throws(() => kit.native.write(sealing, bytes as Uint8Array), isTypeError);
  }
  for (const size of [0, 31, 33]) {
    const other = kit.native.createSealing();
    assert.throws(
      () => kit.native.beginSegment(other, fd, PREFIX, new Uint8Array(size)),
      isTypeError,
    );
  }
  const long = new Uint8Array(65_537);
  assert.throws(() => kit.native.beginSegment(sealing, fd, long, KEY), isTypeError);
  kit.native.abortSealing(sealing);
  fs.closeSync(fd);
});

abuse('refuses calls out of order', async () => {
  const fd = open('order');
  const sealing = kit.native.createSealing();
  const write = () => kit.native.write(sealing, new Uint8Array(1));
  assert.is(await codeOf(write), 'ESTATE');
  assert.is(await codeOf(() => kit.native.endSegment(sealing)), 'ESTATE');
  assert.is(await codeOf(() => kit.native.finishSealing(sealing)), 'ESTATE');
  kit.native.beginSegment(sealing, fd, PREFIX, KEY);
  assert.is(await codeOf(() => kit.native.beginSegment(sealing, fd, PREFIX, KEY)), 'ESTATE');
  assert.is(await codeOf(() => kit.native.finishSealing(sealing)), 'ESTATE');
  const running = kit.native.write(sealing, new Uint8Array(4 * MIB));
  assert.is(await codeOf(write), 'ESTATE');
  assert.is(await codeOf(() => kit.native.endSegment(sealing)), 'ESTATE');
  await running;
  await kit.native.endSegment(sealing);
  kit.native.finishSealing(sealing);
  assert.is(await codeOf(write), 'ESTATE');
  fs.closeSync(fd);
});

abuse('says VAULT_FULL when the device is full, and stays failed', async () => {
  const fd = fs.openSync('/dev/full', 'w');
  const sealing = kit.sealer.begin();
  await sealing.beginSegment({ index: 0, fd });
  const act = async () => {
    for (let i = 0; i < 4; i++) await sealing.write(new Uint8Array(MIB));
  };
  assert.is(await codeOf(act), 'VAULT_FULL');
  assert.is(await codeOf(() => sealing.write(new Uint8Array(1))), 'VAULT_FULL');
  assert.is(await codeOf(() => sealing.endSegment()), 'VAULT_FULL');
  assert.is(await codeOf(() => sealing.finish()), 'VAULT_FULL');
  sealing.abort();
  fs.closeSync(fd);
});

abuse('says VAULT_FULL at the end of a segment that fits in the buffers', async () => {
  const fd = fs.openSync('/dev/full', 'w');
  const sealing = kit.sealer.begin();
  await sealing.beginSegment({ index: 0, fd });
  await sealing.write(new Uint8Array(10));
  assert.is(await codeOf(() => sealing.endSegment()), 'VAULT_FULL');
  fs.closeSync(fd);
});

abuse('says VAULT_UNWRITABLE for a descriptor that is closed or only for reading', async () => {
  const closed = open('closed');
  fs.closeSync(closed);
  const sealing = kit.sealer.begin();
  assert.is(await codeOf(() => sealing.beginSegment({ index: 0, fd: closed })), 'VAULT_UNWRITABLE');
  assert.is(await codeOf(() => kit.sealer.rehash({ index: 0, fd: closed })), 'VAULT_UNWRITABLE');
  const readOnly = open('closed', 'r');
  const other = kit.sealer.begin();
  await other.beginSegment({ index: 0, fd: readOnly });
  assert.is(await codeOf(() => other.endSegment()), 'VAULT_UNWRITABLE');
  fs.closeSync(readOnly);
});

abuse(
  'never writes into another file when its descriptor is closed and given out again',
  async () => {
    const fd = open('first');
    const sealing = kit.sealer.begin();
    await sealing.beginSegment({ index: 0, fd });
    fs.closeSync(fd);
    const reused = open('innocent');
    await sealing.write(random.bytes(2 * MIB));
    const segment = await sealing.endSegment();
    assert.is(fs.fstatSync(reused).size, 0);
    assert.is(fs.statSync(path.join(kit.folder, 'first')).size, segment.fileBytes);
    fs.closeSync(reused);
  },
);

abuse('stops in the middle of a write when aborted, and gives its files back', async () => {
  const before = fs.readdirSync('/proc/self/fd').length;
  const fd = open('aborted');
  const sealing = kit.sealer.begin();
  await sealing.beginSegment({ index: 0, fd });
  const running = codeOf(() => sealing.write(new Uint8Array(64 * MIB)));
  sealing.abort();
  sealing.abort();
  assert.is(await running, 'CANCELLED');
  assert.is(await codeOf(() => sealing.write(new Uint8Array(1))), 'CANCELLED');
  assert.is(await codeOf(() => sealing.finish()), 'CANCELLED');
  assert.ok(fs.fstatSync(fd).size < 64 * MIB);
  fs.closeSync(fd);
  assert.is(fs.readdirSync('/proc/self/fd').length, before);
});

abuse('lets an opening be aborted in the middle', async () => {
  const fdIn = open('to-open');
  const sealing = kit.sealer.begin();
  await sealing.beginSegment({ index: 0, fd: fdIn });
  await sealing.write(new Uint8Array(32 * MIB));
  await sealing.endSegment();
  const fdOut = open('opened');
  const opening = kit.opener.begin();
  const running = codeOf(() => opening.openSegment({ fdIn, fdOut }));
  while (fs.fstatSync(fdOut).size === 0) await new Promise((resolve) => setImmediate(resolve));
  opening.abort();
  assert.is(await running, 'CANCELLED');
  fs.closeSync(fdIn);
  fs.closeSync(fdOut);
});

abuse('wipes the payload key that it was given', async () => {
  const keys: Uint8Array[] = [];
  const { NativeSealer } = await import('../../src/adapters/native/native-sealer.ts');
  const sealHeader = () => {
    const payloadKey = random.bytes(32);
    keys.push(payloadKey);
    return { prefix: PREFIX, payloadKey };
  };
  const sealer = new NativeSealer({ recipients: kit.recipients, native: kit.native, sealHeader });
  const fd = open('wiped');
  await sealer.begin().beginSegment({ index: 0, fd });
  await sealer.sealSmall(new Uint8Array(3));
  fs.closeSync(fd);
  assert.is(keys.length, 2);
  assert.ok(keys.every((key) => key.every((byte) => byte === 0)));
});

abuse('hashes what the disk holds, for files of any size', async () => {
  for (const size of [0, 1, 4095, 4096, MIB - 1, MIB, MIB + 1, 3 * MIB + 7]) {
    const bytes = random.bytes(size);
    const fd = open(`hash-${size}`);
    fs.writeSync(fd, bytes);
    fs.fsyncSync(fd);
    const found = await kit.sealer.rehash({ index: 0, fd });
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    assert.equal(found, { fileBytes: size, sha256 });
    fs.writeSync(fd, new Uint8Array(1), 0, 1, size);
    fs.closeSync(fd);
  }
});

abuse('says what to do when the module is not there or is of another version', () => {
  const isUnavailable = (error: Error) =>
    error instanceof DockError &&
    error.code === 'NATIVE_UNAVAILABLE' &&
    (error.action ?? '').includes('npm run setup');
  assert.throws(() => loadNative(path.join(kit.folder, 'nothing-here')), isUnavailable);
  const folder = path.join(kit.folder, 'other-version');
  fs.mkdirSync(path.join(folder, 'build', 'Release'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'build', 'Release', 'x.node'), 'not a library');
  assert.throws(() => loadNative(folder), isUnavailable);
  const loaded: NativeModule = loadNative();
  assert.is(loaded.abiVersion, 3);
});

abuse.after(() => kit.remove());
abuse.run();

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findPackageRoot } from '../../src/adapters/native/loader.ts';
import { makeKit, random, sealClip } from './kit.ts';

const MIB = 1 << 20;
const DROPS = 10_000;
const ADDON = path.join(findPackageRoot(fileURLToPath(import.meta.url)), 'native');
const life = suite('native life');
const kit = makeKit();

/** Plain JavaScript, run in worker threads and child processes: begins to seal into argv and does not wait. */
const SCRIPT = `
  const { createRequire } = require('node:module');
  const fs = require('node:fs');
  const native = createRequire(${JSON.stringify(path.join(ADDON, 'x.js'))})('node-gyp-build')(${JSON.stringify(ADDON)});
  const begin = (file) => {
    const sealing = native.createSealing();
    native.beginSegment(sealing, fs.openSync(file, 'w'), new Uint8Array(10), new Uint8Array(32));
    return { sealing, written: native.write(sealing, new Uint8Array(32 << 20)) };
  };
`;

async function runChild(code: string): Promise<readonly [number | null, string]> {
  const child = spawn(process.execPath, ['--expose-gc', '-e', SCRIPT + code]);
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  child.stderr.on('data', (data) => {
    output += data;
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return [status, output];
}

/** Resolves when the worker has said that, and not before. */
function messageOf(worker: Worker, wanted: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.on('message', (message) => {
      if (message === wanted) resolve();
    });
    worker.once('error', reject);
  });
}

function file(name: string): string {
  return JSON.stringify(path.join(kit.folder, name));
}

life('keeps the event loop free while it seals', async () => {
  let ticks = 0;
  let running = true;
  const tick = () => {
    ticks++;
    if (running) setImmediate(tick);
  };
  const fd = fs.openSync(path.join(kit.folder, 'long'), 'w');
  const sealing = kit.sealer.begin();
  await sealing.beginSegment({ index: 0, fd });
  setImmediate(tick);
  await sealing.write(new Uint8Array(64 * MIB));
  running = false;
  await sealing.endSegment();
  fs.closeSync(fd);
  assert.ok(ticks > 10, `${ticks} turns`);
});

life('seals eight clips at once, each with its own digest', async () => {
  const clips = Array.from({ length: 8 }, () => random.bytes(MIB + 3));
  const sealed = await Promise.all(
    clips.map((clip, index) => {
      const options = { name: `at-once-${index}`, segmentBytes: 700_000, writeBytes: [65_536] };
      return sealClip(kit, clip, options);
    }),
  );
  assert.is(new Set(sealed.map((each) => each.sha256)).size, 8);
});

life(`gives back everything of ${DROPS} sealings that are dropped half way`, async () => {
  const [status, output] = await runChild(`
    (async () => {
      const fds = () => fs.readdirSync('/proc/self/fd').length;
      const fd = fs.openSync(${file('dropped')}, 'w');
      const drop = async (count) => {
        for (let i = 0; i < count; i++) {
          const sealing = native.createSealing();
          native.beginSegment(sealing, fd, new Uint8Array(10), new Uint8Array(32));
          if (i % 10 === 0) await native.write(sealing, new Uint8Array(70000));
          if (i % 3 === 0) native.abortSealing(sealing);
          native.createOpening();
          if (i % 50 === 49) {
            globalThis.gc();
            await new Promise((resolve) => setImmediate(resolve));
          }
        }
      };
      const settle = async () => {
        for (let i = 0; i < 5; i++) {
          globalThis.gc();
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      await drop(100);
      await settle();
      const before = { fds: fds(), rss: process.memoryUsage().rss };
      await drop(${DROPS});
      await settle();
      console.log(JSON.stringify({ fds: fds() - before.fds, rss: process.memoryUsage().rss - before.rss }));
    })();
  `);
  assert.is(status, 0, output);
  const grown = JSON.parse(output) as { fds: number; rss: number };
  assert.is(grown.fds, 0);
  assert.ok(grown.rss < 100 * MIB, output);
});

life('ends cleanly when the process exits in the middle of its work', async () => {
  const [status, output] = await runChild(`
    for (let i = 0; i < 6; i++) begin(${file('exit')} + i);
    native.hashFile(fs.openSync(${file('exit')} + 0, 'r'));
    setTimeout(() => process.exit(7), 5);
  `);
  assert.is(status, 7, output);
});

life('keeps the process alive until its work is done, and no longer', async () => {
  const [status, output] = await runChild(`
    const { sealing, written } = begin(${file('alive')});
    written.then(() => native.endSegment(sealing)).then((segment) => console.log(segment.plainBytes));
  `);
  assert.is(status, 0, output);
  assert.is(output.trim(), String(32 * MIB));
});

life('works in worker threads, also when they are ended in the middle', async () => {
  const seals = `
    const { parentPort } = require('node:worker_threads');
    const { sealing, written } = begin(${file('worker')} + Math.random());
    parentPort.postMessage('began');
    written.then(() => native.endSegment(sealing)).then((segment) => parentPort.postMessage(segment.plainBytes));
  `;
  for (let round = 0; round < 4; round++) {
    const workers = [0, 1, 2].map(() => new Worker(SCRIPT + seals, { eval: true }));
    const [first, ...others] = workers as [Worker, ...Worker[]];
    // Listened to from the start: the first may be done before the others are ended.
    const sealed = messageOf(first, 32 * MIB);
    await Promise.all(workers.map((worker) => messageOf(worker, 'began')));
    await Promise.all(others.map((worker) => worker.terminate()));
    await sealed;
    await first.terminate();
  }
});

life.after(() => kit.remove());
life.run();

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findPackageRoot } from '../../src/adapters/native/loader.ts';
import { makeKit } from './kit.ts';

const MIB = 1 << 20;
const CYCLES = 10_000;
const ADDON = path.join(findPackageRoot(fileURLToPath(import.meta.url)), 'native');
const life = suite('native reader life');
const kit = makeKit();
let pipes = 0;

/** Plain JavaScript, run in worker threads and child processes: a line that carries frames for ever. */
function script(): string {
  const pipe = path.join(kit.folder, `pipe-${pipes++}`);
  execFileSync('mkfifo', [pipe]);
  return `
    const { createRequire } = require('node:module');
    const fs = require('node:fs');
    const native = createRequire(${JSON.stringify(path.join(ADDON, 'x.js'))})('node-gyp-build')(${JSON.stringify(ADDON)});
    const fd = fs.openSync(${JSON.stringify(pipe)}, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
    const frame = Buffer.alloc(20 + 4 + 1000);
    frame.set([0xd0, 0xc4, 0x86]);
    frame.writeUInt32LE(1, 4);
    frame.writeUInt32LE(1004, 8);
    const zlib = require('node:zlib');
    frame.writeUInt32LE(zlib.crc32(frame.subarray(0, 12)), 12);
    frame.writeUInt32LE(zlib.crc32(frame.subarray(16, 1020)), 1020);
    const write = (bytes) => {
      try { fs.writeSync(fd, bytes); } catch (error) { if (error.code !== 'EAGAIN') throw error; }
    };
    const pour = () => { for (let i = 0; i < 50; i++) write(frame); };
    const open = () => {
      let heard = 0;
      const reader = native.openReader(fd, () => {
        const news = native.takeArrivals(reader);
        heard += news.arrivals.length;
      });
      native.expectData(reader, 1, new Uint8Array(2000));
      return { reader, heard: () => heard };
    };
  `;
}

async function runChild(code: string): Promise<readonly [number | null, string]> {
  const child = spawn(process.execPath, ['--expose-gc', '-e', script() + code]);
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

for (const [name, end] of [
  ['closed', 'native.closeReader(reader);'],
  ['dropped', ''],
] as const) {
  life(
    `gives back everything of ${CYCLES} readers that are ${name} in the middle of a frame`,
    async () => {
      const [status, output] = await runChild(`
      (async () => {
        const fds = () => fs.readdirSync('/proc/self/fd').length;
        const once = (i) => {
          const reader = native.openReader(fd, () => undefined);
          native.expectData(reader, 1, new Uint8Array(2000));
          write(frame.subarray(0, 30 + (i % 900)));
          if (i % 100 === 0) native.takeArrivals(reader);
          ${end}
        };
        const cycle = async (count) => {
          for (let i = 0; i < count; i++) {
            once(i);
            if (i % 20 === 19) {
              globalThis.gc();
              await new Promise((resolve) => setImmediate(resolve));
            }
          }
          for (let i = 0; i < 5; i++) {
            globalThis.gc();
            await new Promise((resolve) => setImmediate(resolve));
          }
        };
        await cycle(200);
        const before = { fds: fds(), rss: process.memoryUsage().rss, tasks: fs.readdirSync('/proc/self/task').length };
        await cycle(${CYCLES});
        const tasks = fs.readdirSync('/proc/self/task').length - before.tasks;
        console.log(JSON.stringify({ fds: fds() - before.fds, rss: process.memoryUsage().rss - before.rss, tasks }));
        process.exit(0);
      })();
    `);
      assert.is(status, 0, output);
      const grown = JSON.parse(output) as { fds: number; rss: number; tasks: number };
      assert.is(grown.fds, 0);
      assert.is(grown.tasks, 0);
      assert.ok(grown.rss < 32 * MIB, output);
    },
  );
}

life('ends cleanly when the process exits in the middle of a line', async () => {
  const [status, output] = await runChild(`
    const { heard } = open();
    setInterval(() => { pour(); if (heard() > 3) process.exit(7); }, 0);
  `);
  assert.is(status, 7, output);
});

life('keeps the process alive until it is closed, and no longer', async () => {
  const [status, output] = await runChild(`
    const { reader, heard } = open();
    setTimeout(() => { console.log('open'); native.closeReader(reader); }, 50).unref();
  `);
  assert.is(status, 0, output);
  assert.is(output.trim(), 'open');
});

life('works in worker threads, also when they are ended in the middle', async () => {
  const code = `
    const { parentPort } = require('node:worker_threads');
    const { heard } = open();
    let told = false;
    setInterval(() => { pour(); if (!told && heard() > 3) { told = true; parentPort.postMessage('heard'); } }, 0);
  `;
  for (let round = 0; round < 5; round++) {
    const workers = [0, 1, 2].map(() => new Worker(script() + code, { eval: true }));
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
});

life.after(() => kit.remove());
life.run();

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openPort } from '../../../src/adapters/serial/port.ts';

interface Context {
  folder: string;
  path: string;
  device: ChildProcessByStdio<Writable, Readable, null>;
  said: AsyncIterator<string>;
}

const port = suite<Context>('serial port');
const program = fileURLToPath(new URL('./line-settings.py', import.meta.url));

port.before.each(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), 'docket-port-'));
  context.path = join(context.folder, 'bay-1');
  context.device = spawn('python3', [program, context.path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  context.said = createInterface({ input: context.device.stdout })[Symbol.asyncIterator]();
  await context.said.next();
});
port.after.each(async ({ device, folder }) => {
  const exited = once(device, 'exit');
  device.stdin.end();
  await exited;
  await rm(folder, { recursive: true, force: true });
});

async function settingsOf({ device, said }: Context): Promise<string> {
  device.stdin.write('?\n');
  return (await said.next()).value;
}

for (const [rtscts, flow] of [
  [true, 'rtscts'],
  [false, 'none'],
] as const) {
  port(
    `has ${rtscts ? 'hardware' : 'no'} flow control where the board says so`,
    async (context) => {
      const open = await openPort({ path: context.path, baudRate: 115_200, rtscts });
      assert.is(await settingsOf(context), `115200 ${flow}`);
      await open.update({ baudRate: 3_000_000 });
      assert.is(await settingsOf(context), `3000000 ${flow}`);
      await open.close();
    },
  );
}

port.run();

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as assert from 'uvu/assert';
import { ROOT } from './programs.ts';

/** Runs `kill.ts`, which checks after every kill, and prints its counts. */
export async function checkKills(kills: number): Promise<void> {
  const args = ['--import', 'tsx', `${ROOT}test/e2e/kill.ts`, `--kills=${kills}`];
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const [code] = await once(child, 'close');
  console.log(stdout.trimEnd());
  assert.is(code, 0);
  const tally = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '{}') as Record<string, number>;
  assert.is(tally.kills, kills);
  assert.is(tally.erased, tally.clips);
}

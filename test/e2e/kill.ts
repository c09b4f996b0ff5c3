/**
 * Kills a running dock with SIGKILL at random moments, and checks after each kill that nothing that was promised is lost:
 * `node --import tsx test/e2e/kill.ts [--kills 200] [--seed N] [--parallel 2]`. The last line of stdout is the counts as JSON.
 */
import { parseArgs } from 'node:util';
import { KillRun, type KillTally } from './kit/kill-run.ts';
import { endSites } from './kit/site.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    parallel: { type: 'string', default: '2' },
  },
});
const kills = wholeNumber(values.kills, 'kills');
const seed = wholeNumber(values.seed, 'seed');
const parallel = wholeNumber(values.parallel, 'parallel');

function wholeNumber(text: string, name: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new Error(`--${name} takes a whole number, not ${text}`);
  return Number(text);
}

function sum(tallies: readonly KillTally[]): KillTally {
  const total: KillTally = {
    ...{ kills: 0, atStart: 0, duringIngest: 0, betweenClips: 0, atRest: 0 },
    ...{
      clips: 0,
      erased: 0,
      beforeErasure: 0,
      unrecorded: 0,
      drafts: 0,
      recovered: 0,
      torn: 0,
      entries: 0,
    },
  };
  for (const tally of tallies) {
    for (const key of Object.keys(total) as (keyof KillTally)[]) total[key] += tally[key];
  }
  return total;
}

async function main(): Promise<void> {
  const startedMs = performance.now();
  const share = (index: number) =>
    Math.floor((kills * (index + 1)) / parallel) - Math.floor((kills * index) / parallel);
  const runs = Array.from({ length: parallel }, (_, index) => {
    const run = new KillRun({ kills: share(index), seed: seed * 16 + index });
    return run.run((text) => console.log(`dock ${index + 1}: ${text}`));
  });
  const total = sum(await Promise.all(runs));
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  console.log(JSON.stringify({ ...total, lost: 0, twice: 0, early: 0, seed, seconds }));
}

try {
  await main();
} catch (error) {
  console.error(error);
  console.error(`seed ${seed}`);
  process.exitCode = 1;
} finally {
  await endSites();
}

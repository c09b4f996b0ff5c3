/** Runs the vectors that others wrote, `wycheproof/` and `merkle/testdata/` of a folder, and prints `N passed, N failed` last. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runMerkleCases, type Tally } from './merkle.ts';
import { runVerifierMerkle, runVerifierSignatures } from './verifier.ts';
import { runWycheproof } from './wycheproof.ts';

const SUITES: readonly (readonly [folder: string, run: (folder: string) => Tally])[] = [
  ['wycheproof', runWycheproof],
  ['merkle/testdata', runMerkleCases],
  ['wycheproof', runVerifierSignatures],
  ['merkle/testdata', runVerifierMerkle],
];

function runAll(folder: string): Tally[] {
  return SUITES.map(([name, run]) => {
    const path = join(folder, name);
    if (!existsSync(path)) return { passed: 0, failed: [`${path} is not there`] };
    const tally = run(path);
    console.log(`${name} (${run.name}): ${tally.passed} passed, ${tally.failed.length} failed`);
    return tally;
  });
}

const [, , folder] = process.argv;
if (folder === undefined) {
  console.error('usage: npm run test:vectors -- FOLDER, which holds wycheproof/ and merkle/');
  process.exitCode = 2;
} else {
  const tallies = runAll(folder);
  const failed = tallies.flatMap((tally) => tally.failed);
  const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0);
  for (const line of failed) console.error(`failed: ${line}`);
  console.log(`${passed} passed, ${failed.length} failed`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

// timeout: 900
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { endSites } from '../e2e/kit/site.ts';
import { makeDockFolder } from '../verifier/dock-folder.ts';
import { flipBits } from '../verifier/flips.ts';
import type { Files } from '../verifier/kit.ts';

const FLIPS = 10_000;
const many = suite('10,000 flipped bits');
many.after(endSites);

many('are reported by the name of their file, but for those that prove nothing', async () => {
  const made = await makeDockFolder();
  const files: Files = new Map([...made.files].map(([path, bytes]) => [path, bytes?.slice()]));
  const { reported, ofNoEvidence } = await flipBits(files, made.policy, { count: FLIPS, seed: 9 });
  assert.is(reported + ofNoEvidence, FLIPS);
  console.log(`${reported} reported, ${ofNoEvidence} in cache and secrets`);
});

many.run();

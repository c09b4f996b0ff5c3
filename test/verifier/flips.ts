import * as assert from 'uvu/assert';
import { checkDock } from '../../src/verifier/dock.ts';
import type { Policy } from '../../src/verifier/formats/policy.ts';
import type { Crypto } from '../../src/verifier/report.ts';
import { type Files, numbersFrom, rememberingCrypto, sourceOf } from './kit.ts';

/** What proves nothing: a cache that is made anew, a lock, and secrets that no verifier reads. */
const NO_EVIDENCE = /^(cache\.json|custody\/lock-.*|keys\/\w+\.key)$/;

export interface FlipCount {
  readonly reported: number;
  readonly ofNoEvidence: number;
}

/** Flips single bits, one at a time: in half of the cases of any byte, in half of any file, so that small files get theirs. */
export async function flipBits(
  files: Files,
  policy: Policy,
  { count, seed }: { readonly count: number; readonly seed: number },
): Promise<FlipCount> {
  const random = numbersFrom(seed);
  const crypto = rememberingCrypto();
  const paths = [...files].flatMap(([path, bytes]) => (bytes?.length ? [path] : []));
  const total = paths.reduce((sum, path) => sum + (files.get(path)?.length ?? 0), 0);
  let ofNoEvidence = 0;
  for (let turn = 0; turn < count; turn++) {
    const place = turn % 2 === 0 ? anyByte(files, paths, random(total)) : undefined;
    const path = place?.path ?? paths[random(paths.length)] ?? '';
    const at = place?.at ?? random(files.get(path)?.length ?? 1);
    ofNoEvidence += Number(await flipBit({ files, path, at, bit: random(8) }, policy, crypto));
  }
  return { reported: count - ofNoEvidence, ofNoEvidence };
}

function anyByte(files: Files, paths: readonly string[], place: number) {
  let at = place;
  for (const path of paths) {
    const size = files.get(path)?.length ?? 0;
    if (at < size) return { path, at };
    at -= size;
  }
  return undefined;
}

/** Whether the file proves nothing; fails unless a finding names any other. */
async function flipBit(
  flip: { readonly files: Files; readonly path: string; readonly at: number; readonly bit: number },
  policy: Policy,
  crypto: Crypto,
): Promise<boolean> {
  const { files, path, at, bit } = flip;
  const bytes = files.get(path);
  assert.ok(bytes);
  if (bytes === undefined) return false;
  const where = `${path}, byte ${at}, bit ${bit}`;
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
  try {
    const report = await checkDock(sourceOf(files), policy, crypto);
    if (NO_EVIDENCE.test(path)) {
      assert.equal(report.findings, [], where);
      return true;
    }
    const isNamed = report.findings.some((finding) => finding.path === path);
    assert.ok(isNamed, `${where}: ${JSON.stringify(report.findings)}`);
    return false;
  } finally {
    bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
  }
}

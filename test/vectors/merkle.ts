/** Runs a folder of RFC 6962 proof cases (`inclusion/`, `consistency/`) and prints `N passed, N failed`. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Verdict } from '../../src/core/custody/finding.ts';
import { verifyConsistency, verifyInclusion } from '../../src/core/custody/verify-merkle.ts';

interface ProofCase {
  readonly leafIdx: number;
  readonly leafHash: string;
  readonly treeSize: number;
  readonly root: string;
  readonly size1: number;
  readonly size2: number;
  readonly root1: string;
  readonly root2: string;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}

const KINDS: Readonly<Record<string, (proofCase: ProofCase) => Verdict>> = {
  inclusion: (it) =>
    verifyInclusion(
      {
        leafHash: decode(it.leafHash),
        index: it.leafIdx,
        treeSize: it.treeSize,
        root: decode(it.root),
        proof: (it.proof ?? []).map(decode),
      },
      sha256,
    ),
  consistency: (it) =>
    verifyConsistency(
      {
        oldSize: it.size1,
        oldRoot: decode(it.root1),
        treeSize: it.size2,
        root: decode(it.root2),
        proof: (it.proof ?? []).map(decode),
      },
      sha256,
    ),
};

export interface Tally {
  readonly passed: number;
  readonly failed: readonly string[];
}

export function runMerkleCases(folder: string): Tally {
  let passed = 0;
  const failed: string[] = [];
  for (const [kind, verify] of Object.entries(KINDS)) {
    for (const name of readdirSync(join(folder, kind), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.json')) continue;
      const path = join(folder, kind, name);
      const proofCase = JSON.parse(readFileSync(path, 'utf8')) as ProofCase;
      if (verify(proofCase).ok === !proofCase.wantErr) passed += 1;
      else failed.push(path);
    }
  }
  return { passed, failed };
}

function decode(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

const [, script = '', folder] = process.argv;
if (script.endsWith('merkle.ts') || script.endsWith('merkle.js')) {
  if (folder === undefined) {
    console.error('usage: merkle.ts FOLDER, where FOLDER holds inclusion/ and consistency/');
    process.exit(2);
  }
  const { passed, failed } = runMerkleCases(folder);
  for (const path of failed) console.error(`failed: ${path}`);
  console.log(`${passed} passed, ${failed.length} failed`);
  process.exit(failed.length > 0 || passed === 0 ? 1 : 0);
}

/** The same vectors through docket-verify, which shares no code with the dock, and through the Ed25519 of its page. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootByInclusion } from '../../src/verifier/formats/tree.ts';
import { nodeCrypto } from '../../src/verifier/node.ts';
import { ownCrypto } from '../../src/verifier/page/ed25519.ts';
import type { Tally } from './merkle.ts';

interface ProofCase {
  readonly leafIdx: number;
  readonly leafHash: string;
  readonly treeSize: number;
  readonly root: string;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}

interface SignatureFile {
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string };
    readonly tests: readonly {
      readonly tcId: number;
      readonly msg: string;
      readonly sig: string;
      readonly result: string;
    }[];
  }[];
}

/** Inclusion alone: docket-verify has all entries where it would need a consistency proof. */
export function runVerifierMerkle(folder: string): Tally {
  let passed = 0;
  const failed: string[] = [];
  const below = join(folder, 'inclusion');
  for (const name of readdirSync(below, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.json')) continue;
    const proofCase = JSON.parse(readFileSync(join(below, name), 'utf8')) as ProofCase;
    if (isIncluded(proofCase) === !proofCase.wantErr) passed += 1;
    else failed.push(`docket-verify: ${name}`);
  }
  return { passed, failed };
}

function isIncluded(it: ProofCase): boolean {
  const proof = (it.proof ?? []).map(decode);
  const claim = { leafHash: decode(it.leafHash), index: it.leafIdx, size: it.treeSize, proof };
  const root = decode(it.root);
  if (![claim.leafHash, root, ...proof].every((hash) => hash.length === 32)) return false;
  const found = rootByInclusion(claim, nodeCrypto);
  return found !== undefined && root.equals(found);
}

export function runVerifierSignatures(folder: string): Tally {
  let passed = 0;
  const failed: string[] = [];
  const name = readdirSync(folder).find((file) => /^ed25519.*\.json$/.test(file)) ?? '';
  const { testGroups } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as SignatureFile;
  for (const { publicKey, tests } of testGroups) {
    for (const { tcId, msg, sig, result } of tests) {
      const [key, message, signature] = [publicKey.pk, msg, sig].map((hex) =>
        Buffer.from(hex, 'hex'),
      ) as [Buffer, Buffer, Buffer];
      const isRight = [ownCrypto, nodeCrypto].every((crypto) => {
        return crypto.verifyEd25519(key, message, signature) === (result === 'valid');
      });
      if (isRight) passed += 1;
      else failed.push(`docket-verify: ${name} ${tcId}`);
    }
  }
  return { passed, failed };
}

function decode(text: string): Buffer {
  return Buffer.from(text, 'base64');
}

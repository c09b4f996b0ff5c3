import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nameKey } from '../../src/verifier/formats/notes.ts';
import { type Policy, parsePolicy } from '../../src/verifier/formats/policy.ts';
import { nodeCrypto } from '../../src/verifier/node.ts';
import { type Crypto, Malformed, type Report, type Source } from '../../src/verifier/report.ts';
import { testSigner } from '../core/custody/keys.ts';

export const WITNESS = testSigner('council/witness', 7);
const COSIGNATURE_TYPE = 4;

/** A data folder in memory, so that it can be spoiled ten thousand times. `undefined` stands for a folder. */
export type Files = Map<string, Uint8Array | undefined>;

export function loadFiles(root: string, folder = ''): Files {
  const files: Files = new Map();
  for (const name of readdirSync(join(root, folder))) {
    const path = folder === '' ? name : `${folder}/${name}`;
    if (lstatSync(join(root, path)).isDirectory()) {
      files.set(path, undefined);
      for (const [below, bytes] of loadFiles(root, path)) files.set(below, bytes);
    } else files.set(path, Uint8Array.from(readFileSync(join(root, path))));
  }
  return files;
}

export function sourceOf(files: Files): Source {
  const get = (path: string): Uint8Array => {
    const bytes = files.get(path);
    if (bytes === undefined) throw new Malformed(`${path} is not there`);
    return bytes;
  };
  return {
    list: async () =>
      [...files].map(([path, bytes]) => {
        return {
          path,
          sizeBytes: bytes?.length ?? 0,
          kind: bytes === undefined ? 'folder' : 'file',
        };
      }),
    async read(path, bytesMax) {
      if (get(path).length > bytesMax) throw new Malformed('it is longer than it can be');
      return get(path);
    },
    async *pieces(path) {
      const bytes = get(path);
      // Odd pieces, so that nothing relies on where they end.
      for (let at = 0; at < bytes.length; at += 40_001) yield bytes.subarray(at, at + 40_001);
    },
  };
}

/** Remembers which signatures hold: of ten thousand spoiled folders nearly all signatures are the same. */
export function rememberingCrypto(): Crypto {
  const known = new Map<string, boolean>();
  return {
    newSha256: () => nodeCrypto.newSha256(),
    verifyEd25519(publicKey, message, signature) {
      const key = [publicKey, message, signature]
        .map((part) => Buffer.from(part).toString('latin1'))
        .join('|');
      const holds = known.get(key) ?? nodeCrypto.verifyEd25519(publicKey, message, signature);
      known.set(key, holds);
      return holds;
    },
  };
}

export function sha256Hex(...parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

export function vkeyOf(name: string, type: number, publicKey: Uint8Array): string {
  const { id } = nameKey({ name, type, publicKey }, nodeCrypto);
  return `${name}+${id}+${Buffer.from([type, ...publicKey]).toString('base64')}`;
}

export const WITNESS_VKEY = vkeyOf(WITNESS.name, COSIGNATURE_TYPE, WITNESS.publicKey);

export function policyOf(...lines: readonly string[]): Policy {
  return parsePolicy(Buffer.from(`${lines.join('\n')}\n`), nodeCrypto);
}

/** The note with one more line: the cosignature of a witness, made here and not by the code of the dock. */
export function cosigned(note: string, { signer = WITNESS, seconds = 1_795_400_000 } = {}): string {
  const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(seconds));
  const signature = signer.sign(Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`));
  const { name, publicKey } = signer;
  const { id } = nameKey({ name, type: COSIGNATURE_TYPE, publicKey }, nodeCrypto);
  const line = Buffer.concat([Buffer.from(id, 'hex'), time, signature]).toString('base64');
  return `${note}\u2014 ${name} ${line}\n`;
}

/** Names of the findings, each once, sorted. */
export function namesOf({ findings }: Report): string[] {
  return [...new Set(findings.map(({ name }) => name))].sort();
}

/** Numbers that are the same in every run of a seed (mulberry32). */
export function numbersFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

// timeout: 600
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NaclSigner } from '../../src/adapters/nacl/ed25519.ts';
import { formatBase64 } from '../../src/core/bytes.ts';
import { signCheckpoint } from '../../src/core/custody/checkpoint.ts';
import { MerkleTree } from '../../src/core/custody/merkle.ts';
import { sha256 } from '../core/custody/keys.ts';
import { numbersFrom, vkeyOf } from '../verifier/kit.ts';

const TREES = 10_000;
const LEAVES_MAX = 150;
const SOURCE = new URL('go-verifier/main.go', import.meta.url).pathname;
const go = suite('a verifier written in Go');
const folder = mkdtempSync(join(tmpdir(), 'docket-go-'));
const program = join(folder, 'go-verifier');
const random = numbersFrom(1962);
/** The signer of the dock: tweetnacl. */
const signer = new NaclSigner('depot/dock-1/log', new Uint8Array(32).fill(5));
const KEY = vkeyOf(signer.name, 1, signer.publicKey);

interface Claim {
  readonly key: string;
  readonly checkpoint: string;
  /** Base64, as all bytes here. */
  readonly leaf: string;
  readonly index: number;
  readonly inclusion: readonly string[];
  readonly oldSize: number;
  readonly oldRoot: string;
  readonly consistency: readonly string[];
}

go.before(() => {
  const env = {
    ...process.env,
    ...{ GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '', GOPROXY: 'off' },
    ...{ GOCACHE: join(folder, 'cache'), HOME: folder },
  };
  const built = spawnSync('go', ['build', '-o', program, SOURCE], { env, encoding: 'utf8' });
  assert.is(built.status, 0, `${built.stderr}${built.error ?? ''}`);
});

go.after(() => rmSync(folder, { recursive: true, force: true }));

function encode(bytes: Uint8Array): string {
  return formatBase64(bytes, true);
}

function randomLeaf(): Uint8Array {
  return Uint8Array.from({ length: random(60) }, () => random(256));
}

/** A random tree of ours with two proofs in it. */
function newClaim(): Claim {
  const tree = new MerkleTree(sha256);
  const size = 1 + random(LEAVES_MAX);
  const index = random(size);
  const oldSize = 1 + random(size);
  let leaf = new Uint8Array(0);
  for (let at = 0; at < size; at++) {
    const bytes = randomLeaf();
    if (at === index) leaf = Uint8Array.from(bytes);
    tree.append(bytes);
  }
  return {
    key: KEY,
    checkpoint: signCheckpoint({ treeSize: size, root: tree.root() }, signer, sha256),
    leaf: encode(leaf),
    index,
    inclusion: tree.inclusionProof(index).map(encode),
    oldSize,
    oldRoot: encode(tree.root(oldSize)),
    consistency: tree.consistencyProof(oldSize).map(encode),
  };
}

function flipBase64(text: string): string {
  const bytes = Buffer.from(text, 'base64');
  const at = random(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
  return bytes.toString('base64');
}

function flipOne(hashes: readonly string[]): string[] {
  const at = random(hashes.length);
  return hashes.map((hash, index) => (index === at ? flipBase64(hash) : hash));
}

/** The signature as bytes, because Go takes more than one spelling of base64. */
function flipSignature({ checkpoint }: Claim): string {
  const at = checkpoint.lastIndexOf(' ') + 1;
  return `${checkpoint.slice(0, at)}${flipBase64(checkpoint.slice(at, -1))}\n`;
}

function flipText({ checkpoint }: Claim): string {
  const bytes = Buffer.from(checkpoint);
  const at = random(checkpoint.indexOf('\n\n'));
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random(7));
  return bytes.toString();
}

const MUTATIONS: readonly ((claim: Claim) => Partial<Claim>)[] = [
  (claim) => ({ checkpoint: flipText(claim) }),
  (claim) => ({ checkpoint: flipSignature(claim) }),
  ({ leaf }) => ({ leaf: encode(Buffer.concat([Buffer.from(leaf, 'base64'), Buffer.of(0)])) }),
  ({ index }) => ({ index: index + 1 }),
  ({ inclusion }) => ({ inclusion: inclusion.length > 0 ? flipOne(inclusion) : [KEY] }),
  ({ inclusion }) => ({ inclusion: inclusion.length > 0 ? inclusion.slice(1) : [KEY] }),
  ({ inclusion, oldRoot }) => ({ inclusion: [...inclusion, oldRoot] }),
  ({ oldRoot }) => ({ oldRoot: flipBase64(oldRoot) }),
  ({ oldSize }) => ({ oldSize: oldSize + 1 }),
  ({ consistency }) => ({ consistency: consistency.length > 0 ? flipOne(consistency) : [KEY] }),
  ({ consistency, oldRoot }) => ({ consistency: [...consistency, oldRoot] }),
];

/** What the program in Go says of each claim. */
function ask(claims: readonly Claim[]): string[] {
  const input = claims.map((claim) => `${JSON.stringify(claim)}\n`).join('');
  const ended = spawnSync(program, { input, encoding: 'utf8', maxBuffer: 1 << 26 });
  assert.is(ended.status, 0, ended.stderr);
  const answers = ended.stdout.trimEnd().split('\n');
  assert.is(answers.length, claims.length);
  return answers;
}

const claims: Claim[] = [];

go(`accepts ${TREES} random trees, checkpoints and proofs of ours`, () => {
  while (claims.length < TREES) claims.push(newClaim());
  const answers = ask(claims);
  assert.is(
    answers.findIndex((answer) => answer !== 'ok'),
    -1,
  );
});

go(`rejects ${TREES} of them with one thing changed`, () => {
  const mutated = claims.map((claim, turn) => {
    return { ...claim, ...MUTATIONS[turn % MUTATIONS.length]?.(claim) };
  });
  const answers = ask(mutated);
  const accepted = answers.indexOf('ok');
  assert.is(
    accepted,
    -1,
    `mutation ${accepted % MUTATIONS.length}: ${JSON.stringify(mutated[accepted])}`,
  );
});

go.run();

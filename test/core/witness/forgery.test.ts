import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readCheckpointNote } from '../../../src/core/custody/checkpoint.ts';
import type { MerkleTree } from '../../../src/core/custody/merkle.ts';
import { formatNote, type NoteSigner, parseNote } from '../../../src/core/custody/note.ts';
import { verifyCosigned } from '../../../src/core/witness/policy.ts';
import { decideAddCheckpoint } from '../../../src/core/witness/rules.ts';
import { testCrypto, testSigner } from '../custody/keys.ts';
import {
  AT_MS,
  cosigned,
  LOG,
  OTHER_LOG,
  POLICY,
  seeded,
  signed,
  signedAs,
  treeOf,
  WITNESS,
  witnessed,
} from './kit.ts';

const ATTEMPTS = 1_000;
const COSIGNED_SIZE = 40;
/** The history that the witness has cosigned; whoever stole the dock knows all of it, and the log's key. */
const HONEST = treeOf(60);
const HONEST_NOTES = Array.from({ length: COSIGNED_SIZE + 1 }, (_, size) =>
  cosigned(signed(HONEST, size)),
);

const forgery = suite('forgery with a stolen log key');

interface Forged {
  readonly kind: string;
  readonly note: string;
  readonly tree: MerkleTree;
}

/** One history that differs from the honest one within its cosigned part, or hides the end of it. */
function forge(random: () => number): Forged {
  const below = (limit: number) => Math.floor(random() * limit);
  const fork = below(COSIGNED_SIZE);
  const size = fork + 1 + below(60 - fork);
  const rewritten = treeOf(size, `forged ${random()}`, fork);
  const note = signed(rewritten);
  const old = HONEST_NOTES[1 + below(COSIGNED_SIZE)] ?? '';
  const kinds: Readonly<Record<string, () => string>> = {
    'no cosignature': () => note,
    'the cosignature of another checkpoint': () => withLines(note, old),
    'all cosignatures that were ever made': () => withLines(note, ...HONEST_NOTES.slice(-12)),
    'a key of their own under the name of the witness': () =>
      cosigned(note, AT_MS, testSigner(WITNESS.name, 40 + below(100))),
    'the key of the log in place of the witness': () =>
      cosigned(note, AT_MS, { ...LOG, name: WITNESS.name }),
    'the line of the witness with another time': () => cosignedAtOtherTime(note, old, below(72)),
    'a cosigned checkpoint with another size': () => resized(old, size),
    'the cosigned checkpoint of another dock under this name': () =>
      withLines(note, cosigned(signed(HONEST, 30, OTHER_LOG))),
  };
  const names = Object.keys(kinds);
  const kind = names[below(names.length)] ?? '';
  return { kind, note: kinds[kind]?.() ?? '', tree: rewritten };
}

/** The witness's lines of other notes under this text. */
function withLines(note: string, ...others: readonly string[]): string {
  const { text, signatures } = parseNote(note);
  const lines = others.flatMap((other) =>
    parseNote(other).signatures.filter(({ name }) => name === WITNESS.name),
  );
  return formatNote({ text, signatures: [...signatures, ...lines] });
}

function cosignedAtOtherTime(note: string, old: string, at: number): string {
  const { text, signatures } = parseNote(note);
  const line = parseNote(old).signatures.find(({ name }) => name === WITNESS.name);
  if (line === undefined) return note;
  const signature = line.signature.slice();
  signature[at] = (signature[at] ?? 0) ^ 0x10;
  return formatNote({ text, signatures: [...signatures, { ...line, signature }] });
}

function resized(old: string, treeSize: number): string {
  const { root, treeSize: before } = readCheckpointNote(old);
  const size = treeSize === before ? treeSize + 1 : treeSize;
  return withLines(signedAs({ origin: LOG.name, treeSize: size, root }), old);
}

forgery(`${ATTEMPTS} forged histories: the policy with the witness refuses every one`, () => {
  const random = seeded(1);
  const kinds = new Map<string, number>();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { kind, note } = forge(random);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    const { checkpoint, findings } = verifyCosigned(note, POLICY, testCrypto);
    assert.is(checkpoint, undefined, `${kind}, attempt ${attempt}`);
    assert.ok(findings.length > 0, `${kind} has a finding`);
  }
  assert.is(kinds.size, 8);
  assert.ok([...kinds.values()].every((count) => count > 60));
});

forgery(`${ATTEMPTS} forged histories: the witness cosigns none of them`, () => {
  const random = seeded(2);
  const log = witnessed(HONEST, COSIGNED_SIZE);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { kind, note, tree } = forge(random);
    const oldSize = [0, COSIGNED_SIZE, Math.floor(random() * 60)][attempt % 3] ?? 0;
    const proofs = [[], safeProof(tree, oldSize), safeProof(HONEST, oldSize)];
    const proof = proofs[Math.floor(random() * 3)] ?? [];
    const request = { note, oldSize, proof };
    const { status } = decideAddCheckpoint(request, () => log, testCrypto);
    assert.is.not(status, 200, `${kind}, attempt ${attempt}`);
  }
});

forgery('the honest history passes both, so that the refusals mean something', () => {
  const log = witnessed(HONEST, COSIGNED_SIZE);
  const note = signed(HONEST);
  const request = { note, oldSize: COSIGNED_SIZE, proof: safeProof(HONEST, COSIGNED_SIZE) };
  assert.is(decideAddCheckpoint(request, () => log, testCrypto).status, 200);
  for (const each of HONEST_NOTES) assert.ok(verifyCosigned(each, POLICY, testCrypto).checkpoint);
});

forgery('a witness key that is not in the policy lends nothing', () => {
  const friend: NoteSigner = testSigner('friend/witness', 66);
  const note = cosigned(signed(treeOf(50, 'forged')), AT_MS, friend);
  assert.is(verifyCosigned(note, POLICY, testCrypto).checkpoint, undefined);
});

function safeProof(tree: MerkleTree, oldSize: number): readonly Uint8Array[] {
  return oldSize <= tree.size ? tree.consistencyProof(oldSize) : [];
}

forgery.run();

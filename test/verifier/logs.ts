import { encodeBundle, encodeRecord } from '../../src/adapters/fs/journal.ts';
import { signCheckpoint } from '../../src/core/custody/checkpoint.ts';
import { MerkleTree } from '../../src/core/custody/merkle.ts';
import { sha256, testSigner } from '../core/custody/keys.ts';
import { type Files, vkeyOf } from './kit.ts';

export const LOG = testSigner('depot/dock-1/log', 1);
export const LOG_VKEY = vkeyOf(LOG.name, 1, LOG.publicKey);
export const CLIP = 'ab'.repeat(16);
const KEY = Buffer.alloc(32, 9).toString('base64');
const DIGEST = 'cd'.repeat(32);

/** One act: its kind, and what is said of it. */
export type Act = readonly [kind: string, ...lines: string[]];

export const OPENED: Act = [
  'log-opened',
  'dock depot/dock-1',
  ...['manifest', 'receipt', 'link'].map((purpose) => `${purpose}-key ${KEY}`),
];
export const VAULTED: Act = [
  'clip-vaulted',
  `clip ${CLIP}`,
  `commitment ${DIGEST}`,
  'segments 1',
  'bytes 5',
  'camera-auth none',
];
export const HELD: Act = ['hold-placed', `clip ${CLIP}`, 'reason OPERATOR-ORDER'];
export const LIFTED: Act = ['hold-lifted', `clip ${CLIP}`];
export const RELEASED: Act = ['clip-released', `clip ${CLIP}`];
export const BEGUN: Act = ['disposal-begun', `clip ${CLIP}`, 'reason RETENTION-ENDED'];
export const DISPOSED: Act = [
  'clip-disposed',
  `clip ${CLIP}`,
  'reason RETENTION-ENDED',
  `certificate ${DIGEST}`,
];

export function leafOf([kind, ...lines]: Act, index: number): Uint8Array {
  const at = new Date(1_795_000_000_000 + index * 1000).toISOString();
  const head = [`index ${index}`, `at ${at}`, 'clock system', 'boot 0a1b2c3d', 'actor dock'];
  const text = ['docket/entry/v1', ...head, `kind ${kind}`, ...lines].join('\n');
  return Uint8Array.from(Buffer.from(`${text}\n`));
}

export function treeOf(leaves: readonly Uint8Array[]): MerkleTree {
  const tree = new MerkleTree(sha256);
  for (const leaf of leaves) tree.append(leaf);
  return tree;
}

export function checkpointOf(leaves: readonly Uint8Array[], signer = LOG): string {
  const tree = treeOf(leaves);
  return signCheckpoint({ treeSize: tree.size, root: tree.root() }, signer, sha256);
}

/** A log as a mirror keeps it: one record and one checkpoint for each leaf. */
export function logFiles(leaves: readonly Uint8Array[], signer = LOG): Files {
  const notes = leaves.map((_, index) => {
    return Buffer.from(checkpointOf(leaves.slice(0, index + 1), signer));
  });
  const records = leaves.map((leaf) => encodeRecord(encodeBundle([leaf])));
  return new Map<string, Uint8Array | undefined>([
    ['custody', undefined],
    ['custody/entries', Buffer.concat(records)],
    ['custody/checkpoints', Buffer.concat(notes.map((note) => encodeRecord(note)))],
    ['custody/checkpoint', notes.at(-1)],
  ]);
}

export function logOf(...acts: readonly Act[]): Files {
  return logFiles(acts.map(leafOf));
}

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { concatBytes, formatHex } from '../../src/core/bytes.ts';
import { verifyCheckpoint } from '../../src/core/custody/checkpoint.ts';
import { parseEntry } from '../../src/core/custody/entry.ts';
import { MerkleTree } from '../../src/core/custody/merkle.ts';
import { ed25519Key, parseNote } from '../../src/core/custody/note.ts';
import { verifyReceipt } from '../../src/core/custody/receipt.ts';
import { type DockState, foldEntries } from '../../src/core/dock/state.ts';
import type { ClipId } from '../../src/core/evidence/clip.ts';
import { type Manifest, parseManifest } from '../../src/core/evidence/manifest.ts';
import { sha256, testCrypto } from '../core/custody/keys.ts';
import type { FakeCamera } from '../fakes/fake-link.ts';
import { openFake } from '../fakes/fake-sealer.ts';
import type { FakeVault } from '../fakes/fake-vault.ts';
import { type Bench, KEYS } from './bench.ts';

export interface VaultedClip {
  readonly manifest: Manifest;
  readonly bytes: Uint8Array;
  readonly details: string;
}

/** What the council would find in the vault. */
export function openVault(vault: FakeVault): VaultedClip[] {
  return [...vault.stored.values()].map((contents) => {
    const segments = [...contents.segments].sort(([a], [b]) => a - b);
    const parts = segments.map(([, path]) => openFake(readFileSync(path)) ?? new Uint8Array(0));
    const details = openFake(contents.details ?? new Uint8Array(0)) ?? new Uint8Array(0);
    return {
      manifest: parseManifest(parseNote(contents.manifest ?? '').text),
      bytes: concatBytes(...parts),
      details: new TextDecoder().decode(details),
    };
  });
}

export function stateOf(bench: Bench): DockState {
  return foldEntries(bench.custody.leaves.map(parseEntry));
}

/** Good copies of that clip in the vault: whole, and vouched for by an entry under a checkpoint. */
export function provenCopies(bench: Bench, camera: FakeCamera, counter: number): ClipId[] {
  const state = stateOf(bench);
  return openVault(bench.vault)
    .filter(({ manifest }) => manifest.camera === camera.serial && manifest.counter === counter)
    .filter(({ manifest, bytes }) => {
      const digest = createHash('sha256').update(bytes).digest('hex');
      const status = state.clips.get(manifest.clip);
      const isVouched = status?.state === 'vaulted' || status?.state === 'released';
      return digest === manifest.sha256 && isVouched && isSigned(bench, status.entryIndex);
    })
    .map(({ manifest }) => manifest.clip);
}

function isSigned(bench: Bench, entryIndex: number): boolean {
  const newest = bench.custody.checkpoints.at(-1);
  return newest !== undefined && Number(newest.split('\n')[1]) > entryIndex;
}

/** In the moment of each erasure: the receipt holds, and the dock can prove that it has the clip. */
export function watchErasures(bench: Bench, cameras: readonly FakeCamera[]): void {
  const key = ed25519Key(KEYS.receipt.name, KEYS.receipt.publicKey);
  for (const camera of cameras) {
    const before = camera.onErased;
    camera.onErased = (counter, receipt) => {
      const verdict = verifyReceipt(receipt, [key], testCrypto);
      assert.ok(verdict.ok, 'the receipt holds');
      const copies = provenCopies(bench, camera, counter);
      assert.equal(copies, [verdict.receipt?.clip], `clip ${counter} is proven, once`);
      before(counter, receipt);
    };
  }
}

/** Every checkpoint ever signed is of a prefix of the log, and the entries fit one another. */
export function checkLog(bench: Bench): void {
  const tree = new MerkleTree(sha256);
  for (const leaf of bench.custody.leaves) tree.append(leaf);
  const key = ed25519Key(KEYS.log.name, KEYS.log.publicKey);
  for (const note of bench.custody.checkpoints) {
    const { checkpoint } = verifyCheckpoint(note, [key], testCrypto);
    assert.ok(checkpoint !== undefined, 'every checkpoint is signed');
    assert.is(formatHex(tree.root(checkpoint.treeSize)), formatHex(checkpoint.root));
  }
  assert.is(stateOf(bench).misfits, 0);
  assert.is(bench.kinds[0] ?? 'log-opened', 'log-opened');
  assert.ok(bench.entriesOf('log-opened').length <= 1, 'a log is opened once');
}

/** No clip is in the vault twice, and each is on its camera or proven. */
export function checkClips(bench: Bench, clips: ReadonlyMap<FakeCamera, readonly number[]>): void {
  for (const [camera, counters] of clips) {
    for (const counter of counters) {
      const copies = openVault(bench.vault).filter(
        ({ manifest }) => manifest.camera === camera.serial && manifest.counter === counter,
      );
      assert.ok(copies.length <= 1, `clip ${counter} of ${camera.serial} is vaulted once`);
      const isSafe = camera.clips.has(counter) || provenCopies(bench, camera, counter).length === 1;
      assert.ok(isSafe, `clip ${counter} of ${camera.serial} is somewhere`);
    }
  }
}

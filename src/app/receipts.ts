import { signReceipt } from '../core/custody/receipt.ts';
import { isVouched } from '../core/dock/clip-table.ts';
import { DockError } from '../core/errors.ts';
import type { Manifest } from '../core/evidence/manifest.ts';
import type { Evidence } from './evidence.ts';

type ReceiptDeps = Pick<Evidence, 'custody' | 'vault' | 'keys' | 'crypto' | 'dock'>;

/**
 * Signs the receipt of a clip whose entry is durable, and keeps it beside the clip (SPEC 7). CLIP_NOT_FOUND when the log has no
 * such clip, which would make the receipt a lie.
 */
export async function makeReceipt(deps: ReceiptDeps, manifest: Manifest): Promise<string> {
  const { custody, vault, keys, crypto } = deps;
  const status = custody.state.clips.get(manifest.clip);
  if (status === undefined || !isVouched(status)) {
    throw new DockError('CLIP_NOT_FOUND', `the log does not vouch for clip ${manifest.clip}`);
  }
  const receipt = {
    dock: deps.dock,
    camera: manifest.camera,
    counter: manifest.counter,
    sizeBytes: manifest.sizeBytes,
    sha256: manifest.sha256,
    clip: manifest.clip,
    leafHash: custody.leafHash(status.entryIndex),
    index: status.entryIndex,
    ...custody.prove(status.entryIndex),
  };
  const note = signReceipt(receipt, keys.receipt, crypto.sha256);
  await vault.putReceipt(manifest.clip, note);
  return note;
}

import { DockError } from '../core/errors.ts';
import type { ClipRecord } from '../core/evidence/clip.ts';
import type { VaultSpace } from '../ports/vault.ts';
import type { ComingClip } from './clip-index.ts';
import type { Evidence } from './evidence.ts';

/** 16 bytes a 64 KiB chunk and a header a segment are far less than this. */
const SEALED_OVERHEAD = 1.001;

/** Whether a clip would be admitted now. */
export async function hasRoom(evidence: Evidence, sizeBytes: number): Promise<boolean> {
  return fits(evidence, await evidence.vault.space(), sizeBytes);
}

/** Refuses before a byte is asked for. Nothing may come between the look and the claim, or two bays would take the same room. */
export async function admit(evidence: Evidence, { sizeBytes }: ClipRecord): Promise<ComingClip> {
  const space = await evidence.vault.space();
  if (!fits(evidence, space, sizeBytes)) {
    throw new DockError('VAULT_FULL', `a clip of ${sizeBytes} bytes does not fit`, {
      action: 'Add storage; the clip stays on the camera.',
    });
  }
  const coming = { leftBytes: sizeBytes };
  evidence.index.coming.add(coming);
  return coming;
}

/** Beside the clips that are on their way. The reserve is for the log, not for one clip more. */
function fits({ index }: Evidence, { freeBytes }: VaultSpace, sizeBytes: number): boolean {
  let comingBytes = sizeBytes;
  for (const { leftBytes } of index.coming) comingBytes += leftBytes;
  return comingBytes * SEALED_OVERHEAD < freeBytes;
}

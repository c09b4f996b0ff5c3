import { DockError } from '../core/errors.ts';
import type { ComingClip } from './clip-index.ts';
import type { Evidence } from './evidence.ts';

/** 16 bytes a 64 KiB chunk and a header a segment are far less than this. */
const SEALED_OVERHEAD = 1.001;

/** Whether a clip would be admitted now. */
export async function hasRoom(evidence: Evidence, sizeBytes: number): Promise<boolean> {
  const { freeBytes } = await evidence.vault.space();
  return fits(evidence, freeBytes + evidence.index.unfinished.sizeBytes, sizeBytes);
}

/**
 * Refuses before a byte is asked for; unfinished clips of other cameras give way when that makes room enough. Nothing may come between the
 * look and the claim, or two bays would take the same room.
 */
export async function admit(evidence: Evidence, sizeBytes: number): Promise<ComingClip> {
  const { vault, index } = evidence;
  for (;;) {
    const { freeBytes } = await vault.space();
    if (fits(evidence, freeBytes, sizeBytes)) break;
    const wouldFit = fits(evidence, freeBytes + index.unfinished.sizeBytes, sizeBytes);
    if (!wouldFit || !(await index.unfinished.giveUpOldest(evidence))) {
      throw new DockError('VAULT_FULL', `${sizeBytes} bytes of a clip do not fit`, {
        action: 'Add storage; the clip stays on the camera.',
      });
    }
  }
  const coming = { leftBytes: sizeBytes };
  index.coming.add(coming);
  return coming;
}

/** Beside the clips that are on their way. The reserve is for the log, not for one clip more. */
function fits({ index }: Evidence, freeBytes: number, sizeBytes: number): boolean {
  let comingBytes = sizeBytes;
  for (const { leftBytes } of index.coming) comingBytes += leftBytes;
  return comingBytes * SEALED_OVERHEAD < freeBytes;
}

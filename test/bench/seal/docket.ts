import { randomBytes } from 'node:crypto';
import { FsVault } from '../../../src/adapters/fs/vault.ts';
import { parseRecipients } from '../../../src/adapters/nacl/age-file.ts';
import { loadNative, type NativeModule } from '../../../src/adapters/native/loader.ts';
import { NativeSealer } from '../../../src/adapters/native/native-sealer.ts';
import { concatBytes } from '../../../src/core/bytes.ts';
import type { ClipId } from '../../../src/core/evidence/clip.ts';
import type { SealedSegment, Sealer, Sealing } from '../../../src/ports/sealer.ts';
import type { ClipDraft, Vault } from '../../../src/ports/vault.ts';
import { memorySource, randomBlock, type Source } from './source.ts';

const SEGMENT_BYTES = 64 * 1024 * 1024;
const DETAILS_BYTES = 512;
/** Takes the place of a file descriptor: bytes are sealed and hashed, and dropped. */
const NOWHERE = null;

export function makeSealer(recipients: readonly string[]): Sealer {
  const points = parseRecipients(recipients);
  return new NativeSealer({ recipients, native: loadNative(), points });
}

/** The module alone, on so many workers: both digests, input in memory, nothing written, a segment a call. */
export class BareModule {
  readonly #native: NativeModule;
  readonly #points: Uint8Array;
  readonly #segment = randomBlock(SEGMENT_BYTES);

  constructor(recipients: readonly string[], workers: number) {
    this.#native = loadNative();
    this.#native.setThreads(workers);
    this.#points = concatBytes(...parseRecipients(recipients));
  }

  async seal(bytes: number): Promise<void> {
    const native = this.#native;
    const sealing = native.createSealing();
    for await (const block of memorySource(this.#segment, bytes)) {
      const { prefix, payloadKey } = native.sealHeader(this.#points);
      native.beginSegment(sealing, NOWHERE, prefix, payloadKey);
      await native.write(sealing, block);
      await native.endSegment(sealing);
    }
    native.finishSealing(sealing);
  }
}

export interface SealOptions {
  readonly sealer: Sealer;
  readonly vault: Vault;
  readonly source: Source;
  /** Every segment is read back from the disk and hashed again, while the next one is sealed. */
  readonly readBack: boolean;
}

interface OpenClip {
  readonly sealer: Sealer;
  readonly sealing: Sealing;
  readonly draft: ClipDraft;
}

async function readBack(
  { sealer, draft }: OpenClip,
  index: number,
  sealed: SealedSegment,
): Promise<void> {
  const file = await draft.reopenSegment(index);
  const found = await sealer.rehash(file);
  await draft.closeSegment(file);
  if (found.sha256 !== sealed.sha256) throw new Error(`segment ${index} reads back differently`);
}

/** What the dock does with a clip's bytes: segments sealed, hashed, fsynced, read back, and the clip's folder moved into the vault. */
export async function sealIntoVault(options: SealOptions): Promise<void> {
  const { sealer, vault, source } = options;
  const draft = await vault.draft(randomBytes(16).toString('hex') as ClipId);
  const clip = { sealer, draft, sealing: sealer.begin() };
  const { sealing } = clip;
  let behind = Promise.resolve();
  let index = 0;
  let segmentBytes = 0;
  let file = await draft.createSegment(index);
  await sealing.beginSegment(file);
  const end = async () => {
    const sealed = await sealing.endSegment();
    await draft.closeSegment(file);
    await behind;
    if (options.readBack) behind = readBack(clip, index, sealed);
  };
  for await (const block of source) {
    if (segmentBytes === SEGMENT_BYTES) {
      await end();
      index++;
      segmentBytes = 0;
      file = await draft.createSegment(index);
      await sealing.beginSegment(file);
    }
    await sealing.write(block);
    segmentBytes += block.length;
  }
  await end();
  await behind;
  await sealing.finish();
  await draft.putDetails(await sealer.sealSmall(new Uint8Array(DETAILS_BYTES)));
  await draft.commit('benchmark\n');
}

export async function openVault(dataDir: string): Promise<Vault> {
  const vault = new FsVault({ dataDir, reserveBytes: 0 });
  await vault.start();
  return vault;
}

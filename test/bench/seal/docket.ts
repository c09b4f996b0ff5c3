import { randomBytes } from 'node:crypto';
import { closeSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { FsVault } from '../../../src/adapters/fs/vault.ts';
import { ageHeaderSealer } from '../../../src/adapters/nacl/age-file.ts';
import { loadNative, type NativeModule } from '../../../src/adapters/native/loader.ts';
import { NativeSealer } from '../../../src/adapters/native/native-sealer.ts';
import { NodeRandom } from '../../../src/adapters/node/node-random.ts';
import type { ClipId } from '../../../src/core/evidence/clip.ts';
import type { SealedSegment, Sealer, Sealing } from '../../../src/ports/sealer.ts';
import type { ClipDraft, Vault } from '../../../src/ports/vault.ts';
import { memorySource, randomBlock, type Source } from './source.ts';

const SEGMENT_BYTES = 64 * 1024 * 1024;
const DETAILS_BYTES = 512;
/** Takes the place of a file descriptor: bytes are sealed and hashed, and go nowhere. */
const NULL_SINK = -1;

interface Native {
  readonly native: NativeModule;
  readonly sealer: Sealer;
}

export function makeNative(recipients: readonly string[]): Native {
  const native = loadNative();
  const sealHeader = ageHeaderSealer(recipients, new NodeRandom());
  return { native, sealer: new NativeSealer({ recipients, native, sealHeader }) };
}

/** Where a module without a null sink writes: one file in memory, over and over. */
function openSink(native: NativeModule, memoryFolder: string): number {
  const probe = native.createSealing();
  try {
    native.beginSegment(probe, NULL_SINK, new Uint8Array(1), new Uint8Array(32));
    return NULL_SINK;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const path = join(memoryFolder, `sink-${process.pid}`);
    const fd = openSync(path, 'wx', 0o600);
    unlinkSync(path);
    return fd;
  } finally {
    native.abortSealing(probe);
  }
}

/** The module alone: both digests, input in memory, nothing written, a segment a call. */
export class BareModule {
  readonly #sealer: Sealer;
  readonly #fd: number;
  readonly #segment = randomBlock(SEGMENT_BYTES);

  constructor(recipients: readonly string[], memoryFolder: string) {
    const { native, sealer } = makeNative(recipients);
    this.#sealer = sealer;
    this.#fd = openSink(native, memoryFolder);
  }

  get hasNullSink(): boolean {
    return this.#fd === NULL_SINK;
  }

  async seal(bytes: number): Promise<void> {
    const sealing = this.#sealer.begin();
    let index = 0;
    for await (const block of memorySource(this.#segment, bytes)) {
      await sealing.beginSegment({ index, fd: this.#fd });
      await sealing.write(block);
      await sealing.endSegment();
      index++;
    }
    await sealing.finish();
  }

  end(): void {
    if (!this.hasNullSink) closeSync(this.#fd);
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

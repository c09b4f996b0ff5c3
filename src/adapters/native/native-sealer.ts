import { createHash } from 'node:crypto';
import { assert } from '../../core/assert.ts';
import { concatBytes, formatHex } from '../../core/bytes.ts';
import { DockError } from '../../core/errors.ts';
import type { ClipMidstate } from '../../core/evidence/draft-state.ts';
import type { SealedSegment, Sealer, Sealing } from '../../ports/sealer.ts';
import type { SegmentFile } from '../../ports/vault.ts';
import type { NativeModule, SealingHandle } from './loader.ts';
import { sealError } from './native-error.ts';
import { sealSmallPayload } from './small-file.ts';

export interface NativeSealerOptions {
  /** The recipients' own spelling, for their count and digest. */
  readonly recipients: readonly string[];
  readonly native: NativeModule;
  /** The same, 32 bytes each. */
  readonly points: readonly Uint8Array[];
}

/** INVARIANTS: one native call at a time; after a failure every call gives the same error and the keys are gone. */
class NativeSealing implements Sealing {
  readonly #native: NativeModule;
  readonly #points: Uint8Array;
  readonly #handle: SealingHandle;
  #segment = -1;
  #busy = false;
  #aborted = false;
  #failure: unknown;

  constructor(native: NativeModule, points: Uint8Array, from: ClipMidstate | undefined) {
    this.#native = native;
    this.#points = points;
    this.#handle = native.createSealing();
    if (from !== undefined) native.importMidstate(this.#handle, from.sizeBytes, from.words);
  }

  beginSegment(file: SegmentFile): Promise<void> {
    this.#segment = file.index;
    return this.#run('beginning', () => {
      const header = this.#native.sealHeader(this.#points);
      try {
        this.#native.beginSegment(this.#handle, file.fd, header.prefix, header.payloadKey);
      } finally {
        header.payloadKey.fill(0);
      }
    });
  }

  /** Not by #run, whose closures cost as much again as the call: this one is made for every MiB of every clip. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#enter('writing');
    try {
      await this.#native.write(this.#handle, bytes);
    } catch (error) {
      throw this.#fail('writing', error);
    } finally {
      this.#busy = false;
    }
  }

  endSegment(): Promise<SealedSegment> {
    return this.#run('ending', async () => {
      const { plainBytes, fileBytes, sha256 } = await this.#native.endSegment(this.#handle);
      return { plainBytes, fileBytes, sha256: formatHex(sha256) };
    });
  }

  midstate(): ClipMidstate {
    try {
      const { sizeBytes, words } = this.#native.exportMidstate(this.#handle);
      return { sizeBytes, words: Uint8Array.from(words) };
    } catch (error) {
      throw sealError(error, `the digest after segment ${this.#segment}`);
    }
  }

  finish(): Promise<{ readonly sha256: string; readonly sizeBytes: number }> {
    return this.#run('finishing after', () => {
      const { sizeBytes, sha256 } = this.#native.finishSealing(this.#handle);
      return { sizeBytes, sha256: formatHex(sha256) };
    });
  }

  abort(): void {
    this.#aborted = true;
    this.#native.abortSealing(this.#handle);
  }

  async #run<T>(act: string, step: () => T | Promise<T>): Promise<T> {
    this.#enter(act);
    try {
      return await step();
    } catch (error) {
      throw this.#fail(act, error);
    } finally {
      this.#busy = false;
    }
  }

  #enter(act: string): void {
    assert(!this.#busy, `${act} a segment while another call of the sealing runs`);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#aborted) throw new DockError('CANCELLED', 'the sealing was aborted');
    this.#busy = true;
  }

  #fail(act: string, error: unknown): unknown {
    this.#failure = sealError(error, `${act} segment ${this.#segment}`);
    this.abort();
    return this.#failure;
  }
}

export class NativeSealer implements Sealer {
  readonly recipientCount: number;
  readonly recipientsSha256: string;
  readonly #native: NativeModule;
  readonly #points: Uint8Array;

  constructor(options: NativeSealerOptions) {
    this.#native = options.native;
    this.#points = concatBytes(...options.points);
    this.recipientCount = options.recipients.length;
    const lines = [...options.recipients].sort().map((recipient) => `${recipient}\n`);
    this.recipientsSha256 = createHash('sha256').update(lines.join('')).digest('hex');
  }

  begin(from?: ClipMidstate): Sealing {
    return new NativeSealing(this.#native, this.#points, from);
  }

  async sealSmall(plain: Uint8Array): Promise<Uint8Array> {
    const { prefix, payloadKey } = this.#native.sealHeader(this.#points);
    const payload = sealSmallPayload(payloadKey, plain);
    payloadKey.fill(0);
    return concatBytes(prefix, payload);
  }

  async rehash(
    file: SegmentFile,
  ): Promise<{ readonly fileBytes: number; readonly sha256: string }> {
    try {
      const { fileBytes, sha256 } = await this.#native.hashFile(file.fd);
      return { fileBytes, sha256: formatHex(sha256) };
    } catch (error) {
      throw sealError(error, `reading back segment ${file.index}`);
    }
  }
}

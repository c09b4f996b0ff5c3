import { read } from 'node:fs';
import { promisify } from 'node:util';
import { formatHex } from '../../core/bytes.ts';
import type { OpenAgeHeader } from '../../core/evidence/age-header.ts';
import { AGE_HEADER_BYTES_MAX, PAYLOAD_NONCE_BYTES } from '../../core/evidence/age-header.ts';
import type { OpenedSegment, Opener, Opening } from '../../ports/opener.ts';
import type { NativeModule, OpeningHandle } from './loader.ts';
import { openError } from './native-error.ts';
import { openSmallPayload } from './small-file.ts';

const START_BYTES = AGE_HEADER_BYTES_MAX + PAYLOAD_NONCE_BYTES;
const readAt = promisify(read);

export interface NativeOpenerOptions {
  readonly native: NativeModule;
  /** Holds the identities; the opener never sees them. */
  readonly openHeader: OpenAgeHeader;
}

export interface SegmentFiles {
  /** An age file, read by offset from 0. */
  readonly fdIn: number;
  /** Written at its own position. */
  readonly fdOut: number;
}

async function readStart(fd: number): Promise<Uint8Array> {
  const start = new Uint8Array(START_BYTES);
  let size = 0;
  let taken = -1;
  while (size < START_BYTES && taken !== 0) {
    const result = await readAt(fd, start, size, START_BYTES - size, size);
    taken = result.bytesRead;
    size += taken;
  }
  return start.subarray(0, size);
}

class NativeOpening implements Opening {
  readonly #options: NativeOpenerOptions;
  readonly #handle: OpeningHandle;

  constructor(options: NativeOpenerOptions) {
    this.#options = options;
    this.#handle = options.native.createOpening();
  }

  /**
   * No byte is written that was not authenticated; but a file that is cut or altered has its good beginning in the output when
   * this throws OPEN_FAILED, and the output must be thrown away.
   */
  async openSegment(files: SegmentFiles): Promise<OpenedSegment> {
    const { native, openHeader } = this.#options;
    try {
      const { prefix, payloadKey, stanzaCount } = openHeader(await readStart(files.fdIn));
      const opened = native.openSegment(this.#handle, files.fdIn, files.fdOut, prefix, payloadKey);
      payloadKey.fill(0);
      const { plainBytes, fileBytes, sha256 } = await opened;
      return { plainBytes, fileBytes, sha256: formatHex(sha256), stanzaCount };
    } catch (error) {
      this.abort();
      throw openError(error, 'opening a segment');
    }
  }

  finish(): { readonly sha256: string; readonly sizeBytes: number } {
    try {
      const { sizeBytes, sha256 } = this.#options.native.finishOpening(this.#handle);
      return { sizeBytes, sha256: formatHex(sha256) };
    } catch (error) {
      throw openError(error, 'finishing the clip');
    }
  }

  abort(): void {
    this.#options.native.abortOpening(this.#handle);
  }
}

/** The council's reader. Never constructed on a dock: it needs an identity. */
export class NativeOpener implements Opener {
  readonly #options: NativeOpenerOptions;

  constructor(options: NativeOpenerOptions) {
    this.#options = options;
  }

  begin(): Opening {
    return new NativeOpening(this.#options);
  }

  /** A whole age file of something small (the details). OPEN_FAILED. */
  openSmall(sealed: Uint8Array): Uint8Array {
    const { prefix, payloadKey } = this.#options.openHeader(sealed);
    const plain = openSmallPayload(payloadKey, sealed.subarray(prefix.length));
    payloadKey.fill(0);
    return plain;
  }
}

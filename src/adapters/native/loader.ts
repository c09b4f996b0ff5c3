import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DockError } from '../../core/errors.ts';
import type { SealedAgeHeader } from '../../core/evidence/age-header.ts';
import type { FrameNews } from '../../ports/frame-reader.ts';

const ABI_VERSION = 3;
const ACTION =
  'Run `npm run setup` in the folder of docket; it needs a C compiler, make and Python 3, or a prebuild for this machine.';

declare const handleKind: unique symbol;
export type SealingHandle = { readonly [handleKind]: 'sealing' };
export type OpeningHandle = { readonly [handleKind]: 'opening' };
export type ReaderHandle = { readonly [handleKind]: 'reader' };

export interface NativeSegment {
  readonly plainBytes: number;
  readonly fileBytes: number;
  readonly sha256: Uint8Array;
}

export interface NativeClip {
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
}

/** SHA-256 of a clip after whole segments: eight big-endian words. */
export interface NativeMidstate {
  readonly sizeBytes: number;
  readonly words: Uint8Array;
}

/**
 * What native/src/addon.c exports. Operating errors carry a `code`: a system call's (`ENOSPC`, `EIO`...), `ECANCELED`, `EPAYLOAD`, `ECRYPTO` or
 * `ESTATE`. Wrong arguments are a TypeError. Descriptors stay the caller's: the module works on a duplicate.
 */
export interface NativeModule {
  readonly abiVersion: number;
  /** Whether this processor hashes a clip and its file in lock-step. */
  readonly hasLanes: boolean;
  /** How many threads this environment has, 1 to 8; before the first job. Otherwise one more than cores. */
  setThreads(count: number): void;
  /** The start of a new age file for these X25519 recipients, 32 bytes each. ECRYPTO for a point of low order. */
  sealHeader(points: Uint8Array): SealedAgeHeader;
  createSealing(): SealingHandle;
  /** Null as `fd` is no file: everything is done but writing. For measuring. */
  beginSegment(
    ...args: [SealingHandle, fd: number | null, prefix: Uint8Array, key: Uint8Array]
  ): void;
  write(sealing: SealingHandle, bytes: Uint8Array): Promise<void>;
  endSegment(sealing: SealingHandle): Promise<NativeSegment>;
  finishSealing(sealing: SealingHandle): NativeClip;
  abortSealing(sealing: SealingHandle): void;
  /** Between two segments, after a multiple of 64 bytes; `ESTATE` otherwise. */
  exportMidstate(sealing: SealingHandle): NativeMidstate;
  /** Before the first segment; `ESTATE` otherwise. */
  importMidstate(sealing: SealingHandle, sizeBytes: number, words: Uint8Array): void;
  createOpening(): OpeningHandle;
  openSegment(
    ...args: [OpeningHandle, fdIn: number, fdOut: number, prefix: Uint8Array, key: Uint8Array]
  ): Promise<NativeSegment>;
  finishOpening(opening: OpeningHandle): NativeClip;
  abortOpening(opening: OpeningHandle): void;
  hashFile(fd: number): Promise<NativeSegment>;
  /**
   * Reads frames from a duplicate of `fd`, which must not block, on a thread of its own; keeps the process alive until it is closed. `onNews` is
   * called when there is something to take, once until it is taken.
   */
  openReader(fd: number, onNews: () => void): ReaderHandle;
  /** `ESTATE` when the request has a window, bytes are still to come there for another, there are 32, or the reader is closed. */
  expectData(reader: ReaderHandle, request: number, window: Uint8Array): void;
  forgetData(reader: ReaderHandle, request: number): void;
  takeArrivals(reader: ReaderHandle): FrameNews;
  /** Ends the thread before it returns. What came can still be taken. */
  closeReader(reader: ReaderHandle): void;
}

/** The folder that holds package.json: above src/ when run from source, above dist/ when built. */
export function findPackageRoot(from: string): string {
  let folder = path.dirname(from);
  while (!existsSync(path.join(folder, 'package.json'))) {
    const above = path.dirname(folder);
    if (above === folder) {
      throw new DockError('NATIVE_UNAVAILABLE', `no package.json above ${from}`, {
        action: ACTION,
      });
    }
    folder = above;
  }
  return folder;
}

function load(folder: string): NativeModule {
  const require = createRequire(import.meta.url);
  const nodeGypBuild = require('node-gyp-build') as (folder: string) => NativeModule;
  try {
    return nodeGypBuild(folder);
  } catch (error) {
    const [reason] = error instanceof Error ? error.message.split('\n') : [String(error)];
    throw new DockError('NATIVE_UNAVAILABLE', `the native sealer cannot be loaded: ${reason}`, {
      cause: error,
      action: ACTION,
    });
  }
}

/** NATIVE_UNAVAILABLE when it is not built for this machine, or is of another version than this code. */
export function loadNative(
  folder = path.join(findPackageRoot(fileURLToPath(import.meta.url)), 'native'),
): NativeModule {
  const native = load(folder);
  if (native.abiVersion !== ABI_VERSION) {
    throw new DockError(
      'NATIVE_UNAVAILABLE',
      `the native sealer speaks version ${native.abiVersion}, this program ${ABI_VERSION}`,
      { action: ACTION },
    );
  }
  return native;
}

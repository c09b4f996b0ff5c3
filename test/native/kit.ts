import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ageHeaderOpener, parseRecipients } from '../../src/adapters/nacl/age-file.ts';
import type { AgeKeyPair } from '../../src/adapters/nacl/age-keys.ts';
import { formatRecipient, generateKeyPair } from '../../src/adapters/nacl/age-keys.ts';
import type { NativeModule } from '../../src/adapters/native/loader.ts';
import { loadNative } from '../../src/adapters/native/loader.ts';
import { NativeOpener } from '../../src/adapters/native/native-opener.ts';
import { NativeSealer } from '../../src/adapters/native/native-sealer.ts';
import { NodeRandom } from '../../src/adapters/node/node-random.ts';
import type { SealedSegment } from '../../src/ports/sealer.ts';

export const random = new NodeRandom();

export interface Kit {
  readonly native: NativeModule;
  readonly folder: string;
  readonly evidence: AgeKeyPair;
  readonly escrow: AgeKeyPair;
  readonly recipients: readonly string[];
  readonly sealer: NativeSealer;
  readonly opener: NativeOpener;
  remove(): void;
}

export function makeKit(): Kit {
  const native = loadNative();
  const evidence = generateKeyPair(random);
  const escrow = generateKeyPair(random);
  const recipients = [evidence, escrow].map((pair) => formatRecipient(pair.recipient));
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'docket-seal-'));
  return {
    native,
    folder,
    evidence,
    escrow,
    recipients,
    sealer: new NativeSealer({
      recipients,
      native,
      points: parseRecipients(recipients),
    }),
    opener: new NativeOpener({ native, openHeader: ageHeaderOpener([evidence.identity]) }),
    remove: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}

export interface SealedClip {
  readonly files: readonly string[];
  readonly segments: readonly SealedSegment[];
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface SealOptions {
  readonly name: string;
  readonly segmentBytes: number;
  /** Sizes of the writes, in turn. */
  readonly writeBytes: readonly number[];
}

/** Seals a clip into files of the kit's folder. */
export async function sealClip(
  kit: Kit,
  clip: Uint8Array,
  options: SealOptions,
): Promise<SealedClip> {
  const sealing = kit.sealer.begin();
  const files: string[] = [];
  const segments: SealedSegment[] = [];
  let turn = 0;
  for (let start = 0; start === 0 || start < clip.length; start += options.segmentBytes) {
    const file = path.join(kit.folder, `${options.name}-${files.length}.age`);
    const fd = fs.openSync(file, 'wx');
    const segment = clip.subarray(start, start + options.segmentBytes);
    await sealing.beginSegment({ index: files.length, fd });
    for (let at = 0; at < segment.length; ) {
      const size = options.writeBytes[turn++ % options.writeBytes.length] ?? segment.length;
      await sealing.write(segment.subarray(at, at + size));
      at += size;
    }
    segments.push(await sealing.endSegment());
    fs.closeSync(fd);
    files.push(file);
  }
  return { files, segments, ...(await sealing.finish()) };
}

/** Opens age files in order with the native opener; the output is returned. */
export async function openClip(kit: Kit, opener: NativeOpener, files: readonly string[]) {
  const output = path.join(kit.folder, `open-${random.bytes(8).join('')}`);
  const fdOut = fs.openSync(output, 'wx');
  const opening = opener.begin();
  try {
    const segments = [];
    for (const file of files) {
      const fdIn = fs.openSync(file, 'r');
      try {
        segments.push(await opening.openSegment({ fdIn, fdOut }));
      } finally {
        fs.closeSync(fdIn);
      }
    }
    return { segments, ...opening.finish(), plain: Uint8Array.from(fs.readFileSync(output)) };
  } finally {
    opening.abort();
    fs.closeSync(fdOut);
  }
}

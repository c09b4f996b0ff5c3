import { FrameDecoder } from '../../../src/core/link/decoder.ts';

export interface Decoded {
  readonly frames: { readonly type: number; readonly request: number; readonly payload: string }[];
  discarded: number;
}

/** A decoder that keeps what it yields. */
export function collector(): { decoder: FrameDecoder; decoded: Decoded } {
  const decoded: Decoded = { frames: [], discarded: 0 };
  const decoder = new FrameDecoder({
    frame: ({ type, request, payload }) => {
      decoded.frames.push({ type, request, payload: Buffer.from(payload).toString('hex') });
    },
    discarded: (sizeBytes) => {
      decoded.discarded += sizeBytes;
    },
  });
  return { decoder, decoded };
}

/** Decodes `bytes` in pieces of the given sizes (the last one repeats). */
export function decodeInPieces(bytes: Uint8Array, sizes: readonly number[]): Decoded {
  const { decoder, decoded } = collector();
  let offset = 0;
  for (let i = 0; offset < bytes.length; i++) {
    const size = sizes[Math.min(i, sizes.length - 1)] ?? 1;
    decoder.push(bytes.slice(offset, offset + size));
    offset += size;
  }
  return decoded;
}

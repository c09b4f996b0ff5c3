import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concatBytes } from '../../core/bytes.ts';
import { DockError } from '../../core/errors.ts';

/** age: the payload of a file small enough for memory, chunk by chunk as in native/src/stream.c. */
const CHUNK_BYTES = 65_536;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const AEAD = 'chacha20-poly1305';
const OPTIONS = { authTagLength: TAG_BYTES } as const;

function bytesOf(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

/** The counter is 11 bytes wide; 4 are more than memory holds. */
function nonceOf(counter: number, last: boolean): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  new DataView(nonce.buffer).setUint32(NONCE_BYTES - 5, counter);
  nonce[NONCE_BYTES - 1] = last ? 1 : 0;
  return nonce;
}

function chunksOf(bytes: Uint8Array, chunkBytes: number): readonly Uint8Array[] {
  const count = Math.max(1, Math.ceil(bytes.length / chunkBytes));
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  );
}

export function sealSmallPayload(key: Uint8Array, plain: Uint8Array): Uint8Array {
  const chunks = chunksOf(plain, CHUNK_BYTES);
  const sealed = chunks.flatMap((chunk, index) => {
    const cipher = createCipheriv(AEAD, key, nonceOf(index, index === chunks.length - 1), OPTIONS);
    return [cipher.update(chunk), cipher.final(), cipher.getAuthTag()].map(bytesOf);
  });
  return concatBytes(...sealed);
}

function openChunk(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Uint8Array {
  const plainBytes = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv(AEAD, key, nonce, OPTIONS);
  decipher.setAuthTag(sealed.subarray(plainBytes));
  const plain = decipher.update(sealed.subarray(0, plainBytes));
  decipher.final();
  return bytesOf(plain);
}

/** OPEN_FAILED when anything was altered, cut or added. */
export function openSmallPayload(key: Uint8Array, payload: Uint8Array): Uint8Array {
  const chunks = chunksOf(payload, CHUNK_BYTES + TAG_BYTES);
  const isCut = (chunk: Uint8Array, index: number) =>
    chunk.length < TAG_BYTES || (index > 0 && chunk.length === TAG_BYTES);
  if (chunks.some(isCut)) throw new DockError('OPEN_FAILED', 'age payload refused: it is cut');
  try {
    const plain = chunks.map((chunk, index) =>
      openChunk(key, nonceOf(index, index === chunks.length - 1), chunk),
    );
    return concatBytes(...plain);
  } catch (error) {
    throw new DockError('OPEN_FAILED', 'age payload refused: it was altered, cut or added to', {
      cause: error,
    });
  }
}

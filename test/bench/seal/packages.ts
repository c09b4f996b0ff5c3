import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { Encrypter } from 'age-encryption';
import type { Source } from './source.ts';

const CHUNK_BYTES = 65_536;
const TAG_BYTES = 17;

interface Sodium {
  readonly crypto_secretstream_xchacha20poly1305_STATEBYTES: number;
  readonly crypto_secretstream_xchacha20poly1305_HEADERBYTES: number;
  readonly crypto_secretstream_xchacha20poly1305_KEYBYTES: number;
  readonly crypto_secretstream_xchacha20poly1305_TAG_MESSAGE: Buffer | number;
  readonly crypto_hash_sha256_STATEBYTES: number;
  readonly crypto_hash_sha256_BYTES: number;
  crypto_secretstream_xchacha20poly1305_keygen(key: Buffer): void;
  crypto_secretstream_xchacha20poly1305_init_push(state: Buffer, header: Buffer, key: Buffer): void;
  crypto_secretstream_xchacha20poly1305_push(
    ...args: [state: Buffer, sealed: Buffer, plain: Uint8Array, extra: null, tag: Buffer | number]
  ): number;
  crypto_hash_sha256_init(state: Buffer): void;
  crypto_hash_sha256_update(state: Buffer, bytes: Uint8Array): void;
  crypto_hash_sha256_final(state: Buffer, digest: Buffer): void;
}

export const SODIUM_MISSING =
  'sodium-native is not installed, so it is not measured: `npm install --no-save sodium-native` (20 MB with its prebuilds)';

/** A peer that is only measured where somebody put it; NODE_PATH may name another folder. Undefined when it is not there. */
export function findSodium(): Sodium | undefined {
  try {
    return createRequire(import.meta.url)('sodium-native') as Sodium;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** secretstream in chunks of 64 KiB, and libsodium's SHA-256 of both sides. In memory. */
export async function sealWithSodium(sodium: Sodium, source: Source): Promise<void> {
  const state = Buffer.alloc(sodium.crypto_secretstream_xchacha20poly1305_STATEBYTES);
  const header = Buffer.alloc(sodium.crypto_secretstream_xchacha20poly1305_HEADERBYTES);
  const key = Buffer.alloc(sodium.crypto_secretstream_xchacha20poly1305_KEYBYTES);
  sodium.crypto_secretstream_xchacha20poly1305_keygen(key);
  sodium.crypto_secretstream_xchacha20poly1305_init_push(state, header, key);
  const newDigest = () => {
    const digest = Buffer.alloc(sodium.crypto_hash_sha256_STATEBYTES);
    sodium.crypto_hash_sha256_init(digest);
    return digest;
  };
  const digests = [newDigest(), newDigest()] as const;
  const sealed = Buffer.alloc(CHUNK_BYTES + TAG_BYTES);
  const tag = sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
  for await (const block of source) {
    for (let at = 0; at < block.length; at += CHUNK_BYTES) {
      const chunk = block.subarray(at, at + CHUNK_BYTES);
      const out = sealed.subarray(0, chunk.length + TAG_BYTES);
      sodium.crypto_hash_sha256_update(digests[0], chunk);
      sodium.crypto_secretstream_xchacha20poly1305_push(state, out, chunk, null, tag);
      sodium.crypto_hash_sha256_update(digests[1], out);
    }
  }
  for (const digest of digests) {
    sodium.crypto_hash_sha256_final(digest, Buffer.alloc(sodium.crypto_hash_sha256_BYTES));
  }
}

async function* inTurn(source: Source): AsyncGenerator<Uint8Array> {
  yield* source;
}

/** npm age-encryption: seals only. Digests are by node:crypto, so that it does the same work. In memory. */
export async function sealWithTypage(recipients: readonly string[], source: Source): Promise<void> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  const clipDigest = createHash('sha256');
  const fileDigest = createHash('sha256');
  const blocks = inTurn(source);
  const plain = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await blocks.next();
      if (done === true) return controller.close();
      clipDigest.update(value);
      controller.enqueue(value);
    },
  });
  for await (const part of await encrypter.encrypt(plain)) fileDigest.update(part);
  clipDigest.digest();
  fileDigest.digest();
}

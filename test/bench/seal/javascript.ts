import { createCipheriv, createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseRecipients } from '../../../src/adapters/nacl/age-file.ts';
import { loadNative } from '../../../src/adapters/native/loader.ts';
import { concatBytes } from '../../../src/core/bytes.ts';
import type { Source } from './source.ts';

const CHUNK_BYTES = 65_536;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const WRITE_BYTES = 1_048_576;

/** The same work as the native module, chunk by chunk with node:crypto: age's STREAM and both digests. Every chunk counts as not the last one. */
export class ScriptSealer {
  readonly prefix: Uint8Array;
  readonly clipDigest: Hash = createHash('sha256');
  readonly fileDigest: Hash = createHash('sha256');
  readonly #key: Uint8Array;
  readonly #nonce = new Uint8Array(NONCE_BYTES);
  readonly #counter = new DataView(this.#nonce.buffer);
  #chunks = 0;

  constructor(recipients: readonly string[]) {
    const points = concatBytes(...parseRecipients(recipients));
    const { prefix, payloadKey } = loadNative().sealHeader(points);
    this.prefix = prefix;
    this.#key = payloadKey;
    this.fileDigest.update(prefix);
  }

  /** The sealed chunk and its tag. */
  seal(chunk: Uint8Array): readonly [Uint8Array, Uint8Array] {
    this.clipDigest.update(chunk);
    this.#counter.setUint32(NONCE_BYTES - 5, this.#chunks++);
    const cipher = createCipheriv('chacha20-poly1305', this.#key, this.#nonce, {
      authTagLength: TAG_BYTES,
    });
    const sealed = cipher.update(chunk);
    cipher.final();
    const tag = cipher.getAuthTag();
    this.fileDigest.update(sealed).update(tag);
    return [sealed, tag];
  }

  *sealAll(block: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < block.length; at += CHUNK_BYTES) {
      yield* this.seal(block.subarray(at, at + CHUNK_BYTES));
    }
  }

  end(): void {
    this.clipDigest.digest();
    this.fileDigest.digest();
  }
}

/** In memory: what is sealed is dropped. */
export async function sealInScript(recipients: readonly string[], source: Source): Promise<void> {
  const sealer = new ScriptSealer(recipients);
  for await (const block of source) for (const _ of sealer.sealAll(block));
  sealer.end();
}

/** To a file, a MiB a write, with fsync. */
export async function sealFileInScript(
  recipients: readonly string[],
  source: Source,
  output: string,
): Promise<void> {
  const sealer = new ScriptSealer(recipients);
  const file = await open(output, 'wx');
  await file.write(sealer.prefix);
  let parts: Uint8Array[] = [];
  let size = 0;
  const flush = async () => {
    await file.writev(parts);
    parts = [];
    size = 0;
  };
  for await (const block of source) {
    for (const part of sealer.sealAll(block)) {
      parts.push(part);
      size += part.length;
      if (size >= WRITE_BYTES) await flush();
    }
  }
  if (size > 0) await flush();
  await file.sync();
  await file.close();
  sealer.end();
}

/** The same with a pipeline of node:stream, as one would write it first. */
export async function sealFileInStreams(
  recipients: readonly string[],
  input: string,
  output: string,
): Promise<void> {
  const sealer = new ScriptSealer(recipients);
  const seal = new Transform({
    transform(block: Uint8Array, _encoding, done) {
      for (const part of sealer.sealAll(block)) this.push(part);
      done();
    },
  });
  seal.push(sealer.prefix);
  const options = { highWaterMark: CHUNK_BYTES };
  await pipeline(createReadStream(input, options), seal, createWriteStream(output));
  sealer.end();
}

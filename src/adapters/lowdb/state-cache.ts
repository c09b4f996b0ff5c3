import { type Adapter, Low } from 'lowdb';
import { parseUtf8, utf8 } from '../../core/bytes.ts';
import type { StateCache } from '../../ports/state-cache.ts';

/** The cache's file, written durably by whoever owns it. */
export interface CacheFile {
  /** Undefined when there is none. */
  read(): Promise<Uint8Array | undefined>;
  replace(bytes: Uint8Array): Promise<void>;
}

interface Envelope {
  readonly value: unknown;
}

/** lowdb over a durable file of ours: its own file adapters do not fsync, and throw on an empty file. */
class DurableJson implements Adapter<Envelope> {
  readonly #file: CacheFile;

  constructor(file: CacheFile) {
    this.#file = file;
  }

  async read(): Promise<Envelope | null> {
    try {
      const bytes = await this.#file.read();
      return bytes === undefined ? null : parseEnvelope(bytes);
    } catch {
      // A cache on a bad sector is no cache; `write` replaces it, and reports if that fails too.
      return null;
    }
  }

  async write(data: Envelope): Promise<void> {
    await this.#file.replace(utf8(`${JSON.stringify(data)}\n`));
  }
}

export class LowdbStateCache implements StateCache {
  readonly #low: Low<Envelope>;

  /** `file` is the data directory's `cache.json`. */
  constructor(file: CacheFile) {
    this.#low = new Low<Envelope>(new DurableJson(file), { value: undefined });
  }

  async load(): Promise<unknown> {
    this.#low.data = { value: undefined };
    await this.#low.read();
    return this.#low.data.value;
  }

  async save(value: unknown): Promise<void> {
    this.#low.data = { value };
    await this.#low.write();
  }
}

function parseEnvelope(bytes: Uint8Array): Envelope | null {
  const text = parseUtf8(bytes);
  if (text === undefined) return null;
  try {
    const parsed: unknown = JSON.parse(text);
    const isEnvelope = typeof parsed === 'object' && parsed !== null && 'value' in parsed;
    return isEnvelope ? { value: parsed.value } : null;
  } catch {
    // A cut or foreign file is no cache: the state is folded from the log instead.
    return null;
  }
}

import { createHash, generateKeyPairSync } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  createReadStream,
  existsSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { CameraAddon, RecordFields, ServedClip } from './addon.ts';
import type { CameraFaults } from './faults.ts';

const TEXT_BYTES_MAX = 200;
const RECORDING_MS = 60_000;
const PKCS8_SEED_AT = 16;
/** Another file system, a file system without links, somebody else's file. */
const LINK_REFUSALS: readonly string[] = ['EXDEV', 'EPERM', 'EACCES', 'EMLINK', 'ENOTSUP'];

interface IndexLine {
  readonly counter: number;
  /** Where the clip came from, so that the same folder given again adds nothing. */
  readonly source: string;
  readonly record: string;
  readonly fields: Omit<RecordFields, 'sha256'> & { readonly sha256: string };
}

export interface StoreOptions {
  readonly folder: string;
  readonly serial: string;
  readonly keyless: boolean;
  readonly wearer?: string | undefined;
}

/**
 * The storage of one camera: `camera.key`, `camera.pub`, `clips/`, and `index`, lines of JSON that only grow.
 * INVARIANTS: a clip's bytes are whole before its line is written; a clip is marked erased before its bytes go.
 */
export class CameraStore {
  readonly folder: string;
  readonly serial: string;
  readonly keySeed: Uint8Array | undefined;
  readonly publicKey: Uint8Array | undefined;
  readonly #addon: CameraAddon;
  readonly #wearer: string;
  readonly #lines = new Map<number, IndexLine>();
  readonly #erased = new Set<number>();

  constructor(addon: CameraAddon, options: StoreOptions) {
    this.#addon = addon;
    this.folder = options.folder;
    this.serial = options.serial;
    this.#wearer = cutText(options.wearer ?? '');
    mkdirSync(join(this.folder, 'clips'), { recursive: true, mode: 0o700 });
    const key = options.keyless ? undefined : this.#loadKey();
    this.keySeed = key?.seed;
    this.publicKey = key?.publicKey;
    this.#loadIndex();
    this.#removeStrays();
  }

  get lastCounter(): number {
    return Math.max(0, ...this.#lines.keys());
  }

  get counters(): number[] {
    return [...this.#lines.keys()].filter((counter) => !this.#erased.has(counter));
  }

  /** What the camera serves: the signed records, or what a fault makes of them. */
  served(faults: CameraFaults): ServedClip[] {
    return this.counters.map((counter) => this.#serve(this.#lineOf(counter), faults));
  }

  /** Adds the file unless it was added before; undefined then. The record is signed now, when recording ends (SPEC 5). */
  async add(path: string, faults: CameraFaults): Promise<ServedClip | undefined> {
    const from = realpathSync(path);
    const { size, mtimeMs } = statSync(from);
    const source = `${from}|${size}|${mtimeMs}`;
    if ([...this.#lines.values()].some((line) => line.source === source)) return undefined;
    const counter = this.lastCounter + 1;
    takeFile(from, this.#pathOf(counter));
    const sha256 = createHash('sha256');
    await pipeline(createReadStream(this.#pathOf(counter), { highWaterMark: 1 << 20 }), sha256);
    const endedAtMs = Math.floor(mtimeMs);
    const fields = {
      counter,
      size,
      startedAtMs: endedAtMs - RECORDING_MS,
      endedAtMs,
      clockQuality: 1,
      trigger: 1,
      incident: false,
      name: cutText(basename(path)),
      wearer: this.#wearer,
      sha256: sha256.digest('hex'),
    };
    const record = Buffer.from(this.#sign(fields)).toString('hex');
    const line: IndexLine = { counter, source, record, fields };
    this.#append(line);
    this.#lines.set(counter, line);
    return this.#serve(line, faults);
  }

  /** Marked durably first: a power loss in between leaves bytes that the next start removes. */
  erase(counter: number): void {
    this.#append({ erased: counter });
    this.#erased.add(counter);
    rmSync(this.#pathOf(counter), { force: true });
  }

  #lineOf(counter: number): IndexLine {
    const line = this.#lines.get(counter);
    if (line === undefined) throw new Error(`no clip ${counter} in ${this.folder}`);
    return line;
  }

  #serve(line: IndexLine, faults: CameraFaults): ServedClip {
    const path = this.#pathOf(line.counter);
    if (!faults.lieDigest && faults.name === undefined) {
      return { counter: line.counter, path, record: Buffer.from(line.record, 'hex') };
    }
    const sha256 = faults.lieDigest ? lieAbout(line.fields.sha256) : line.fields.sha256;
    const name = faults.name ?? line.fields.name;
    return { counter: line.counter, path, record: this.#sign({ ...line.fields, sha256, name }) };
  }

  #sign(fields: IndexLine['fields']): Uint8Array {
    const sha256 = Buffer.from(fields.sha256, 'hex');
    return this.#addon.signRecord(this.keySeed, this.serial, { ...fields, sha256 });
  }

  #pathOf(counter: number): string {
    return join(this.folder, 'clips', `${counter}.clip`);
  }

  #append(line: IndexLine | { erased: number }): void {
    const fd = openSync(join(this.folder, 'index'), 'a', 0o600);
    try {
      writeSync(fd, `${JSON.stringify(line)}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }

  #loadKey(): { seed: Buffer; publicKey: Buffer } {
    const path = join(this.folder, 'camera.key');
    const publicPath = join(this.folder, 'camera.pub');
    if (!existsSync(path) || !existsSync(publicPath)) {
      const pair = generateKeyPairSync('ed25519');
      const seed = pair.privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(PKCS8_SEED_AT);
      const publicKey = pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
      writeFileSync(publicPath, `${publicKey.toString('hex')}\n`);
      writeFileSync(path, `${seed.toString('hex')}\n`, { mode: 0o600 });
    }
    const [seed, publicKey] = [path, publicPath].map((file) => {
      const bytes = Buffer.from(readFileSync(file, 'utf8').trim(), 'hex');
      if (bytes.length !== 32) throw new Error(`${file} is not 32 bytes of hex`);
      return bytes;
    }) as [Buffer, Buffer];
    return { seed, publicKey };
  }

  /** A torn last line is the write that a power loss cut: its clip was not yet recorded. */
  #loadIndex(): void {
    const path = join(this.folder, 'index');
    if (!existsSync(path)) return;
    const text = readFileSync(path, 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    for (const row of whole.split('\n').slice(0, -1)) {
      const line = JSON.parse(row) as IndexLine | { erased: number };
      if ('erased' in line) this.#erased.add(line.erased);
      else this.#lines.set(line.counter, line);
    }
    if (whole.length < text.length) cutFile(path, Buffer.byteLength(whole));
  }

  #removeStrays(): void {
    const kept = new Set(this.counters.map((counter) => basename(this.#pathOf(counter))));
    for (const name of readdirSync(join(this.folder, 'clips'))) {
      if (!kept.has(name)) rmSync(join(this.folder, 'clips', name), { force: true });
    }
  }
}

/** A second name for the same bytes where the file system allows it; the user's file is never written. */
function takeFile(from: string, to: string): void {
  rmSync(to, { force: true });
  try {
    linkSync(from, to);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (!LINK_REFUSALS.includes(code ?? '')) throw error;
    copyFileSync(from, to);
  }
}

function cutFile(path: string, sizeBytes: number): void {
  const fd = openSync(path, 'r+');
  try {
    ftruncateSync(fd, sizeBytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** SPEC 1: string8 is UTF-8, and SPEC 5 bounds the record; a letter is never cut in two. */
function cutText(text: string): string {
  let cut = text;
  while (Buffer.byteLength(cut) > TEXT_BYTES_MAX) cut = [...cut].slice(0, -1).join('');
  return cut;
}

function lieAbout(sha256: string): string {
  return `${sha256.slice(0, -1)}${sha256.endsWith('0') ? '1' : '0'}`;
}

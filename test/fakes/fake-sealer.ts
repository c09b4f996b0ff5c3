import { createHash, type Hash } from 'node:crypto';
import { assert } from '../../src/core/assert.ts';
import { concatBytes, formatHex, utf8 } from '../../src/core/bytes.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import { DockError } from '../../src/core/errors.ts';
import { type ClipMidstate, MIDSTATE_STEP } from '../../src/core/evidence/draft-state.ts';
import type { SealedSegment, Sealer, Sealing } from '../../src/ports/sealer.ts';
import type { SegmentFile } from '../../src/ports/vault.ts';

const MARK = 'fake-age/v1\n';
const NONCE_BYTES = 8;
const MASK = 0x5a;

/** The bytes behind a descriptor; a fake vault, or the map below. */
export interface FakeFiles {
  write(fd: number, bytes: Uint8Array): void;
  sync(fd: number): void;
  read(fd: number): Uint8Array;
}

export class MemoryFiles implements FakeFiles {
  readonly contents = new Map<number, Uint8Array>();
  readonly synced = new Set<number>();

  write(fd: number, bytes: Uint8Array): void {
    this.contents.set(fd, concatBytes(this.read(fd), bytes));
    this.synced.delete(fd);
  }

  sync(fd: number): void {
    this.synced.add(fd);
  }

  read(fd: number): Uint8Array {
    return this.contents.get(fd) ?? new Uint8Array(0);
  }
}

/** Faults by act; each stays until it is taken away. */
export interface FakeSealerFaults {
  /** The next write or end of a segment fails with this code. */
  failWith?: ErrorCode | undefined;
  /** Bytes the disk takes before it is full. */
  spaceBytes?: number | undefined;
  /** Reading back gives another digest. */
  rotted?: boolean;
}

export interface FakeSealerOptions {
  readonly files: FakeFiles;
  readonly recipients?: readonly string[];
  readonly faults?: FakeSealerFaults;
}

function hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function mask(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte ^ MASK);
}

/** What the fake sealed, or undefined when it is not that. */
export function openFake(sealed: Uint8Array): Uint8Array | undefined {
  const mark = utf8(MARK);
  if (!mark.every((byte, index) => sealed[index] === byte)) return undefined;
  return mask(sealed.subarray(mark.length + NONCE_BYTES));
}

/** Node's digests cannot be written down, so a midstate of the fake is a name for one that is kept here, as on paper: a restart finds it. */
const midstates = new Map<string, Hash>();

class FakeSealing implements Sealing {
  readonly #sealer: FakeSealer;
  readonly #clip: Hash;
  #file: SegmentFile | undefined;
  #clipBytes: number;
  #plainBytes = 0;
  #busy = false;
  #failure: DockError | undefined;

  constructor(sealer: FakeSealer, from: ClipMidstate | undefined) {
    const hash = from === undefined ? createHash('sha256') : midstates.get(formatHex(from.words));
    assert(hash !== undefined, 'a midstate that the fake gave');
    this.#sealer = sealer;
    this.#clip = hash.copy();
    this.#clipBytes = from?.sizeBytes ?? 0;
  }

  beginSegment(file: SegmentFile): Promise<void> {
    return this.#run(() => {
      assert(this.#file === undefined, 'the segment before is still open');
      this.#file = file;
      this.#plainBytes = 0;
      this.#sealer.put(file, this.#sealer.newPrefix());
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#run(() => {
      this.#clip.update(bytes);
      this.#plainBytes += bytes.length;
      this.#clipBytes += bytes.length;
      this.#sealer.put(this.#open(), mask(bytes));
    });
  }

  endSegment(): Promise<SealedSegment> {
    return this.#run(() => {
      const file = this.#open();
      this.#file = undefined;
      return { plainBytes: this.#plainBytes, ...this.#sealer.sync(file) };
    });
  }

  midstate(): ClipMidstate {
    assert(this.#file === undefined, 'a segment is still open');
    assert(this.#clipBytes % MIDSTATE_STEP === 0, 'a midstate stands between two blocks');
    const words = new Uint8Array(this.#clip.copy().digest());
    midstates.set(formatHex(words), this.#clip.copy());
    return { sizeBytes: this.#clipBytes, words };
  }

  finish(): Promise<{ readonly sha256: string; readonly sizeBytes: number }> {
    return this.#run(() => {
      assert(this.#file === undefined, 'a segment is still open');
      return { sha256: this.#clip.digest('hex'), sizeBytes: this.#clipBytes };
    });
  }

  abort(): void {
    this.#failure ??= new DockError('CANCELLED', 'the sealing was aborted');
  }

  #open(): SegmentFile {
    assert(this.#file !== undefined, 'no segment is open');
    return this.#file;
  }

  async #run<T>(step: () => T): Promise<T> {
    assert(!this.#busy, 'another call of the sealing runs');
    if (this.#failure !== undefined) throw this.#failure;
    this.#busy = true;
    await Promise.resolve();
    try {
      return step();
    } catch (error) {
      if (error instanceof DockError) this.#failure = error;
      throw error;
    } finally {
      this.#busy = false;
    }
  }
}

/** Masks instead of sealing. Digests, sizes and errors are as the port says. */
export class FakeSealer implements Sealer {
  readonly recipientCount: number;
  readonly recipientsSha256: string;
  readonly faults: FakeSealerFaults;
  readonly #files: FakeFiles;
  #nonce = 0;

  constructor(options: FakeSealerOptions) {
    const recipients = options.recipients ?? ['age1evidence', 'age1escrow'];
    this.#files = options.files;
    this.faults = options.faults ?? {};
    this.recipientCount = recipients.length;
    this.recipientsSha256 = hex(utf8([...recipients].sort().join('\n').concat('\n')));
  }

  begin(from?: ClipMidstate): Sealing {
    return new FakeSealing(this, from);
  }

  async sealSmall(plain: Uint8Array): Promise<Uint8Array> {
    return concatBytes(this.newPrefix(), mask(plain));
  }

  async rehash(
    file: SegmentFile,
  ): Promise<{ readonly fileBytes: number; readonly sha256: string }> {
    const bytes = this.#files.read(file.fd);
    const rotted = this.faults.rotted === true ? mask(bytes) : bytes;
    return { fileBytes: bytes.length, sha256: hex(rotted) };
  }

  newPrefix(): Uint8Array {
    const nonce = new Uint8Array(NONCE_BYTES);
    new DataView(nonce.buffer).setUint32(0, this.#nonce++);
    return concatBytes(utf8(MARK), nonce);
  }

  put(file: SegmentFile, bytes: Uint8Array): void {
    this.#check();
    const space = this.faults.spaceBytes;
    if (space !== undefined && this.#files.read(file.fd).length + bytes.length > space) {
      throw new DockError('VAULT_FULL', `writing segment ${file.index} failed: ENOSPC`);
    }
    this.#files.write(file.fd, bytes);
  }

  sync(file: SegmentFile): { readonly fileBytes: number; readonly sha256: string } {
    this.#check();
    this.#files.sync(file.fd);
    const bytes = this.#files.read(file.fd);
    return { fileBytes: bytes.length, sha256: hex(bytes) };
  }

  #check(): void {
    const code = this.faults.failWith;
    if (code !== undefined) throw new DockError(code, 'the sealer was told to fail');
  }
}

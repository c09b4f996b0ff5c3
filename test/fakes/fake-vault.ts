import { closeSync, constants, mkdtempSync, openSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from '../../src/core/assert.ts';
import { DockError } from '../../src/core/errors.ts';
import type { ClipId } from '../../src/core/evidence/clip.ts';
import type { ClipDraft, SegmentFile, Vault, VaultSpace } from '../../src/ports/vault.ts';
import { Power, PowerCut } from './power.ts';

/** Readable too, because a fake sealer hashes what it wrote. */
const NEW_FILE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;

export interface FakeVaultFaults {
  full: boolean;
  unwritable: boolean;
  /** A commit moves the clip, and then fails with VAULT_FULL. */
  commitFailsLate: boolean;
  /** How many effects still happen before the dock "loses power": each writing call has one before and one after its change. */
  effectsUntilCrash: number;
}

export interface Contents {
  /** Real files, because the sealer and the opener work on descriptors. */
  readonly segments: Map<number, string>;
  details: Uint8Array | undefined;
  manifest: string | undefined;
  receipt: string | undefined;
  /** Of a draft. */
  state: string | undefined;
}

interface Disk {
  readonly folder: string;
  readonly drafts: Map<ClipId, Contents>;
  readonly clips: Map<ClipId, Contents>;
  files: number;
}

/** The vault in memory, with the same promises and with faults to order. */
export class FakeVault implements Vault {
  readonly faults: FakeVaultFaults = {
    full: false,
    unwritable: false,
    commitFailsLate: false,
    effectsUntilCrash: Number.POSITIVE_INFINITY,
  };
  /** Shared with the other parts of a dock that lose power together. */
  power = new Power();
  totalBytes = 2 ** 40;
  freeBytes = 2 ** 39;
  readonly #disk: Disk;
  readonly #active = new Set<ClipId>();
  readonly #open = new Set<SegmentFile>();
  #effects = 0;

  constructor(disk?: Disk) {
    this.#disk = disk ?? {
      folder: mkdtempSync(join(tmpdir(), 'fake-vault-')),
      drafts: new Map(),
      clips: new Map(),
      files: 0,
    };
  }

  /** Effects so far: run once without a crash, then crash after each of them. */
  get effects(): number {
    return this.#effects;
  }

  /** What the next process finds. Descriptors are closed, faults gone. */
  restart(): FakeVault {
    for (const file of this.#open) closeSync(file.fd);
    this.#open.clear();
    const next = new FakeVault(this.#disk);
    next.totalBytes = this.totalBytes;
    next.freeBytes = this.freeBytes;
    return next;
  }

  /** Removes the temporary files. */
  dispose(): void {
    for (const file of this.#open) closeSync(file.fd);
    this.#open.clear();
    rmSync(this.#disk.folder, { recursive: true, force: true });
  }

  /** What is on the disk, for a test to look at. */
  get stored(): ReadonlyMap<ClipId, Readonly<Contents>> {
    return this.#disk.clips;
  }

  get draftCount(): number {
    return this.#disk.drafts.size;
  }

  /** Drafts that nobody can go on with. */
  get uselessDraftCount(): number {
    return [...this.#disk.drafts.values()].filter(({ state }) => state === undefined).length;
  }

  /** The files of the only draft, for tests that damage it. */
  get onlyDraft(): Contents {
    assert(this.#disk.drafts.size === 1, 'there is one draft');
    return present([...this.#disk.drafts.values()][0], 'the draft');
  }

  /** The path of a segment's file, for tests that damage it. */
  segmentFile(clip: ClipId, index: number): string {
    return this.#segment(this.#clip(clip), index);
  }

  /** As if someone had removed the clip's folder behind the dock's back. */
  lose(clip: ClipId): void {
    this.#disk.clips.delete(clip);
  }

  replaceManifest(clip: ClipId, note: string): void {
    this.#clip(clip).manifest = note;
  }

  async start(): Promise<void> {
    this.#effect(() => undefined);
  }

  async drafts(): Promise<readonly ClipId[]> {
    this.#power();
    return [...this.#disk.drafts.keys()].filter((clip) => !this.#active.has(clip)).sort();
  }

  async removeDraft(clip: ClipId): Promise<void> {
    assert(!this.#active.has(clip), 'a draft in use is abandoned, not removed');
    this.#effect(() => this.#disk.drafts.delete(clip));
  }

  async clips(): Promise<readonly ClipId[]> {
    this.#power();
    return [...this.#disk.clips.keys()].sort();
  }

  async draft(clip: ClipId): Promise<ClipDraft> {
    this.#power();
    if (this.#disk.drafts.has(clip) || this.#disk.clips.has(clip)) throw exists(clip);
    this.#requireSpace();
    const contents: Contents = {
      segments: new Map(),
      details: undefined,
      manifest: undefined,
      receipt: undefined,
      state: undefined,
    };
    this.#effect(() => this.#disk.drafts.set(clip, contents));
    this.#active.add(clip);
    return this.#draftOf(clip, contents);
  }

  async readDraftState(clip: ClipId): Promise<string | undefined> {
    this.#power();
    return this.#disk.drafts.get(clip)?.state;
  }

  async reopenDraft(clip: ClipId, segmentCount: number): Promise<ClipDraft> {
    this.#power();
    assert(!this.#active.has(clip), 'one works on a draft at a time');
    const contents = present(this.#disk.drafts.get(clip), clip);
    for (const index of [...contents.segments.keys()]) {
      if (index >= segmentCount) this.#effect(() => contents.segments.delete(index));
    }
    if (contents.details !== undefined) {
      this.#effect(() => {
        contents.details = undefined;
      });
    }
    this.#active.add(clip);
    return this.#draftOf(clip, contents);
  }

  async readManifest(clip: ClipId): Promise<string> {
    return present(this.#clip(clip).manifest, 'the manifest');
  }

  async readDetails(clip: ClipId): Promise<Uint8Array> {
    return present(this.#clip(clip).details, 'the details').slice();
  }

  async openSegment(clip: ClipId, index: number): Promise<SegmentFile> {
    return this.#openFile(index, this.#segment(this.#clip(clip), index));
  }

  async closeSegment(file: SegmentFile): Promise<void> {
    assert(this.#open.delete(file), 'a segment is closed once, by the vault that opened it');
    closeSync(file.fd);
  }

  async putReceipt(clip: ClipId, receiptNote: string): Promise<void> {
    const contents = this.#clip(clip);
    this.#effect(() => {
      contents.receipt = receiptNote;
    });
  }

  async readReceipt(clip: ClipId): Promise<string | undefined> {
    return this.#clip(clip).receipt;
  }

  /** File by file, so that a power cut finds it half done. */
  async disposeClip(clip: ClipId): Promise<void> {
    this.#power();
    const contents = this.#disk.clips.get(clip);
    if (contents === undefined) return;
    for (const [index, path] of [...contents.segments]) {
      this.#effect(() => truncateSync(path));
      this.#effect(() => contents.segments.delete(index));
    }
    this.#effect(() => {
      contents.details = undefined;
      contents.manifest = undefined;
    });
    this.#effect(() => this.#disk.clips.delete(clip));
  }

  async space(): Promise<VaultSpace> {
    this.#power();
    return { totalBytes: this.totalBytes, freeBytes: this.faults.full ? 0 : this.freeBytes };
  }

  async stop(): Promise<void> {
    for (const file of [...this.#open]) await this.closeSegment(file);
  }

  #draftOf(clip: ClipId, contents: Contents): ClipDraft {
    const draftOpen = new Set<SegmentFile>();
    let ended = false;
    const live = () => assert(!ended, 'a draft is not used after its commit or abandonment');
    const closeSegment = async (file: SegmentFile) => {
      assert(draftOpen.delete(file), 'a segment is closed once, by the draft that opened it');
      await this.closeSegment(file);
    };
    const track = (file: SegmentFile) => {
      draftOpen.add(file);
      return file;
    };
    return {
      clip,
      closeSegment,
      createSegment: async (index) => {
        live();
        this.#requireSpace();
        if (contents.segments.has(index)) throw exists(`segment ${index}`);
        return track(this.#createFile(contents, index));
      },
      reopenSegment: async (index) => {
        live();
        return track(this.#openFile(index, this.#segment(contents, index)));
      },
      putDetails: async (sealed) => {
        live();
        if (contents.details !== undefined) throw exists('the details');
        this.#effect(() => {
          contents.details = sealed.slice();
        });
      },
      putState: async (note) => {
        live();
        this.#effect(() => {
          contents.state = note;
        });
      },
      commit: async (manifestNote) => {
        live();
        assert(draftOpen.size === 0, 'every segment is closed before the commit');
        present(contents.details, 'the details');
        if (this.#disk.clips.has(clip)) throw exists(clip);
        if (contents.state !== undefined) {
          this.#effect(() => {
            contents.state = undefined;
          });
        }
        this.#effect(() => {
          contents.manifest = manifestNote;
        });
        this.#effect(() => {
          this.#disk.drafts.delete(clip);
          this.#disk.clips.set(clip, contents);
        });
        ended = true;
        this.#active.delete(clip);
        if (this.faults.commitFailsLate) throw new DockError('VAULT_FULL', 'the fake is full');
      },
      abandon: async () => {
        if (ended) return;
        for (const file of [...draftOpen]) await closeSegment(file);
        this.#effect(() => this.#disk.drafts.delete(clip));
        ended = true;
        this.#active.delete(clip);
      },
      leave: async () => {
        if (ended) return;
        for (const file of [...draftOpen]) await closeSegment(file);
        ended = true;
        this.#active.delete(clip);
      },
    };
  }

  #createFile(contents: Contents, index: number): SegmentFile {
    const path = join(this.#disk.folder, `${this.#disk.files++}.age`);
    this.#effect(() => contents.segments.set(index, path));
    const file = { index, fd: openSync(path, NEW_FILE, 0o600) };
    this.#open.add(file);
    return file;
  }

  #openFile(index: number, path: string): SegmentFile {
    const file = { index, fd: openSync(path, 'r') };
    this.#open.add(file);
    return file;
  }

  #clip(clip: ClipId): Contents {
    this.#power();
    return present(this.#disk.clips.get(clip), clip);
  }

  #segment(contents: Contents, index: number): string {
    return present(contents.segments.get(index), `segment ${index}`);
  }

  #requireSpace(): void {
    if (this.faults.full) throw new DockError('VAULT_FULL', 'the fake vault is full');
  }

  #effect(change: () => void): void {
    this.#step();
    if (this.faults.unwritable) {
      throw new DockError('VAULT_UNWRITABLE', 'the fake vault cannot be written: EROFS');
    }
    change();
    this.#step();
  }

  #step(): void {
    this.#power();
    this.#effects += 1;
    this.faults.effectsUntilCrash -= 1;
    this.power.effect('vault');
    this.#power();
  }

  #power(): void {
    this.power.check();
    if (this.faults.effectsUntilCrash <= 0) throw new PowerCut('the power is cut');
  }
}

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new DockError('VAULT_MISSING', `${what} is not in the vault`);
  return value;
}

function exists(what: string): DockError {
  return new DockError('VAULT_EXISTS', `${what} is already there`);
}

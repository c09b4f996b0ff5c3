import { join } from 'node:path';
import { assert } from '../../core/assert.ts';
import { utf8 } from '../../core/bytes.ts';
import type { ClipId } from '../../core/evidence/clip.ts';
import {
  DETAILS_NAME,
  DRAFT_STATE_NAME,
  MANIFEST_NAME,
  segmentName,
} from '../../core/evidence/naming.ts';
import type { ClipDraft, SegmentFile } from '../../ports/vault.ts';
import {
  createFile,
  removeDurably,
  renameDirectory,
  replaceFile,
  syncDirectory,
} from './durable-file.ts';
import {
  closeFd,
  createForWriting,
  makeEvidence,
  openForReading,
  vaultError,
} from './vault-files.ts';

export interface FsClipDraftOptions {
  readonly clip: ClipId;
  /** Exists, and holds nothing but what this draft puts there, and what a draft of the same clip left. */
  readonly folder: string;
  /** Segments that are there already. */
  readonly segmentCount: number;
  /** Where the clip will be. */
  readonly target: string;
  /** VAULT_FULL when the disk has no room for more evidence. */
  readonly requireSpace: () => Promise<void>;
  /** Called once, when the draft is committed or abandoned. */
  readonly onEnd: () => void;
}

export class FsClipDraft implements ClipDraft {
  readonly clip: ClipId;
  readonly #options: FsClipDraftOptions;
  readonly #segments = new Set<number>();
  readonly #open = new Set<SegmentFile>();
  /** `moving`: the folder may be under either name, and only a new start can tell. */
  #state: 'draft' | 'moving' | 'ended' = 'draft';
  #hasState: boolean;

  constructor(options: FsClipDraftOptions) {
    this.clip = options.clip;
    this.#options = options;
    for (let index = 0; index < options.segmentCount; index++) this.#segments.add(index);
    this.#hasState = options.segmentCount > 0;
  }

  async createSegment(index: number): Promise<SegmentFile> {
    this.#assertDraft();
    await this.#options.requireSpace();
    const fd = await createForWriting(this.#path(segmentName(index)));
    this.#segments.add(index);
    return this.#track({ index, fd });
  }

  async reopenSegment(index: number): Promise<SegmentFile> {
    this.#assertDraft();
    return this.#track({ index, fd: await openForReading(this.#path(segmentName(index))) });
  }

  async closeSegment(file: SegmentFile): Promise<void> {
    assert(this.#open.delete(file), 'a segment is closed once, by the draft that opened it');
    try {
      await closeFd(file.fd);
    } catch (error) {
      throw vaultError(error, this.#path(segmentName(file.index)));
    }
  }

  async putDetails(sealed: Uint8Array): Promise<void> {
    this.#assertDraft();
    await this.#createFile(DETAILS_NAME, sealed);
  }

  async putState(note: string): Promise<void> {
    this.#assertDraft();
    const path = this.#path(DRAFT_STATE_NAME);
    this.#hasState = true;
    await this.#writing(path, () => replaceFile(path, utf8(note)));
  }

  async commit(manifestNote: string): Promise<void> {
    this.#assertDraft();
    assert(this.#open.size === 0, 'every segment is closed before the commit');
    const { folder, target } = this.#options;
    for (const index of this.#segments) await makeEvidence(this.#path(segmentName(index)));
    await makeEvidence(this.#path(DETAILS_NAME));
    const statePath = this.#path(DRAFT_STATE_NAME);
    if (this.#hasState) await this.#writing(statePath, () => removeDurably(statePath));
    await this.#createFile(MANIFEST_NAME, utf8(manifestNote));
    await makeEvidence(this.#path(MANIFEST_NAME));
    try {
      await syncDirectory(folder);
      this.#state = 'moving';
      await renameDirectory(folder, target);
    } catch (error) {
      throw vaultError(error, target);
    }
    this.#end();
  }

  async abandon(): Promise<void> {
    if (this.#state === 'ended') return;
    try {
      await this.#closeAll();
      // Only the draft's own name is removed: what a failed commit already moved is evidence.
      await removeDurably(this.#options.folder);
    } catch (error) {
      throw vaultError(error, this.#options.folder);
    } finally {
      this.#end();
    }
  }

  async leave(): Promise<void> {
    if (this.#state === 'ended') return;
    await this.#closeAll();
    this.#end();
  }

  /** What a close would say of these bytes no longer matters. */
  async #closeAll(): Promise<void> {
    await Promise.allSettled([...this.#open].map((file) => this.closeSegment(file)));
  }

  async #createFile(name: string, bytes: Uint8Array): Promise<void> {
    await this.#writing(this.#path(name), () => createFile(this.#path(name), bytes));
  }

  async #writing(path: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      throw vaultError(error, path);
    }
  }

  #track(file: SegmentFile): SegmentFile {
    this.#open.add(file);
    return file;
  }

  #path(name: string): string {
    return join(this.#options.folder, name);
  }

  #assertDraft(): void {
    assert(this.#state === 'draft', 'a draft is not used after its commit or abandonment');
  }

  #end(): void {
    this.#state = 'ended';
    this.#options.onEnd();
  }
}

/**
 * INVARIANTS: one process writes below `dataDir`. Every path is made from a `ClipId` or a segment's index. A clip's folder appears under
 * its name by one rename and goes through `disposeClip` alone. No symbolic link inside the vault is followed.
 */
import type { Dirent } from 'node:fs';
import { readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { assert } from '../../core/assert.ts';
import { parseUtf8, utf8 } from '../../core/bytes.ts';
import { NOTE_BYTES_MAX } from '../../core/custody/note.ts';
import { DockError, isDockError } from '../../core/errors.ts';
import { type ClipId, parseClipId } from '../../core/evidence/clip.ts';
import {
  clipFolder,
  DETAILS_NAME,
  DRAFT_STATE_NAME,
  DRAFTS_FOLDER,
  draftFolder,
  MANIFEST_NAME,
  RECEIPT_NAME,
  segmentName,
  VAULT_FOLDER,
} from '../../core/evidence/naming.ts';
import type { ClipDraft, SegmentFile, Vault, VaultSpace } from '../../ports/vault.ts';
import {
  createDirectory,
  createFile,
  removeDurably,
  replaceFile,
  sweepTemporaries,
} from './durable-file.ts';
import { FsClipDraft } from './vault-draft.ts';
import {
  closeFd,
  destroyHeader,
  full,
  missing,
  openForReading,
  presenceOf,
  readSmallFile,
  unwritable,
  vaultError,
} from './vault-files.ts';

const PROBE_NAME = '.probe';
const PROBE_SIZE = 4_096;
/** The sealed form of the longest details is a tenth of this. */
const DETAILS_SIZE_MAX = 262_144;

export interface FsVaultOptions {
  readonly dataDir: string;
  /** Bytes of the disk that clips never take. */
  readonly reserveBytes: number;
}

export class FsVault implements Vault {
  readonly #dataDir: string;
  readonly #reserveBytes: number;
  readonly #drafts = new Map<ClipId, FsClipDraft>();
  readonly #open = new Set<SegmentFile>();

  constructor(options: FsVaultOptions) {
    this.#dataDir = options.dataDir;
    this.#reserveBytes = options.reserveBytes;
  }

  async start(): Promise<void> {
    for (const folder of [this.#vaultFolder, this.#draftsFolder]) {
      if ((await presenceOf(folder)) === 'other') throw unwritable(folder, 'it is not a folder');
      await this.#writing(folder, () => createDirectory(folder));
    }
    await this.#writing(this.#draftsFolder, () => sweepTemporaries(this.#draftsFolder));
    await this.#probe();
  }

  async drafts(): Promise<readonly ClipId[]> {
    const entries = await this.#list(this.#draftsFolder);
    return clipIdsOf(entries).filter((clip) => !this.#drafts.has(clip));
  }

  async removeDraft(clip: ClipId): Promise<void> {
    assert(!this.#drafts.has(clip), 'a draft in use is abandoned, not removed');
    const folder = join(this.#dataDir, draftFolder(clip));
    await this.#writing(folder, () => removeDurably(folder));
  }

  async clips(): Promise<readonly ClipId[]> {
    const entries = await this.#list(this.#vaultFolder);
    return clipIdsOf(entries.filter((entry) => entry.isDirectory()));
  }

  async draft(clip: ClipId): Promise<ClipDraft> {
    const folder = join(this.#dataDir, draftFolder(clip));
    const target = join(this.#dataDir, clipFolder(clip));
    for (const path of [folder, target]) {
      if ((await presenceOf(path)) !== 'none') {
        throw new DockError('VAULT_EXISTS', `${path} is already there`);
      }
    }
    await this.#requireSpace();
    await this.#writing(folder, () => createDirectory(folder));
    return this.#activate(clip, 0);
  }

  async readDraftState(clip: ClipId): Promise<string | undefined> {
    const path = join(this.#dataDir, draftFolder(clip), DRAFT_STATE_NAME);
    return (await presenceOf(path)) === 'none' ? undefined : this.#readNote(path);
  }

  async reopenDraft(clip: ClipId, segmentCount: number): Promise<ClipDraft> {
    assert(!this.#drafts.has(clip), 'one works on a draft at a time');
    const folder = join(this.#dataDir, draftFolder(clip));
    if ((await presenceOf(folder)) !== 'folder') throw missing(folder, 'it is not a folder');
    const kept = new Set([DRAFT_STATE_NAME]);
    for (let index = 0; index < segmentCount; index++) kept.add(segmentName(index));
    for (const { name } of await this.#list(folder)) {
      if (kept.has(name)) continue;
      await this.#writing(folder, () => removeDurably(join(folder, name)));
    }
    return this.#activate(clip, segmentCount);
  }

  #activate(clip: ClipId, segmentCount: number): ClipDraft {
    const draft = new FsClipDraft({
      clip,
      folder: join(this.#dataDir, draftFolder(clip)),
      target: join(this.#dataDir, clipFolder(clip)),
      segmentCount,
      requireSpace: () => this.#requireSpace(),
      onEnd: () => this.#drafts.delete(clip),
    });
    this.#drafts.set(clip, draft);
    return draft;
  }

  async readManifest(clip: ClipId): Promise<string> {
    return this.#readNote(await this.#pathIn(clip, MANIFEST_NAME));
  }

  async readDetails(clip: ClipId): Promise<Uint8Array> {
    return readSmallFile(await this.#pathIn(clip, DETAILS_NAME), DETAILS_SIZE_MAX);
  }

  async openSegment(clip: ClipId, index: number): Promise<SegmentFile> {
    const fd = await openForReading(await this.#pathIn(clip, segmentName(index)));
    const file = { index, fd };
    this.#open.add(file);
    return file;
  }

  async closeSegment(file: SegmentFile): Promise<void> {
    assert(this.#open.delete(file), 'a segment is closed once, by the vault that opened it');
    await closeFd(file.fd);
  }

  async putReceipt(clip: ClipId, receiptNote: string): Promise<void> {
    const path = await this.#pathIn(clip, RECEIPT_NAME);
    await this.#writing(path, async () => {
      await sweepTemporaries(join(this.#dataDir, clipFolder(clip)));
      await replaceFile(path, utf8(receiptNote));
    });
  }

  async readReceipt(clip: ClipId): Promise<string | undefined> {
    const path = await this.#pathIn(clip, RECEIPT_NAME);
    return (await presenceOf(path)) === 'none' ? undefined : this.#readNote(path);
  }

  async disposeClip(clip: ClipId): Promise<void> {
    const folder = join(this.#dataDir, clipFolder(clip));
    const presence = await presenceOf(folder);
    if (presence === 'none') return;
    if (presence === 'other') throw unwritable(folder, 'it is not a folder');
    for (const file of await this.#list(folder)) {
      if (file.isFile() && file.name.endsWith('.age')) await destroyHeader(join(folder, file.name));
    }
    await this.#writing(folder, () => removeDurably(folder));
  }

  /** `freeBytes` is what clips may take: the reserve and what the disk keeps for root are not in it. */
  async space(): Promise<VaultSpace> {
    const { bsize, blocks, bavail } = await this.#writing(this.#vaultFolder, () =>
      statfs(this.#vaultFolder),
    );
    return {
      totalBytes: bsize * blocks,
      freeBytes: Math.max(0, bsize * bavail - this.#reserveBytes),
    };
  }

  async stop(): Promise<void> {
    const results = await Promise.allSettled(
      [...this.#open].map((file) => this.closeSegment(file)),
    );
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw vaultError(failed.reason, this.#vaultFolder);
  }

  get #vaultFolder(): string {
    return join(this.#dataDir, VAULT_FOLDER);
  }

  get #draftsFolder(): string {
    return join(this.#vaultFolder, DRAFTS_FOLDER);
  }

  /** Permission bits prove nothing: only a file that was written, synced and removed does. */
  async #probe(): Promise<void> {
    const path = join(this.#draftsFolder, PROBE_NAME);
    try {
      await this.#writing(this.#draftsFolder, async () => {
        await removeDurably(path);
        await createFile(path, new Uint8Array(PROBE_SIZE));
        await removeDurably(path);
      });
    } catch (error) {
      // A full disk is a state in which the dock still serves what it has.
      if (!isDockError(error, 'VAULT_FULL')) throw error;
    }
  }

  async #requireSpace(): Promise<void> {
    const { freeBytes } = await this.space();
    if (freeBytes > 0) return;
    throw full(`${this.#vaultFolder} has no more than its reserve of ${this.#reserveBytes} bytes`);
  }

  /** A path inside a clip's folder, which must be a folder itself. */
  async #pathIn(clip: ClipId, name: string): Promise<string> {
    const folder = join(this.#dataDir, clipFolder(clip));
    const presence = await presenceOf(folder);
    if (presence === 'none') throw missing(folder, 'it is not there');
    if (presence === 'other') throw missing(folder, 'it is not a folder');
    return join(folder, name);
  }

  async #readNote(path: string): Promise<string> {
    const text = parseUtf8(await readSmallFile(path, NOTE_BYTES_MAX));
    if (text === undefined) throw new DockError('NOTE_INVALID', `${path} is not UTF-8`);
    return text;
  }

  async #list(folder: string): Promise<Dirent[]> {
    return this.#writing(folder, () => readdir(folder, { withFileTypes: true }));
  }

  async #writing<T>(place: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw vaultError(error, place);
    }
  }
}

function clipIdsOf(entries: readonly Dirent[]): ClipId[] {
  return entries
    .map((entry) => parseClipId(entry.name))
    .filter((clip) => clip !== undefined)
    .sort();
}

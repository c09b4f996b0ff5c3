/**
 * INVARIANTS: the one module that makes bytes durable. A function returns only when a power cut can no longer undo what it says.
 * After a failed fsync nothing is known about the file's pages, so that file is never synced or written again: the
 * caller writes a new one. Temporary files are named `.<name>.<random>.tmp`; `sweepTemporaries` removes what a crash left.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import {
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  unlink,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { asDockError, DockError, type ErrorCode } from '../../core/errors.ts';

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** The file holds `bytes`, and held either them or its former content at every instant. */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  await durably(path, async () => {
    const temporary = await writeTemporary(path, bytes);
    try {
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncDirectory(dirname(path));
  });
}

/** A new file holds `bytes`. VAULT_EXISTS, and nothing changed, when there is anything at `path`. */
export async function createFile(path: string, bytes: Uint8Array): Promise<void> {
  await durably(path, async () => {
    const temporary = await writeTemporary(path, bytes);
    try {
      await link(temporary, path);
    } finally {
      await unlink(temporary);
    }
    await syncDirectory(dirname(path));
  });
}

/** The directory and all above it exist. May be called again. */
export async function createDirectory(path: string): Promise<void> {
  await durably(path, async () => {
    const first = await mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
    const top = dirname(first ?? path);
    for (let parent = dirname(path); parent.length > top.length; parent = dirname(parent)) {
      await syncDirectory(parent);
    }
    await syncDirectory(top);
  });
}

/** What was created, renamed or removed in the directory stays so. */
export async function syncDirectory(path: string): Promise<void> {
  await durably(path, async () => {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    await syncAndClose(handle);
  });
}

/** The directory is at `to` and no longer at `from`. VAULT_EXISTS when there is anything at `to`. One writer only. */
export async function renameDirectory(from: string, to: string): Promise<void> {
  await durably(to, async () => {
    if (await exists(to)) throw new DockError('VAULT_EXISTS', `${to} is already there`);
    await rename(from, to);
    await syncDirectory(dirname(to));
    if (dirname(from) !== dirname(to)) await syncDirectory(dirname(from));
  });
}

/** Nothing is at `path`, file or directory with all in it. May be called again. */
export async function removeDurably(path: string): Promise<void> {
  await durably(path, async () => {
    await rm(path, { recursive: true, force: true });
    await syncDirectory(dirname(path));
  });
}

/** Removes temporary files that a crash left in this directory, and says how many. */
export async function sweepTemporaries(directory: string): Promise<number> {
  return durably(directory, async () => {
    const names = await readdir(directory);
    const leftovers = names.filter((name) => /^\..+\.[0-9a-f]{16}\.tmp$/.test(name));
    for (const name of leftovers) await unlink(join(directory, name));
    if (leftovers.length > 0) await syncDirectory(directory);
    return leftovers.length;
  });
}

/** Undefined when there is no such file. */
export async function readIfPresent(path: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw asDockError(error, 'DURABLE_WRITE_FAILED', `${path} cannot be read`);
  }
}

/** One small file for an adapter that must not know the file system. */
export interface DurableFile {
  /** Undefined when there is none. */
  read(): Promise<Uint8Array | undefined>;
  replace(bytes: Uint8Array): Promise<void>;
}

export function durableFile(path: string): DurableFile {
  return {
    read: () => readIfPresent(path),
    replace: (bytes) => replaceFile(path, bytes),
  };
}

/**
 * A file that only grows. After an error whose outcome on the disk is unknown every call throws: open a new one, which reads what is there.
 */
export class AppendFile {
  readonly path: string;
  readonly #handle: FileHandle;
  #sizeBytes: number;
  #broken: unknown;
  #busy = false;

  private constructor(path: string, handle: FileHandle, sizeBytes: number) {
    this.path = path;
    this.#handle = handle;
    this.#sizeBytes = sizeBytes;
  }

  /** Creates the file, durably, when there is none. */
  static async open(path: string): Promise<AppendFile> {
    return durably(path, async () => {
      const isNew = !(await exists(path));
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
      const handle = await open(path, flags, FILE_MODE);
      try {
        const { size } = await handle.stat();
        if (isNew) {
          await handle.sync();
          await syncDirectory(dirname(path));
        }
        return new AppendFile(path, handle, size);
      } catch (error) {
        await handle.close();
        throw error;
      }
    });
  }

  /** Bytes that are durable. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Durable when it returns. After a full disk the file is as it was, and may be appended to again. */
  async append(bytes: Uint8Array): Promise<void> {
    await this.#exclusively(async () => {
      try {
        await writeAll(this.#handle, bytes, this.#sizeBytes);
      } catch (error) {
        // Where the cut fails too the file is marked broken; what a person must know is why the write failed.
        await Promise.allSettled([this.#cut(this.#sizeBytes)]);
        throw error;
      }
      await this.#sync();
      this.#sizeBytes += bytes.length;
    });
  }

  /** Cuts a torn tail; durable when it returns. */
  async truncate(sizeBytes: number): Promise<void> {
    await this.#exclusively(async () => {
      await this.#cut(sizeBytes);
      this.#sizeBytes = sizeBytes;
    });
  }

  async close(): Promise<void> {
    await durably(this.path, () => this.#handle.close());
  }

  async #cut(sizeBytes: number): Promise<void> {
    await this.#orBroken(() => this.#handle.truncate(sizeBytes));
    await this.#sync();
  }

  async #sync(): Promise<void> {
    await this.#orBroken(() => this.#handle.sync());
  }

  async #orBroken(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#broken = error;
      throw error;
    }
  }

  async #exclusively(act: () => Promise<void>): Promise<void> {
    if (this.#broken !== undefined) {
      const message = `${this.path} failed before and is not written again`;
      throw new DockError('DURABLE_WRITE_FAILED', message, { cause: this.#broken });
    }
    if (this.#busy) throw new Error(`assertion failed: one writer appends to ${this.path}`);
    this.#busy = true;
    try {
      await durably(this.path, act);
    } finally {
      this.#busy = false;
    }
  }
}

async function writeTemporary(path: string, bytes: Uint8Array): Promise<string> {
  const name = `.${basename(path)}.${randomBytes(8).toString('hex')}.tmp`;
  const temporary = join(dirname(path), name);
  const handle = await open(temporary, NEW_FILE, FILE_MODE);
  try {
    try {
      await writeAll(handle, bytes, 0);
    } catch (error) {
      await handle.close();
      throw error;
    }
    await syncAndClose(handle);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return temporary;
}

async function syncAndClose(handle: FileHandle): Promise<void> {
  try {
    await handle.sync();
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const left = bytes.length - written;
    const result = await handle.write(bytes, written, left, position + written);
    written += result.bytesWritten;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function durably<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw asDockError(error, dockCodeOf(error), `${path} cannot be made durable`);
  }
}

function dockCodeOf(error: unknown): ErrorCode {
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'VAULT_FULL';
  return code === 'EEXIST' ? 'VAULT_EXISTS' : 'DURABLE_WRITE_FAILED';
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

import { close, constants, fchmod, fstat, fsync, open, read, write } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { DockError } from '../../core/errors.ts';

const openFd = promisify(open);
const statFd = promisify(fstat);
const chmodFd = promisify(fchmod);
const syncFd = promisify(fsync);
const readFd = promisify(read);
const writeFd = promisify(write);
export const closeFd = promisify(close);

const WRITTEN_MODE = 0o600;
/** age: sixteen recipients and the start of the payload, its nonce first. */
const HEADER_SIZE_MAX = 65_536;
const EVIDENCE_MODE = 0o400;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** O_NONBLOCK: opening a FIFO that someone left here would otherwise wait for ever. */
const OLD_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export type Presence = 'none' | 'folder' | 'other';

/** Never follows a symbolic link: one is `other`. */
export async function presenceOf(path: string): Promise<Presence> {
  try {
    return (await lstat(path)).isDirectory() ? 'folder' : 'other';
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'none';
    throw vaultError(error, path);
  }
}

export async function createForWriting(path: string): Promise<number> {
  try {
    return await openFd(path, NEW_FILE, WRITTEN_MODE);
  } catch (error) {
    throw vaultError(error, path);
  }
}

/** A plain file, and nothing that merely looks like one. VAULT_MISSING. */
export async function openForReading(path: string): Promise<number> {
  let fd: number;
  try {
    fd = await openFd(path, OLD_FILE);
  } catch (error) {
    throw missing(path, reasonOf(error), error);
  }
  try {
    if ((await statFd(fd)).isFile()) return fd;
  } catch (error) {
    await closeFd(fd);
    throw missing(path, reasonOf(error), error);
  }
  await closeFd(fd);
  throw missing(path, 'it is not a plain file');
}

/** The whole file, when it is no longer than it can honestly be. VAULT_MISSING. */
export async function readSmallFile(path: string, sizeMax: number): Promise<Uint8Array> {
  const fd = await openForReading(path);
  try {
    const { size } = await statFd(fd);
    if (size > sizeMax) throw missing(path, `it has ${size} bytes where ${sizeMax} are the most`);
    return await readAll(fd, size);
  } catch (error) {
    throw error instanceof DockError ? error : missing(path, reasonOf(error), error);
  } finally {
    await closeFd(fd);
  }
}

/** Nobody may write the file from now on, which is durable when it returns, as its bytes are. */
export async function makeEvidence(path: string): Promise<void> {
  const fd = await openForReading(path);
  try {
    await chmodFd(fd, EVIDENCE_MODE);
    await syncFd(fd);
  } catch (error) {
    throw vaultError(error, path);
  } finally {
    await closeFd(fd);
  }
}

/**
 * The header of a sealed file, without which not even its recipients open it, is zeros on the disk when this returns. A disk that writes
 * elsewhere than where it reads may keep an old copy until it reuses the place.
 */
export async function destroyHeader(path: string): Promise<void> {
  const readable = await openForReading(path);
  let writable: number | undefined;
  try {
    const { size } = await statFd(readable);
    await chmodFd(readable, WRITTEN_MODE);
    writable = await openFd(path, constants.O_WRONLY | constants.O_NOFOLLOW);
    await writeFd(writable, new Uint8Array(Math.min(size, HEADER_SIZE_MAX)), 0, undefined, 0);
    await syncFd(writable);
  } catch (error) {
    throw vaultError(error, path);
  } finally {
    await closeFd(readable);
    if (writable !== undefined) await closeFd(writable);
  }
}

/** VAULT_FULL when the disk takes no more, VAULT_EXISTS, else VAULT_UNWRITABLE with the place and the reason. */
export function vaultError(error: unknown, place: string): DockError {
  const errno = errnoOf(error);
  if (errno === 'ENOSPC' || errno === 'EDQUOT' || errno === 'EFBIG') {
    return full(`${place} takes no more bytes (${errno})`, error);
  }
  if (errno === 'EEXIST' || (error instanceof DockError && error.code === 'VAULT_EXISTS')) {
    return new DockError('VAULT_EXISTS', `${place} is already there`, { cause: error });
  }
  if (error instanceof DockError && error.code !== 'DURABLE_WRITE_FAILED') return error;
  return unwritable(place, reasonOf(error), error);
}

export function full(message: string, cause?: unknown): DockError {
  const action = 'Nothing was lost: clips stay on the cameras. Give the dock a larger disk.';
  return new DockError('VAULT_FULL', message, { cause, action });
}

export function unwritable(place: string, reason: string, cause?: unknown): DockError {
  const action = 'Check that the disk is mounted for writing and belongs to the dock.';
  return new DockError('VAULT_UNWRITABLE', `${place} cannot be written: ${reason}`, {
    cause,
    action,
  });
}

export function missing(path: string, reason: string, cause?: unknown): DockError {
  return new DockError('VAULT_MISSING', `${path} cannot be read: ${reason}`, { cause });
}

async function readAll(fd: number, sizeBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes);
  let done = 0;
  while (done < sizeBytes) {
    const { bytesRead } = await readFd(fd, bytes, done, sizeBytes - done, done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

/** The system's code, also where another error wraps it. */
export function errnoOf(error: unknown): string | undefined {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    if ('errno' in inner && 'code' in inner && typeof inner.code === 'string') return inner.code;
  }
  return undefined;
}

function reasonOf(error: unknown): string {
  const errno = errnoOf(error);
  if (errno === 'ELOOP') return 'it is a symbolic link (ELOOP)';
  if (errno === 'ENOENT') return 'it is not there (ENOENT)';
  return errno ?? (error instanceof Error ? error.message : String(error));
}

/**
 * INVARIANTS: a contender first puts down its own file, then looks for others. Of two that start together at least one sees the other, so
 * never do both go on. A file's name holds boot, process and start time, so the file of a dead process is nobody else's and may
 * be removed without a race. The processes must share one process table.
 */
import { constants } from 'node:fs';
import { open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asDockError, DockError } from '../../core/errors.ts';

const LOCK_NAME = /^lock-([0-9a-f]{8})-([1-9][0-9]*)-([0-9]+)$/;

export interface DataLock {
  /** May be called twice. */
  release(): Promise<void>;
}

/** One process writes below `directory`. DATA_DIR_IN_USE names the process that does. A crash leaves nothing to clean up by hand. */
export async function lockDataDir(directory: string): Promise<DataLock> {
  const own = await ownName();
  const path = join(directory, own);
  await putDown(path, directory);
  try {
    for (const name of await readdir(directory)) {
      if (name === own || !LOCK_NAME.test(name)) continue;
      if (await isHeld(name)) throw inUse(directory, name);
      await rm(join(directory, name), { force: true });
    }
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return { release: () => rm(path, { force: true }) };
}

async function putDown(path: string, directory: string): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    const handle = await open(path, flags, 0o600);
    await handle.close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw inUse(directory, path);
    throw asDockError(error, 'CUSTODY_UNWRITABLE', `${directory} cannot be locked`);
  }
}

async function isHeld(name: string): Promise<boolean> {
  const [, boot, pid, startedAt] = LOCK_NAME.exec(name) ?? [];
  if (boot !== (await bootOf())) return false;
  const process = await processOf(Number(pid));
  return process === 'hidden' || process === startedAt;
}

async function ownName(): Promise<string> {
  const startedAt = await processOf(process.pid);
  return `lock-${await bootOf()}-${process.pid}-${startedAt ?? 0}`;
}

async function bootOf(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).slice(0, 8);
}

/** Its start time in clock ticks; undefined when it is gone, or is dead and only waits for its parent. */
async function processOf(pid: number): Promise<string | undefined> {
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return isHidden(pid) ? 'hidden' : undefined;
  }
  // The second field is the command in brackets, which may hold spaces and brackets.
  const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return /[ZXx]/.test(state) ? undefined : fields[18];
}

/** Alive, and of another account that /proc does not show. */
function isHidden(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function inUse(directory: string, name: string): DockError {
  const pid = /-([1-9][0-9]*)-[0-9]+$/.exec(name)?.[1] ?? 'unknown';
  return new DockError('DATA_DIR_IN_USE', `process ${pid} already works in ${directory}`, {
    action: 'Stop the other dock, or give this one a data directory of its own.',
  });
}

import { open, readFile } from 'node:fs/promises';

/** The highest resident memory of a process so far. */
export async function peakBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** A clip of zeros that takes no room on the disk. */
export async function emptyClip(path: string, sizeBytes: number): Promise<string> {
  const file = await open(path, 'w');
  await file.truncate(sizeBytes);
  await file.close();
  return path;
}

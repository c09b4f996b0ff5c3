import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

export interface Sought {
  readonly name: string;
  /** Eight bytes or more. */
  readonly bytes: Uint8Array;
}

/** `FILE has NAME` for every file below the folder that holds one of the byte strings anywhere. */
export async function findBytes(folder: string, sought: readonly Sought[]): Promise<string[]> {
  const index = new Map<number, Sought[]>();
  const isFirst = new Uint8Array(65_536);
  for (const each of sought) {
    const bytes = Buffer.from(each.bytes);
    isFirst[bytes.readUInt16LE(0)] = 1;
    const start = bytes.readUInt32LE(0);
    index.set(start, [...(index.get(start) ?? []), each]);
  }
  const found: string[] = [];
  for (const path of await filesBelow(folder)) {
    const bytes = await readFile(path);
    for (const { name } of search(bytes, index, isFirst)) {
      found.push(`${relative(folder, path)} has ${name}`);
    }
  }
  return found;
}

function search(
  bytes: Buffer,
  index: ReadonlyMap<number, readonly Sought[]>,
  isFirst: Uint8Array,
): Set<Sought> {
  const found = new Set<Sought>();
  for (let at = 0; at + 8 <= bytes.length; at++) {
    const first = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
    if (isFirst[first] === 0) continue;
    for (const each of index.get(bytes.readUInt32LE(at)) ?? []) {
      const end = at + each.bytes.length;
      if (bytes.subarray(at, end).equals(each.bytes)) found.add(each);
    }
  }
  return found;
}

export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
}

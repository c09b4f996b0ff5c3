import { randomFillSync } from 'node:crypto';
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';

const FILL_BYTES = 16 * 1024 * 1024;

/** Bytes of a clip in order. Each block is the taker's until it asks for the next. */
export type Source = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export function randomBlock(sizeBytes: number): Uint8Array {
  return randomFillSync(new Uint8Array(sizeBytes));
}

/** The same block over and over. */
export function* memorySource(block: Uint8Array, bytes: number): Generator<Uint8Array> {
  for (let left = bytes; left > 0; left -= block.length) {
    yield left < block.length ? block.subarray(0, left) : block;
  }
}

/** The same, and the event loop turns after every block, as it does where blocks come from outside. */
export async function* turnSource(block: Uint8Array, bytes: number): AsyncGenerator<Uint8Array> {
  for (const each of memorySource(block, bytes)) {
    yield each;
    await setImmediate();
  }
}

/** Reads one block ahead of its taker. */
export async function* fileSource(path: string, blockBytes: number): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  const buffers = [new Uint8Array(blockBytes), new Uint8Array(blockBytes)] as const;
  const read = async (turn: number) => {
    const buffer = turn % 2 === 0 ? buffers[0] : buffers[1];
    const { bytesRead } = await file.read(buffer, 0, blockBytes, turn * blockBytes);
    return buffer.subarray(0, bytesRead);
  };
  try {
    let next = read(0);
    for (let turn = 1; ; turn++) {
      const block = await next;
      if (block.length === 0) return;
      next = read(turn);
      yield block;
    }
  } finally {
    await file.close();
  }
}

/** Random bytes, which end up in the page cache. */
export function writeRandomFile(path: string, bytes: number): void {
  const fd = openSync(path, 'wx', 0o600);
  const buffer = new Uint8Array(FILL_BYTES);
  try {
    for (let left = bytes; left > 0; left -= FILL_BYTES) {
      randomFillSync(buffer);
      writeSync(fd, buffer, 0, Math.min(left, FILL_BYTES));
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

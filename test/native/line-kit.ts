import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { NativeFrameReader } from '../../src/adapters/native/native-frame-reader.ts';
import { FrameDecoder } from '../../src/core/link/decoder.ts';
import { FRAME_TYPE, type Frame } from '../../src/core/link/frame.ts';
import type { DataArrival, FrameNews } from '../../src/ports/frame-reader.ts';
import type { Kit } from './kit.ts';

/** A line made of a named pipe, read by the native reader. */
export interface PipeLine {
  readonly reader: NativeFrameReader;
  readonly arrivals: (Frame | DataArrival)[];
  news: FrameNews;
  readonly newsCount: number;
  /** Resolves when the reader has heard all that was ever written. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when the condition holds after some news. */
  until(condition: () => boolean): Promise<void>;
  /** Writes until the pipe is full, and nothing is taken meanwhile. How much that was. */
  fill(bytes: Uint8Array): number;
  /** Closes the writing side. */
  hangUp(): void;
  take(): void;
  close(): void;
}

/** Longer than the reader needs for a full pipe. */
const PAUSE_MS = 50;

function writeAll(fd: number, bytes: Uint8Array): number {
  for (let at = 0, pauses = 0; ; ) {
    try {
      at += fs.writeSync(fd, bytes, at, Math.min(bytes.length - at, 4096));
      pauses = 0;
    } catch {
      // The pipe is full.
      if (++pauses > 2) return at;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
    if (at === bytes.length) return at;
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
let pipes = 0;

export function openPipe(kit: Kit): PipeLine {
  const file = path.join(kit.folder, `pipe-${pipes++}`);
  execFileSync('mkfifo', [file]);
  const { O_RDONLY, O_WRONLY, O_NONBLOCK } = fs.constants;
  const fdIn = fs.openSync(file, O_RDONLY | O_NONBLOCK);
  const fd = fs.openSync(file, O_WRONLY | O_NONBLOCK);
  const counts = { news: 0, written: 0 };
  const reader = new NativeFrameReader(kit.native, fdIn, () => {
    counts.news++;
    line.take();
  });
  const line = {
    reader,
    arrivals: [] as (Frame | DataArrival)[],
    news: reader.take(),
    get newsCount() {
      return counts.news;
    },
    take: () => {
      line.news = reader.take();
      line.arrivals.push(...line.news.arrivals);
    },
    until: async (condition: () => boolean) => {
      while (!condition()) {
        await turn();
        line.take();
      }
    },
    write: async (bytes: Uint8Array) => {
      for (let at = 0; at < bytes.length; ) {
        const size = Math.min(bytes.length - at, 4096);
        at += fs.writeSync(fd, bytes, at, size);
        counts.written += size;
        await line.until(() => line.news.heardBytes === counts.written);
      }
    },
    fill: (bytes: Uint8Array) => {
      const size = writeAll(fd, bytes);
      counts.written += size;
      return size;
    },
    hangUp: () => fs.closeSync(fd),
    close: () => {
      reader.close();
      fs.closeSync(fd);
    },
  };
  // The reader has a descriptor of its own.
  fs.closeSync(fdIn);
  return line;
}

/** What a decoder yields, in a form that does not depend on how frames of DATA were told together. */
export interface Told {
  readonly others: readonly string[];
  readonly dataFrames: number;
  readonly dataBytes: number;
}

function tell(frames: readonly (Frame | DataArrival)[]): Told {
  const others: string[] = [];
  let [dataFrames, dataBytes] = [0, 0];
  for (const frame of frames) {
    if (!('payload' in frame)) {
      dataFrames += frame.frames;
      dataBytes += frame.sizeBytes;
    } else if (frame.type === FRAME_TYPE.DATA && frame.payload.length >= 4) {
      dataFrames++;
      dataBytes += frame.payload.length - 4;
    } else {
      const payload = Buffer.from(frame.payload).toString('hex');
      others.push(`${frame.type} ${frame.request} ${payload}`);
    }
  }
  return { others, dataFrames, dataBytes };
}

export function toldBy(line: PipeLine): Told {
  return tell(line.arrivals);
}

/** The decoder of the core, and what it says of the same bytes. */
export function refer(): { readonly decoder: FrameDecoder; told(): Told; discarded(): number } {
  const frames: Frame[] = [];
  let discarded = 0;
  const decoder = new FrameDecoder({
    frame: (frame) => frames.push({ ...frame, payload: frame.payload.slice() }),
    discarded: (sizeBytes) => {
      discarded += sizeBytes;
    },
  });
  return { decoder, told: () => tell(frames), discarded: () => discarded };
}

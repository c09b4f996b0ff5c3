import { fstatSync, fsyncSync, readSync, writeSync } from 'node:fs';
import type { FakeFiles } from './fake-sealer.ts';

/** Real files by their descriptors, as a vault opens them. */
export class DescriptorFiles implements FakeFiles {
  write(fd: number, bytes: Uint8Array): void {
    writeSync(fd, bytes);
  }

  sync(fd: number): void {
    fsyncSync(fd);
  }

  read(fd: number): Uint8Array {
    const bytes = new Uint8Array(fstatSync(fd).size);
    for (let done = 0; done < bytes.length; ) {
      done += readSync(fd, bytes, done, bytes.length - done, done);
    }
    return bytes;
  }
}

import type { FrameNews, FrameReader } from '../../ports/frame-reader.ts';
import type { NativeModule, ReaderHandle } from './loader.ts';

export class NativeFrameReader implements FrameReader {
  readonly #native: NativeModule;
  readonly #handle: ReaderHandle;

  constructor(native: NativeModule, fd: number, onNews: () => void) {
    this.#native = native;
    this.#handle = native.openReader(fd, onNews);
  }

  expect(request: number, window: Uint8Array): void {
    this.#native.expectData(this.#handle, request, window);
  }

  forget(request: number): void {
    this.#native.forgetData(this.#handle, request);
  }

  take(): FrameNews {
    return this.#native.takeArrivals(this.#handle);
  }

  close(): void {
    this.#native.closeReader(this.#handle);
  }
}

import { DockError } from '../../src/core/errors.ts';
import type { StateCache } from '../../src/ports/state-cache.ts';

/** Keeps what JSON keeps, as a file would. */
export class FakeStateCache implements StateCache {
  text: string | undefined;
  saves = 0;
  /** Fault switch: every save fails while it is set. */
  failSave = false;

  async load(): Promise<unknown> {
    return this.text === undefined ? undefined : (JSON.parse(this.text) as unknown);
  }

  async save(value: unknown): Promise<void> {
    if (this.failSave) throw new DockError('DURABLE_WRITE_FAILED', 'the fake cache fails saves');
    this.text = JSON.stringify(value);
    this.saves += 1;
  }
}

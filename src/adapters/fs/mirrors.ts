import { join } from 'node:path';
import { parseUtf8, utf8 } from '../../core/bytes.ts';
import { isDockError } from '../../core/errors.ts';
import type { DockId } from '../../core/evidence/clip.ts';
import type { CustodyStore } from '../../ports/custody-store.ts';
import type { Mirrors } from '../../ports/witness.ts';
import { FsCustodyStore } from './custody-store.ts';
import { createDirectory, createFile, readIfPresent } from './durable-file.ts';

/** `<site>/<dock>/custody` as a dock has it, and beside it `conflict.note`, if there ever was one. */
export class FsMirrors implements Mirrors {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  storeOf(dock: DockId): CustodyStore {
    return new FsCustodyStore(join(this.#folderOf(dock), 'custody'));
  }

  async keepConflict(dock: DockId, note: string): Promise<void> {
    const folder = this.#folderOf(dock);
    await createDirectory(folder);
    try {
      await createFile(join(folder, 'conflict.note'), utf8(note));
    } catch (error) {
      if (!isDockError(error, 'VAULT_EXISTS')) throw error;
    }
  }

  async conflictOf(dock: DockId): Promise<string | undefined> {
    const bytes = await readIfPresent(join(this.#folderOf(dock), 'conflict.note'));
    return bytes === undefined ? undefined : parseUtf8(bytes);
  }

  /** A dock's id is two names of `[a-z0-9-]`. */
  #folderOf(dock: DockId): string {
    return join(this.#directory, dock);
  }
}

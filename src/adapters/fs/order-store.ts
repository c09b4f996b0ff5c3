import { join } from 'node:path';
import { parseUtf8, utf8 } from '../../core/bytes.ts';
import type { ClipId } from '../../core/evidence/clip.ts';
import type { OrderStore } from '../../ports/order-store.ts';
import { createDirectory, readIfPresent, replaceFile, sweepTemporaries } from './durable-file.ts';

const ORDERS_FOLDER = 'orders';
const CERTIFICATES_FOLDER = 'certificates';
const COUNTER_DIGITS = 10;

/** `orders/<counter>.note`, `orders/<counter>.receipt`, `orders/roles.note`, `orders/roles-<version>.note` and `certificates/<clip>.note` below the data folder. */
export class FsOrderStore implements OrderStore {
  readonly #orders: string;
  readonly #certificates: string;

  constructor(dataDir: string) {
    this.#orders = join(dataDir, ORDERS_FOLDER);
    this.#certificates = join(dataDir, CERTIFICATES_FOLDER);
  }

  async start(): Promise<void> {
    for (const folder of [this.#orders, this.#certificates]) {
      await createDirectory(folder);
      await sweepTemporaries(folder);
    }
  }

  async putOrder(counter: number, note: string): Promise<void> {
    await replaceFile(this.#pathOf(counter, 'note'), utf8(note));
  }

  async putReceipt(counter: number, receipt: string): Promise<void> {
    await replaceFile(this.#pathOf(counter, 'receipt'), utf8(receipt));
  }

  async readReceipt(counter: number): Promise<string | undefined> {
    return await readText(this.#pathOf(counter, 'receipt'));
  }

  async putRoles(note: string): Promise<void> {
    // Who verifies an old order must know who could sign it then.
    const [, version = '0'] = /\nversion (\d{1,10})\n/.exec(note) ?? [];
    const name = `roles-${version.padStart(COUNTER_DIGITS, '0')}.note`;
    await replaceFile(join(this.#orders, name), utf8(note));
    await replaceFile(join(this.#orders, 'roles.note'), utf8(note));
  }

  async readRoles(): Promise<string | undefined> {
    return await readText(join(this.#orders, 'roles.note'));
  }

  async putCertificate(clip: ClipId, note: string): Promise<void> {
    await replaceFile(join(this.#certificates, `${clip}.note`), utf8(note));
  }

  async readCertificate(clip: ClipId): Promise<string | undefined> {
    return await readText(join(this.#certificates, `${clip}.note`));
  }

  #pathOf(counter: number, ending: string): string {
    return join(this.#orders, `${String(counter).padStart(COUNTER_DIGITS, '0')}.${ending}`);
  }
}

async function readText(path: string): Promise<string | undefined> {
  const bytes = await readIfPresent(path);
  return bytes === undefined ? undefined : parseUtf8(bytes);
}

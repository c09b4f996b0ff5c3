import { randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type StartedCamera,
  type StartOptions,
  startCamera,
} from '../../firmware-bridge/sim/provision.ts';
import * as ref from '../vectors/link/reference.ts';
import { type DockKeys, LinkClient, TYPE } from './link-client.ts';

export const KEYS: DockKeys = {
  dock: 'leeds-north/dock-1',
  link: ref.keyFromSeed(Buffer.alloc(32, 1)),
  receipt: ref.keyFromSeed(Buffer.alloc(32, 2)),
};
export const FOREIGN: DockKeys = { ...KEYS, receipt: ref.keyFromSeed(Buffer.alloc(32, 3)) };
export const SERIAL = 'CAM-0001';

/** One simulated camera in a folder of its own. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'docket-camera-'));
  readonly link = join(this.folder, 'bay-1');
  readonly store = join(this.folder, 'store');
  readonly #docks = join(this.folder, 'docks.json');
  #camera: StartedCamera | undefined;

  get camera(): StartedCamera {
    if (this.#camera === undefined) throw new Error('the camera is not running');
    return this.#camera;
  }

  /** A file for the camera to take, with bytes that repeat nowhere. */
  file(name: string, sizeBytes: number): string {
    const path = join(this.folder, name);
    writeFileSync(path, randomFillSync(Buffer.alloc(sizeBytes)));
    return path;
  }

  async start(options: Partial<StartOptions> = {}): Promise<void> {
    const { link, store } = this;
    this.#camera = startCamera({ link, store, serial: SERIAL, docks: this.#docks, ...options });
    await this.camera.next('ready');
  }

  pair(...docks: readonly DockKeys[]): void {
    const hex = (key: ref.Key) => key.publicKey.toString('hex');
    const paired = (docks.length > 0 ? docks : [KEYS]).map(({ dock, link, receipt }) => {
      return { dock, linkKey: hex(link), receiptKey: hex(receipt) };
    });
    writeFileSync(this.#docks, JSON.stringify(paired));
  }

  /** Opens the line and proves itself. */
  async dock(): Promise<LinkClient> {
    const client = new LinkClient(this.link);
    const { answer } = await client.dock(KEYS);
    if (answer.type !== TYPE.PROVED)
      throw new Error('the camera did not take the dock for genuine');
    return client;
  }

  /** Closes the line and waits until the camera has noticed. */
  async leave(client: LinkClient): Promise<void> {
    if (client.isClosed) return;
    const lost = this.camera.next('line-lost');
    await client.close();
    await lost;
  }

  /** The order is obeyed before the next one is read: a harmless order's answer shows it. */
  async order(line: string): Promise<void> {
    const obeyed = this.camera.next('order-failed');
    this.camera.send(line);
    this.camera.send('say-so');
    await obeyed;
  }

  async stop(): Promise<void> {
    await this.#camera?.stop();
    this.#camera = undefined;
  }

  async end(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

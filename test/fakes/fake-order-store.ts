import type { ClipId } from '../../src/core/evidence/clip.ts';
import type { OrderStore } from '../../src/ports/order-store.ts';
import { Power } from './power.ts';

/** Keeps its texts across restarts of the dock: give the same one to the next run, with that run's power. */
export class FakeOrderStore implements OrderStore {
  readonly texts = new Map<string, string>();
  power = new Power();

  async start(): Promise<void> {
    this.power.check();
  }

  async putOrder(counter: number, note: string): Promise<void> {
    this.#put(`${counter}.note`, note);
  }

  async putReceipt(counter: number, receipt: string): Promise<void> {
    this.#put(`${counter}.receipt`, receipt);
  }

  async readReceipt(counter: number): Promise<string | undefined> {
    return this.#read(`${counter}.receipt`);
  }

  async putRoles(note: string): Promise<void> {
    this.#put('roles', note);
  }

  async readRoles(): Promise<string | undefined> {
    return this.#read('roles');
  }

  async putCertificate(clip: ClipId, note: string): Promise<void> {
    this.#put(clip, note);
  }

  async readCertificate(clip: ClipId): Promise<string | undefined> {
    return this.#read(clip);
  }

  #put(name: string, text: string): void {
    this.power.check();
    this.texts.set(name, text);
    this.power.effect('order-store');
  }

  #read(name: string): string | undefined {
    this.power.check();
    return this.texts.get(name);
  }
}

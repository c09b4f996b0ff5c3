import { Witness } from '../../src/app/witness.ts';
import { ed25519Key, type NoteSigner } from '../../src/core/custody/note.ts';
import type { DockId } from '../../src/core/evidence/clip.ts';
import type { CustodyStore } from '../../src/ports/custody-store.ts';
import type { Mirrors, WitnessBus } from '../../src/ports/witness.ts';
import { testCrypto } from '../core/custody/keys.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeCustodyDisk, FakeCustodyStore } from './fake-custody-store.ts';
import { FakeLogger } from './fake-logger.ts';
import type { FakeStatusBroker } from './fake-status-broker.ts';

type Said = Parameters<WitnessBus['say']>[0];

/** A bus without a broker: `put` brings a message to the witness, and `said` is what it answered. */
export class FakeWitnessBus implements WitnessBus {
  readonly connected = true;
  readonly said: Said[] = [];
  onSaid: (said: Said) => void = () => undefined;
  #onCheckpoint: (dock: DockId, payload: Uint8Array) => void = () => undefined;

  async start(onCheckpoint: (dock: DockId, payload: Uint8Array) => void): Promise<void> {
    this.#onCheckpoint = onCheckpoint;
  }

  put(dock: DockId, body: unknown): void {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    this.#onCheckpoint(dock, new TextEncoder().encode(text));
  }

  say(said: Said): void {
    this.said.push(said);
    this.onSaid(said);
  }

  onConnectedChange(): void {
    // It is always connected.
  }

  async stop(): Promise<void> {
    this.#onCheckpoint = () => undefined;
  }
}

export class FakeMirrors implements Mirrors {
  readonly disks = new Map<DockId, FakeCustodyDisk>();
  readonly conflicts = new Map<DockId, string>();
  /** The newest store of each dock, for its fault switches. */
  readonly stores = new Map<DockId, FakeCustodyStore>();

  storeOf(dock: DockId): CustodyStore {
    const disk = this.disks.get(dock) ?? new FakeCustodyDisk();
    this.disks.set(dock, disk);
    const store = new FakeCustodyStore(disk);
    this.stores.set(dock, store);
    return store;
  }

  async keepConflict(dock: DockId, note: string): Promise<void> {
    if (!this.conflicts.has(dock)) this.conflicts.set(dock, note);
  }

  async conflictOf(dock: DockId): Promise<string | undefined> {
    return this.conflicts.get(dock);
  }
}

/** The witness of the product on a fake bus and fake disks. */
export class FakeCentre {
  readonly bus = new FakeWitnessBus();
  readonly clock: FakeClock;
  readonly logger = new FakeLogger();
  readonly mirrors: FakeMirrors;
  readonly witness: Witness;
  /** False: the witness is there and hears nothing. */
  isListening = true;

  constructor(
    options: { signer: NoteSigner; logs: readonly NoteSigner[]; atMs?: number },
    mirrors = new FakeMirrors(),
  ) {
    const { signer, logs, atMs } = options;
    this.mirrors = mirrors;
    this.clock = new FakeClock(atMs);
    const keys = logs.map(({ name, publicKey }) => ed25519Key(name, publicKey));
    this.witness = new Witness({
      ...{ bus: this.bus, mirrors, signer, crypto: testCrypto },
      ...{ clock: this.clock, logger: this.logger },
      logKeyOf: async (origin) => keys.find(({ name }) => name === origin),
    });
    void this.witness.start();
  }

  /** The broker between them, which keeps what is retained. */
  join(dock: DockId, broker: FakeStatusBroker): void {
    broker.onPublish = (path, body) => {
      if (path === 'checkpoint' && this.isListening) this.bus.put(dock, body);
    };
    this.bus.onSaid = (said) => broker.say(said.path, said.body, said.retain);
    const kept = this.bus.said.filter((said) => said.dock === dock && said.retain).at(-1);
    if (kept !== undefined) broker.say(kept.path, kept.body, true);
  }
}

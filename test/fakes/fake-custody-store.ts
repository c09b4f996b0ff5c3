import { readCheckpointNote } from '../../src/core/custody/checkpoint.ts';
import { DockError } from '../../src/core/errors.ts';
import type { CustodyContents, CustodyStore } from '../../src/ports/custody-store.ts';
import { Power } from './power.ts';

/** The disk under a FakeCustodyStore: give it to a second store to see what a restart finds. */
export class FakeCustodyDisk {
  leaves: Uint8Array[] = [];
  checkpoints: string[] = [];
  cosigned: string[] = [];
  /** Bytes of a half-written append that the next open cuts off. */
  tornBytes = 0;
  isCorrupt = false;
  isOpen = false;
}

export class FakeCustodyStore implements CustodyStore {
  readonly disk: FakeCustodyDisk;
  /** Fault switches: each fails every call while it is set. */
  failAppend = false;
  failCheckpoint = false;
  /** Called after each durable effect; what it throws reaches the caller, as a crash would end it. */
  afterEffect: (effect: 'append' | 'checkpoint') => void = () => undefined;
  /** Shared with the other parts of a dock that lose power together. */
  power = new Power();
  #isOpen = false;

  constructor(disk: FakeCustodyDisk = new FakeCustodyDisk()) {
    this.disk = disk;
  }

  /** The process is gone: nothing was closed. */
  crash(): void {
    this.#isOpen = false;
    this.disk.isOpen = false;
  }

  async open(): Promise<CustodyContents> {
    this.power.check();
    if (this.disk.isOpen) throw new DockError('DATA_DIR_IN_USE', 'the fake disk is open');
    if (this.disk.isCorrupt) throw new DockError('CUSTODY_CORRUPT', 'the fake disk is corrupt');
    this.#isOpen = true;
    this.disk.isOpen = true;
    const { tornBytes } = this.disk;
    this.disk.tornBytes = 0;
    const leaves = this.disk.leaves.map((leaf) => leaf.slice());
    const cosigned = this.disk.cosigned.at(-1);
    const checkpoint = this.disk.checkpoints.at(-1);
    return { leaves, checkpoint, tornBytes, ...(cosigned === undefined ? {} : { cosigned }) };
  }

  async append(leaves: readonly Uint8Array[]): Promise<void> {
    this.#mustBeOpen();
    if (this.failAppend) throw new DockError('CUSTODY_UNWRITABLE', 'the fake disk fails appends');
    this.disk.leaves.push(...leaves.map((leaf) => leaf.slice()));
    if (leaves.length === 0) return;
    this.afterEffect('append');
    this.power.effect('append');
  }

  async putCheckpoint(note: string): Promise<void> {
    this.#mustBeOpen();
    readCheckpointNote(note);
    if (this.failCheckpoint) {
      throw new DockError('CUSTODY_UNWRITABLE', 'the fake disk fails checkpoints');
    }
    this.disk.checkpoints.push(note);
    this.afterEffect('checkpoint');
    this.power.effect('checkpoint');
  }

  async putCosigned(note: string): Promise<void> {
    this.#mustBeOpen();
    readCheckpointNote(note);
    if (this.failCheckpoint) {
      throw new DockError('CUSTODY_UNWRITABLE', 'the fake disk fails checkpoints');
    }
    this.disk.cosigned.push(note);
    this.power.effect('cosigned');
  }

  async readLeaves(from: number, to: number): Promise<readonly Uint8Array[]> {
    this.#mustBeOpen();
    return this.disk.leaves.slice(from, to).map((leaf) => leaf.slice());
  }

  async readCosigned(): Promise<readonly string[]> {
    this.#mustBeOpen();
    return [...this.disk.cosigned];
  }

  async close(): Promise<void> {
    if (this.#isOpen) this.disk.isOpen = false;
    this.#isOpen = false;
  }

  #mustBeOpen(): void {
    this.power.check();
    if (!this.#isOpen) throw new Error('assertion failed: the custody store is open');
  }
}

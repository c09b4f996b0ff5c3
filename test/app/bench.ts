import { ClipIndex } from '../../src/app/clip-index.ts';
import { CustodyLog } from '../../src/app/custody-log.ts';
import { Dock } from '../../src/app/dock.ts';
import type { DockDeps } from '../../src/app/dock-deps.ts';
import type { Evidence } from '../../src/app/evidence.ts';
import type { OrdersSetup } from '../../src/app/orders.ts';
import { TrustedClock } from '../../src/app/trusted-clock.ts';
import { type Entry, parseEntry } from '../../src/core/custody/entry.ts';
import type { VerifierKey } from '../../src/core/custody/note.ts';
import type { DockId } from '../../src/core/evidence/clip.ts';
import { TIME_POLICY } from '../../src/core/time/trusted-time.ts';
import { testCrypto, testSigner } from '../core/custody/keys.ts';
import { DescriptorFiles } from '../fakes/descriptor-files.ts';
import { FakeBoard } from '../fakes/fake-board.ts';
import { FakeStateCache } from '../fakes/fake-cache.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeCustodyDisk, FakeCustodyStore } from '../fakes/fake-custody-store.ts';
import { FakeCameraLink } from '../fakes/fake-link.ts';
import { FakeLogger } from '../fakes/fake-logger.ts';
import { FakeOrderStore } from '../fakes/fake-order-store.ts';
import { FakeRandom } from '../fakes/fake-random.ts';
import { FakeSealer, type FakeSealerFaults } from '../fakes/fake-sealer.ts';
import { FakeStatusBroker } from '../fakes/fake-status-broker.ts';
import { FakeVault } from '../fakes/fake-vault.ts';
import { Power } from '../fakes/power.ts';

export const DOCK = 'site-1/dock-1' as DockId;
export const SEGMENT_BYTES = 102_400;
export const KEYS = {
  link: testSigner(`${DOCK}/link`, 1),
  manifest: testSigner(`${DOCK}/manifest`, 2),
  log: testSigner(`${DOCK}/log`, 3),
  receipt: testSigner(`${DOCK}/receipt`, 4),
};
const BAYS = [1, 2, 3, 4];
const DAY_MS = 86_400_000;

/** One run of the dock, from its start until its stop or its crash. */
export interface Run {
  readonly dock: Dock;
  readonly evidence: Evidence;
  readonly store: FakeCustodyStore;
  readonly link: FakeCameraLink;
  readonly board: FakeBoard;
  readonly broker: FakeStatusBroker;
  readonly clock: FakeClock;
  readonly logger: FakeLogger;
  readonly sealerFaults: FakeSealerFaults;
  readonly power: Power;
}

/** A dock on fakes: what is durable stays here, and each run makes everything else anew. */
export class Bench {
  readonly custody = new FakeCustodyDisk();
  readonly cache = new FakeStateCache();
  vault = new FakeVault();
  /** Of the witness, for docks that have one. */
  witness: VerifierKey | undefined;
  /** For docks that take orders: who may sign them. */
  authority: Omit<OrdersSetup, 'store'> = {};
  readonly orderStore = new FakeOrderStore();
  runs = 0;
  /** Of every run from now on. */
  settings: Pick<DockDeps, 'ingestsMax' | 'cameraClockOffsetMsMax'> = {};
  #atMs = Date.UTC(2030, 0, 1);

  /** A dock whose `start` has not been called. */
  compose(power = new Power()): Run {
    this.runs += 1;
    this.#atMs += DAY_MS;
    const clock = new FakeClock(this.#atMs);
    const logger = new FakeLogger();
    const random = new FakeRandom(this.runs);
    const store = new FakeCustodyStore(this.custody);
    store.power = power;
    this.vault.power = power;
    this.orderStore.power = power;
    const sealerFaults: FakeSealerFaults = {};
    const evidence = this.#evidence({ clock, logger, random, store, sealerFaults });
    const parts = {
      link: new FakeCameraLink(),
      board: new FakeBoard(),
      broker: new FakeStatusBroker(),
    };
    power.onCut = () => parts.link.unplugAll();
    const dock = new Dock({
      witness: this.witness,
      orders: { store: this.orderStore, ...this.authority },
      ...{ evidence, ...parts, bays: BAYS, version: '0.1.0', retentionDays: 60 },
      ...this.settings,
      description: {
        ...{ schema: 1, dock: DOCK, board: 'fake', bays: BAYS, recipients: 2, keys: {} },
        ...{ recipientsSha256: '', software: 'docket', version: '0.1.0' },
      },
    });
    return { dock, evidence, store, ...parts, clock, logger, sealerFaults, power };
  }

  async start(power = new Power()): Promise<Run> {
    const run = this.compose(power);
    await run.dock.start();
    return run;
  }

  /** The process is gone, and nothing was closed. */
  crash(run: Run): void {
    run.power.cut();
    run.store.crash();
    this.vault = this.vault.restart();
  }

  async stop(run: Run): Promise<void> {
    await run.dock.stop();
    this.vault = this.vault.restart();
  }

  dispose(): void {
    this.vault.dispose();
  }

  get entries(): readonly Entry[] {
    return this.custody.leaves.map((leaf) => parseEntry(leaf).entry);
  }

  entriesOf<K extends Entry['kind']>(kind: K): readonly Extract<Entry, { kind: K }>[] {
    return this.entries.filter((entry) => entry.kind === kind) as Extract<Entry, { kind: K }>[];
  }

  get kinds(): readonly string[] {
    return this.entries.map((entry) => entry.kind);
  }

  #evidence({
    sealerFaults,
    store,
    ...parts
  }: Pick<Run, 'clock' | 'logger' | 'sealerFaults' | 'store'> & { random: FakeRandom }): Evidence {
    const boot = this.runs.toString(16).padStart(8, '0');
    const { clock, logger } = parts;
    const sealer = new FakeSealer({ files: new DescriptorFiles(), faults: sealerFaults });
    return {
      ...parts,
      ...{ dock: DOCK, vault: this.vault, sealer, keys: KEYS, crypto: testCrypto, boot },
      time: new TrustedClock(clock, TIME_POLICY),
      ...{ index: new ClipIndex(), software: 'docket/0.1.0', segmentBytes: SEGMENT_BYTES },
      custody: new CustodyLog({
        ...{ store, cache: this.cache, logKey: KEYS.log, crypto: testCrypto, clock, logger, boot },
      }),
    };
  }
}

/** Lets everything run that waits for nothing but its turn. Time stands. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** Lets time pass, one wait after the other, until it holds. */
export async function until(run: Run, holds: () => boolean, why = 'it holds'): Promise<void> {
  for (let step = 0; step < 400; step++) {
    for (let turn = 0; turn < 40; turn++) {
      if (holds()) return;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    await run.clock.advance(run.clock.waitingMs[0] ?? 1);
  }
  const trail = run.logger.lines.slice(-12).map((line) => JSON.stringify(line));
  throw new Error(`it never came to pass that ${why}\n${trail.join('\n')}`);
}

export function bytesOf(sizeBytes: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, index) => ((index + seed) * 7919) >>> 5);
}

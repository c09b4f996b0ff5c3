import type { AlarmCode } from '../core/dock/alarms.ts';
import type { BayInput, BayState } from '../core/dock/bay-state.ts';
import { DockError, dispositionOf, type ErrorCode, isDockError } from '../core/errors.ts';
import type { ClipRecord } from '../core/evidence/clip.ts';
import type { CameraInventory, CameraSession } from '../ports/camera-link.ts';
import { hasRoom } from './admission.ts';
import type { Alarms } from './alarms.ts';
import { CameraClock } from './camera-clock.ts';
import type { Evidence } from './evidence.ts';
import type { IngestQueue, IngestWish } from './ingest-queue.ts';
import { readInventory, recordGaps, recordRefused } from './inventory.ts';
import { placeHold } from './place-hold.ts';
import { ClipTaker } from './take-clip.ts';

export interface VisitDeps {
  readonly evidence: Evidence;
  readonly session: CameraSession;
  readonly bay: number;
  readonly signal: AbortSignal;
  readonly alarms: Alarms;
  readonly queue: IngestQueue;
  /** A camera's clock that was off by more is an alarm. */
  readonly cameraClockOffsetMsMax: number;
  readonly input: (input: BayInput) => void;
  readonly state: () => BayState;
  readonly onEvent: (kind: string, body: Readonly<Record<string, string | number>>) => void;
  /** Why the dock takes no clips, if it does not. */
  readonly halted: () => AlarmCode | undefined;
  /** Refusals that are entries already, by the bay's whole run: a camera that stays, or comes back, is not recorded anew. */
  readonly refusals: Set<string>;
  /** The camera got on: what failed before no longer counts. */
  readonly onAdvance: () => void;
}

/** How often a camera that stays is asked whether it has something new. */
const INVENTORY_PERIOD_MS = 10_000;
const FULL_RETRY_MS = 15_000;
const CLIP_TRIES_MAX = 3;
const CLIP_RETRY_MS = 500;

/** One camera's stay in a bay, from its proof of identity until it is taken out. */
export class CameraVisit {
  readonly #deps: VisitDeps;
  readonly #taker: ClipTaker;
  readonly #clock: CameraClock;
  readonly #tries = new Map<number, number>();
  readonly #setAside = new Map<number, DockError>();
  /** Undefined until the camera said what it has. */
  #inventory: CameraInventory | undefined;
  #holding: Promise<void> = Promise.resolve();

  constructor(deps: VisitDeps) {
    this.#deps = deps;
    this.#clock = new CameraClock(deps);
    this.#taker = new ClipTaker({
      ...deps,
      inTurn: (record, work) => deps.queue.run(this.#wishFor(record), work),
      clockOffsetOf: (counter) => this.#clock.offsetOf(counter),
    });
  }

  /** Returns when the camera was taken out; throws what a retry or a person must mend. */
  async run(): Promise<void> {
    const { session, input, halted } = this.#deps;
    const { serial, lastCounter } = session;
    input({ kind: 'hello', serial, lastCounter });
    if (halted() === undefined) {
      await this.#clock.set();
      input({ kind: 'resumed' });
    }
    for (;;) {
      const inventory = await this.#list();
      const code = halted();
      if (code !== undefined) {
        input({ kind: 'waiting', code });
        // The clock of recordings that stay is left as it is: a dock without a log could not say how wrong it was.
        if (inventory.records.length === 0 && !this.#clock.isSet) await this.#clock.setOnly();
        return await this.#untilTakenOut();
      }
      await this.#takeAll(inventory);
      if (halted() !== undefined) continue;
      await this.placeHolds();
      this.#throwIfSetAside();
      if (await this.#isTakenOut(INVENTORY_PERIOD_MS)) return;
    }
  }

  /** Places the holds that an officer or the camera asked for, of clips that are in the vault. Calls wait for one another. */
  placeHolds(): Promise<void> {
    this.#holding = this.#holding.then(async () => {
      if (this.#inventory === undefined) return;
      for (const counter of this.#deps.state().holdsWanted) {
        await placeHold(this.#deps, counter, this.#inventory.records);
      }
    });
    return this.#holding;
  }

  async #list(): Promise<CameraInventory> {
    const { session, signal, input, halted } = this.#deps;
    const isFirst = this.#inventory === undefined;
    const look = await this.#clock.look();
    const inventory = readInventory(await session.records(signal));
    if (halted() === undefined) {
      if (look !== undefined) await this.#clock.mark(look.offsetMs, highestOf(inventory));
      await recordGaps(this.#deps, inventory);
      await recordRefused(this.#deps, inventory);
      if (isFirst) await this.#taker.confirmReleases(inventory);
    }
    input({
      kind: 'inventory',
      clips: inventory.records.map((record) => ({
        counter: record.counter,
        sizeBytes: record.sizeBytes,
        incident: record.incident && !this.#isHeld(record),
      })),
      refusedCount: inventory.refused.length,
    });
    this.#inventory = inventory;
    return inventory;
  }

  /** A clip that keeps failing is set aside, so that it does not keep the others out of the vault. */
  async #takeAll({ records }: CameraInventory): Promise<void> {
    const { queue, bay } = this.#deps;
    if (records.length === 0) return;
    queue.join(bay);
    try {
      await this.#takeEach(records);
    } finally {
      queue.leave(bay);
    }
  }

  async #takeEach(records: readonly ClipRecord[]): Promise<void> {
    const { halted, onAdvance } = this.#deps;
    const left = new Map(records.map((record) => [record.counter, record]));
    while (left.size > 0 && halted() === undefined) {
      const record = this.#next([...left.values()]);
      try {
        await this.#taker.take(record);
        left.delete(record.counter);
        onAdvance();
      } catch (error) {
        if (isDockError(error, 'VAULT_FULL')) await this.#untilRoom(record);
        else if (!isOfClip(error)) throw error;
        else if (await this.#isSetAside(record, error)) left.delete(record.counter);
      }
    }
  }

  /** Incidents first, then the oldest. */
  #next(records: readonly ClipRecord[]): ClipRecord {
    return records.reduce((best, record) => {
      const isUrgent = this.#isUrgent(record);
      if (isUrgent !== this.#isUrgent(best)) return isUrgent ? record : best;
      return record.counter < best.counter ? record : best;
    });
  }

  #isUrgent({ incident, counter }: ClipRecord): boolean {
    return incident || this.#deps.state().holdsWanted.includes(counter);
  }

  #wishFor(record: ClipRecord): IngestWish {
    const { session, signal, bay } = this.#deps;
    const { counter, clockQuality } = record;
    const startedAtMs =
      clockQuality === 'unset'
        ? undefined
        : record.startedAtMs - (this.#clock.offsetOf(counter) ?? 0);
    const clip = () => ({ bay, counter, startedAtMs, incident: this.#isUrgent(record) });
    return { clip, signal, closed: session.closed };
  }

  /** The bay waits, and its light stays, until there is room. */
  async #untilRoom(record: ClipRecord): Promise<void> {
    const { input, evidence, halted, queue, bay } = this.#deps;
    input({ kind: 'failed', code: 'VAULT_FULL' });
    queue.leave(bay);
    do {
      if (await this.#isTakenOut(FULL_RETRY_MS)) {
        throw new DockError('LINK_CLOSED', 'the camera was taken out while the vault was full');
      }
      if (halted() !== undefined) return;
    } while (!(await hasRoom(evidence, record.sizeBytes)));
    queue.join(bay);
    input({ kind: 'resumed' });
  }

  async #isSetAside({ counter }: ClipRecord, error: DockError): Promise<boolean> {
    const { evidence, bay, signal, session, refusals } = this.#deps;
    const { code } = error;
    const tries = (this.#tries.get(counter) ?? 0) + 1;
    this.#tries.set(counter, tries);
    evidence.logger.warn('clip-failed', { bay, counter, code, tries, why: error.message });
    // The same receipt meets the same answer.
    if (code !== 'RECEIPT_REFUSED' && tries < CLIP_TRIES_MAX) {
      await evidence.clock.delay(CLIP_RETRY_MS * tries, signal);
      return false;
    }
    this.#setAside.set(counter, error);
    const key = `${session.serial} ${counter} ${code}`;
    if (code !== 'RECEIPT_REFUSED' && !refusals.has(key)) {
      refusals.add(key);
      await evidence.custody.append([{ kind: 'clip-refused', counter, reason: code }]);
    }
    return true;
  }

  /** Everything that could be taken is in the vault now; a person must look at the rest. */
  #throwIfSetAside(): void {
    const [error] = this.#setAside.values();
    if (error === undefined) return;
    if (error.code !== 'CAMERA_REFUSED') throw error;
    throw new DockError('CAMERA_FULL_OF_ERRORS', 'the camera refused a clip again and again', {
      cause: error,
    });
  }

  #isHeld(record: ClipRecord): boolean {
    const { custody, index } = this.#deps.evidence;
    const known = index.find(record);
    return known !== undefined && custody.state.clips.get(known.clip)?.held === true;
  }

  async #untilTakenOut(): Promise<void> {
    while (!(await this.#isTakenOut(INVENTORY_PERIOD_MS)));
  }

  /** Rejects when the dock stops. */
  async #isTakenOut(withinMs: number): Promise<boolean> {
    const { session, evidence, signal } = this.#deps;
    const over = new AbortController();
    const wait = evidence.clock.delay(withinMs, AbortSignal.any([signal, over.signal]));
    const isOver = wait.then(() => false);
    try {
      return await Promise.race([session.closed.then(() => true), isOver]);
    } finally {
      over.abort(new Error('the wait is over'));
      await Promise.allSettled([isOver]);
    }
  }
}

function highestOf({ records }: CameraInventory): number {
  return records.at(-1)?.counter ?? 0;
}

const OF_CLIP: readonly ErrorCode[] = ['CAMERA_REFUSED', 'RECEIPT_REFUSED'];

/** What is wrong with one clip, and leaves line and dock as they were. */
function isOfClip(error: unknown): error is DockError {
  if (!isDockError(error) || error.code === 'CANCELLED') return false;
  const disposition = dispositionOf(error.code);
  return disposition === 'quarantine' || disposition === 'reject' || OF_CLIP.includes(error.code);
}

import { formatHex, utf8 } from '../core/bytes.ts';
import type { AlarmCode } from '../core/dock/alarms.ts';
import type { BayInput, BayState } from '../core/dock/bay-state.ts';
import { decide } from '../core/dock/decide.ts';
import { hasGap } from '../core/dock/state.ts';
import { DockError, isDockError } from '../core/errors.ts';
import type { ClipRecord } from '../core/evidence/clip.ts';
import { findCounterGaps } from '../core/evidence/gaps.ts';
import type { CameraInventory, CameraSession } from '../ports/camera-link.ts';
import type { Alarms } from './alarms.ts';
import type { IndexedClip } from './clip-index.ts';
import type { Evidence } from './evidence.ts';
import { ingestClip } from './ingest.ts';
import { makeReceipt } from './receipts.ts';
import { readVerifiedManifest } from './recover.ts';

export interface VisitDeps {
  readonly evidence: Evidence;
  readonly session: CameraSession;
  readonly bay: number;
  readonly signal: AbortSignal;
  readonly alarms: Alarms;
  readonly input: (input: BayInput) => void;
  readonly state: () => BayState;
  readonly onEvent: (kind: string, body: Readonly<Record<string, string | number>>) => void;
  /** Why the dock takes no clips, if it does not. */
  readonly halted: () => AlarmCode | undefined;
}

/** How often a camera that stays is asked whether it has something new. */
const INVENTORY_PERIOD_MS = 10_000;
const FULL_RETRY_MS = 15_000;
const REFUSALS_MAX = 3;

/** One camera's stay in a bay, from its proof of identity until it is taken out. */
export class CameraVisit {
  readonly #deps: VisitDeps;
  #inventory: CameraInventory = { records: [], refused: [] };
  #cameraClockOffsetMs: number | undefined;
  #refusals = 0;
  #refusedRecorded = 0;
  #holding: Promise<void> = Promise.resolve();

  constructor(deps: VisitDeps) {
    this.#deps = deps;
  }

  /** Returns when the camera was taken out; throws what a retry or a person must mend. */
  async run(): Promise<void> {
    const { session, input, evidence, signal } = this.#deps;
    const { serial, lastCounter } = session;
    input({ kind: 'hello', serial, lastCounter });
    this.#cameraClockOffsetMs = await session.setClock(evidence.clock.nowMs(), signal);
    input({ kind: 'clock-set' });
    for (;;) {
      await this.#list();
      const code = this.#deps.halted();
      if (code !== undefined) {
        input({ kind: 'waiting', code });
        return await session.closed;
      }
      await this.#takeAll();
      await this.placeHolds();
      if (await this.#isTakenOut(INVENTORY_PERIOD_MS)) return;
    }
  }

  /** Places the holds that an officer or the camera asked for, of clips that are in the vault. Calls wait for one another. */
  placeHolds(): Promise<void> {
    this.#holding = this.#holding.then(async () => {
      for (const counter of this.#deps.state().holdsWanted) await this.#hold(counter);
    });
    return this.#holding;
  }

  async #list(): Promise<void> {
    const { session, signal, input } = this.#deps;
    this.#inventory = await session.records(signal);
    const { records, refused } = this.#inventory;
    if (this.#deps.halted() === undefined) {
      await this.#recordGaps();
      await this.#recordRefused();
    }
    const isKnownHeld = (record: ClipRecord): boolean => this.#statusOf(record)?.held === true;
    input({
      kind: 'inventory',
      clips: records.map((record) => ({
        counter: record.counter,
        sizeBytes: record.sizeBytes,
        incident: record.incident && !isKnownHeld(record),
      })),
      refusedCount: refused.length,
    });
  }

  async #takeAll(): Promise<void> {
    const left = new Map(this.#inventory.records.map((record) => [record.counter, record]));
    while (left.size > 0) {
      const record = this.#next([...left.values()]);
      try {
        await this.#take(record);
        left.delete(record.counter);
      } catch (error) {
        if (!isDockError(error) || !(await this.#mayRetry(error))) throw error;
      }
    }
  }

  /** Incidents first, then the oldest. */
  #next(records: readonly ClipRecord[]): ClipRecord {
    const wanted = new Set(this.#deps.state().holdsWanted);
    const isUrgent = (record: ClipRecord): boolean => record.incident || wanted.has(record.counter);
    return records.reduce((best, record) => {
      if (isUrgent(record) !== isUrgent(best)) return isUrgent(record) ? record : best;
      return record.counter < best.counter ? record : best;
    });
  }

  async #mayRetry(error: DockError): Promise<boolean> {
    const { input, evidence, signal } = this.#deps;
    if (error.code === 'VAULT_FULL') {
      input({ kind: 'failed', code: error.code });
      if (await this.#isTakenOut(FULL_RETRY_MS)) {
        throw new DockError('LINK_CLOSED', 'the camera was taken out while the vault was full');
      }
      input({ kind: 'resumed' });
      return true;
    }
    if (error.code !== 'CAMERA_REFUSED') return false;
    this.#refusals += 1;
    if (this.#refusals < REFUSALS_MAX) {
      await evidence.clock.delay(this.#refusals * 500, signal);
      return true;
    }
    throw new DockError('CAMERA_FULL_OF_ERRORS', `the camera refused ${this.#refusals} requests`, {
      cause: error,
    });
  }

  async #take(record: ClipRecord): Promise<void> {
    const { evidence, input } = this.#deps;
    const known = evidence.index.find(record);
    if (known === undefined) return await this.#ingest(record);
    const manifest = await this.#knownManifest(record, known);
    if (manifest === undefined) {
      input({ kind: 'clip-quarantined', counter: record.counter });
      return;
    }
    const receipt = await makeReceipt(evidence, manifest);
    input({ kind: 'clip-vaulted', counter: record.counter });
    await this.#release(record, { known, receipt });
  }

  async #ingest(record: ClipRecord): Promise<void> {
    const { evidence, session, bay, signal, input, onEvent, state } = this.#deps;
    const { counter } = record;
    const outcome = await ingestClip(evidence, {
      ...{ session, record, bay, signal },
      cameraClockOffsetMs: this.#cameraClockOffsetMs,
      isHeld: () => state().holdsWanted.includes(counter),
      onProgress: (doneBytes) => input({ kind: 'progress', counter, doneBytes }),
    });
    if (outcome.held) input({ kind: 'held', counter });
    const { clip } = outcome;
    onEvent(`clip-${outcome.kind}`, { bay, clip, camera: session.serial, counter });
    if (outcome.kind === 'quarantined') return input({ kind: 'clip-quarantined', counter });
    input({ kind: 'clip-vaulted', counter });
    const receipt = await evidence.vault.readReceipt(clip);
    const known = evidence.index.find(record);
    if (receipt !== undefined && known !== undefined) {
      await this.#release(record, { known, receipt });
    }
  }

  async #release(
    { counter }: ClipRecord,
    { known, receipt }: { known: IndexedClip; receipt: string },
  ): Promise<void> {
    const { evidence, session, signal, input, onEvent, bay } = this.#deps;
    await session.release(counter, receipt, signal);
    if (evidence.custody.state.clips.get(known.clip)?.state === 'vaulted') {
      await evidence.custody.append([{ kind: 'clip-released', clip: known.clip }]);
    }
    input({ kind: 'clip-released', counter });
    onEvent('clip-released', { bay, clip: known.clip, camera: session.serial, counter });
  }

  /** The manifest of a clip that the vault has and the log vouches for; undefined for one that must not be released. */
  async #knownManifest(record: ClipRecord, known: IndexedClip) {
    const { evidence } = this.#deps;
    const status = evidence.custody.state.clips.get(known.clip);
    if (status === undefined || status.state === 'quarantined' || status.state === 'missing') {
      return undefined;
    }
    const { manifest } = await readVerifiedManifest(evidence, known.clip);
    const isSame = known.recordSha256 === formatHex(evidence.crypto.sha256(record.raw));
    if (isSame && manifest.sha256 === record.sha256) return manifest;
    // The camera has used a counter twice, or a clip was entered at a start before its digest was compared.
    const reason = isSame ? 'CLIP_DIGEST_MISMATCH' : 'CLIP_RECORD_INVALID';
    await evidence.custody.append([
      isSame
        ? { kind: 'clip-quarantined', clip: known.clip, reason }
        : { kind: 'clip-refused', counter: record.counter, reason },
    ]);
    return undefined;
  }

  async #hold(counter: number): Promise<void> {
    const { evidence, session, input } = this.#deps;
    const known = evidence.index.find({ serial: session.serial, counter });
    if (known === undefined) {
      const isComing = this.#inventory.records.some((record) => record.counter === counter);
      if (!isComing) input({ kind: 'nothing-to-hold', counter });
      return;
    }
    const decision = decide(
      evidence.custody.state,
      { action: 'mark-incident', clip: known.clip, reason: 'WEARER-BUTTON' },
      { atMs: evidence.clock.nowMs(), clock: 'system', boot: evidence.boot, actor: 'wearer' },
    );
    if (!decision.ok) return input({ kind: 'nothing-to-hold', counter });
    if (decision.entries.length > 0) await evidence.custody.append(decision.entries, 'wearer');
    input({ kind: 'held', counter });
  }

  #statusOf(record: ClipRecord) {
    const { custody, index } = this.#deps.evidence;
    const known = index.find(record);
    return known === undefined ? undefined : custody.state.clips.get(known.clip);
  }

  async #recordGaps(): Promise<void> {
    const { evidence, session, alarms, onEvent, bay } = this.#deps;
    const { serial, lastCounter } = session;
    const offered = this.#inventory.records.map((record) => record.counter);
    const refused = this.#inventory.refused.flatMap(({ counter }) => counter ?? []);
    const known = [...evidence.index.counters(serial), ...offered, ...refused];
    const camera = formatHex(evidence.crypto.sha256(utf8(`docket/camera/v1\n${serial}`)));
    for (const gap of findCounterGaps(known, lastCounter)) {
      if (hasGap(evidence.custody.state, { camera, ...gap })) continue;
      await evidence.custody.append([{ kind: 'counter-gap', camera, ...gap }]);
      alarms.raise('COUNTER_GAP', serial, bay);
      onEvent('counter-gap', { bay, camera: serial, ...gap });
    }
  }

  async #recordRefused(): Promise<void> {
    const { evidence, bay, onEvent } = this.#deps;
    const { refused } = this.#inventory;
    for (const { counter, reason } of refused.slice(this.#refusedRecorded)) {
      await evidence.custody.append([
        { kind: 'clip-refused', counter, reason: 'CLIP_RECORD_INVALID' },
      ]);
      evidence.logger.warn('record-refused', { bay, counter, reason });
      onEvent('clip-refused', { bay, code: 'CLIP_RECORD_INVALID' });
    }
    this.#refusedRecorded = Math.max(this.#refusedRecorded, refused.length);
  }

  async #isTakenOut(withinMs: number): Promise<boolean> {
    const { session, evidence, signal } = this.#deps;
    const over = new AbortController();
    const wait = evidence.clock.delay(withinMs, AbortSignal.any([signal, over.signal]));
    try {
      return await Promise.race([session.closed.then(() => true), wait.then(() => false)]);
    } finally {
      over.abort(new Error('the wait is over'));
      wait.catch(() => undefined);
    }
  }
}

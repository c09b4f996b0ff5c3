import { readCheckpointNote } from '../core/custody/checkpoint.ts';
import { ed25519Key, type VerifierKey } from '../core/custody/note.ts';
import type { AlarmCode } from '../core/dock/alarms.ts';
import { asDockError, type DockError } from '../core/errors.ts';
import {
  CHECKPOINT_PATH,
  COSIGNATURE_PATH,
  type CosignatureAnswer,
  type EntriesPiece,
  PIECE_BYTES_MAX,
  parseAnswer,
  requestBody,
} from '../core/witness/messages.ts';
import { type VerifyPolicy, verifyCosigned } from '../core/witness/policy.ts';
import type { StatusBroker } from '../ports/status-broker.ts';
import type { Evidence } from './evidence.ts';
import { Lanes } from './lanes.ts';

export interface CheckpointingDeps {
  readonly evidence: Evidence;
  readonly broker: StatusBroker;
  readonly witness: VerifierKey;
  readonly onAlarm: (code: AlarmCode, isRaised: boolean) => void;
  readonly onCosigned: () => void;
  /** CUSTODY_ROLLBACK, or the disk fails: the dock must stop. */
  readonly onFailure: (error: DockError) => void;
}

export interface CosignedStatus {
  readonly treeSize: number;
  /** By the witness's clock. */
  readonly atMs: number;
}

const GATHER_MS = 250;
const REPEAT_MS = 30_000;
/** Trusted time asks for a fresh cosignature even when nothing happens. */
const REFRESH_MS = 10 * 60_000;
const SILENT_MS = 30 * 60_000;
const FINISH_MS = 3_000;
const PIECE_ENTRIES = 256;
/** Answers to one change; a broker that makes some up must not keep the dock busy. */
const TURNS_MAX = 10_000;

/**
 * Has the newest checkpoint cosigned: when the log changed, and every so often. The cosigned size tells which entries the centre has.
 *
 * INVARIANTS: nothing that comes from the broker counts but a checkpoint with the signatures of this log and of the witness. One answer is worked on at a time.
 */
export class Checkpointing {
  readonly #deps: CheckpointingDeps;
  readonly #policy: VerifyPolicy;
  readonly #stopping = new AbortController();
  readonly #answers = new Lanes<'answer', Uint8Array>((_, payload) => this.#hear(payload));
  readonly #signedAt = new Map<number, number>();
  #cosigned: CosignedStatus | undefined;
  #openedSize = 0;
  #oldSize = 0;
  #next: number | undefined;
  #seq = 0;
  #turns = 0;
  #sentAtMs: number | undefined;
  #isAwaiting = false;
  #heardAtMs = 0;
  #early: Uint8Array | undefined;
  #running: Promise<void> | undefined;
  #wake: () => void = () => undefined;
  #onCaughtUp: (() => void)[] = [];

  constructor(deps: CheckpointingDeps) {
    this.#deps = deps;
    const { keys } = deps.evidence;
    const log = ed25519Key(keys.log.name, keys.log.publicKey);
    this.#policy = { logs: [log], witnesses: [deps.witness], quorum: 1 };
  }

  get cosigned(): CosignedStatus | undefined {
    return this.#cosigned;
  }

  /** Before the broker starts: what it has retained comes with the connection. */
  listen(): void {
    this.#deps.broker.listen(COSIGNATURE_PATH, (payload) => {
      if (this.#running === undefined) this.#early = payload;
      else this.#answers.put('answer', payload);
    });
  }

  /** Once the log is open and before this run writes to it. */
  begin(): void {
    const { custody, time, clock } = this.#deps.evidence;
    this.#openedSize = custody.state.treeSize;
    this.#heardAtMs = clock.monotonicMs();
    if (custody.cosigned !== '') this.#cosigned = this.#readCosigned(custody.cosigned);
    this.#oldSize = this.#cosigned?.treeSize ?? 0;
    time.begin(this.#cosigned?.atMs);
  }

  /** Once this run has written its first entry. */
  start(): void {
    this.#running ??= this.#run();
    if (this.#early !== undefined) this.#answers.put('answer', this.#early);
  }

  changed(): void {
    this.#wake();
  }

  /** Waits a little for the last checkpoint to be cosigned. */
  async finish(): Promise<void> {
    const { broker, evidence } = this.#deps;
    if (this.#running === undefined || !broker.connected || this.#isCaughtUp()) return;
    const late = new AbortController();
    const caughtUp = new Promise<void>((resolve) => this.#onCaughtUp.push(resolve));
    this.changed();
    const deadline = evidence.clock.delay(FINISH_MS, late.signal).catch(() => undefined);
    await Promise.race([caughtUp, deadline]);
    late.abort();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    this.#answers.close();
    await this.#running;
    await this.#answers.idle();
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const { clock } = this.#deps.evidence;
      const nowMs = clock.monotonicMs();
      if (nowMs - this.#heardAtMs >= SILENT_MS) this.#deps.onAlarm('WITNESS_SILENT', true);
      const waitMs = this.#dueInMs(nowMs);
      if (waitMs > 0) await this.#pause(waitMs);
      else await this.#send();
    }
  }

  /** Until the next request; 0 for now. */
  #dueInMs(nowMs: number): number {
    if (this.#sentAtMs === undefined) return 0;
    const sinceMs = nowMs - this.#sentAtMs;
    if (this.#isAwaiting) return REPEAT_MS - sinceMs;
    return (this.#isCaughtUp() ? REFRESH_MS : GATHER_MS) - sinceMs;
  }

  #isCaughtUp(): boolean {
    const { checkpoint } = this.#deps.evidence.custody;
    return (
      checkpoint === '' || this.#cosigned?.treeSize === readCheckpointNote(checkpoint).treeSize
    );
  }

  /** Ends early when something changed. */
  async #pause(ms: number): Promise<void> {
    const early = new AbortController();
    this.#wake = () => early.abort();
    if (this.#stopping.signal.aborted) return;
    await this.#deps.evidence.clock.delay(ms, early.signal).catch(() => undefined);
  }

  async #send(): Promise<void> {
    const { evidence, broker } = this.#deps;
    const { custody, clock } = evidence;
    const note = custody.checkpoint;
    this.#sentAtMs = clock.monotonicMs();
    this.#isAwaiting = true;
    const { treeSize } = readCheckpointNote(note);
    this.#signedAt.set(treeSize, custody.signedAtMonotonicMs);
    const oldSize = Math.min(this.#oldSize, treeSize);
    const proof = custody.consistencyProof(oldSize, treeSize);
    try {
      const entries = await this.#piece(this.#next ?? oldSize, treeSize);
      this.#seq += 1;
      const request = { note, oldSize, proof, seq: this.#seq, entries };
      broker.retain(CHECKPOINT_PATH, requestBody(request));
    } catch (error) {
      const { code, message } = asDockError(error, 'CUSTODY_CORRUPT', 'the entries are not read');
      evidence.logger.error('checkpoint-not-sent', { code, why: message });
    }
  }

  async #piece(from: number, treeSize: number): Promise<EntriesPiece | undefined> {
    if (from >= treeSize) return undefined;
    const { custody } = this.#deps.evidence;
    const read = await custody.readLeaves(from, Math.min(treeSize, from + PIECE_ENTRIES));
    let sizeBytes = 0;
    const leaves = read.filter((leaf) => {
      sizeBytes += leaf.length;
      return sizeBytes <= PIECE_BYTES_MAX;
    });
    return { from, leaves, proof: custody.consistencyProof(from + leaves.length, treeSize) };
  }

  async #hear(payload: Uint8Array): Promise<void> {
    const { logger } = this.#deps.evidence;
    try {
      const answer = parseAnswer(payload);
      if (answer.note !== undefined) await this.#accept(answer.note);
      if (answer.seq === this.#seq) this.#react(answer);
    } catch (error) {
      const failure = asDockError(error, 'CUSTODY_UNWRITABLE', 'the cosignature was not kept');
      if (failure.code === 'NOTE_INVALID') {
        logger.warn('answer-refused', { code: failure.code, why: failure.message });
      } else await this.#fail(failure);
    }
  }

  /** What the answer says without a signature may change what is asked next, and nothing else. */
  #react({ status, treeSize, next, why }: CosignatureAnswer): void {
    const { evidence, onAlarm } = this.#deps;
    if (status === 200) return;
    if (status === 202 || status === 409) {
      if (status === 409) this.#oldSize = treeSize;
      this.#next = next;
      this.#turns += 1;
      if (this.#turns > TURNS_MAX) return;
      this.#sentAtMs = undefined;
      this.#wake();
      return;
    }
    evidence.logger.warn('checkpoint-refused', { status, why: why ?? '' });
    onAlarm('WITNESS_REFUSED', true);
  }

  async #accept(note: string): Promise<void> {
    const { evidence, onAlarm, onCosigned } = this.#deps;
    const { custody, clock, logger } = evidence;
    const cosigned = this.#readCosigned(note);
    if (cosigned === undefined) {
      logger.warn('cosignature-refused');
      return;
    }
    const { treeSize, atMs } = cosigned;
    const before = this.#cosigned;
    const isNewer =
      before === undefined ||
      treeSize > before.treeSize ||
      (treeSize === before.treeSize && atMs > before.atMs);
    if (!isNewer) return;
    await custody.keepCosigned(note, this.#isTimely(cosigned));
    this.#cosigned = cosigned;
    this.#oldSize = treeSize;
    this.#next = undefined;
    this.#turns = 0;
    // One that was cosigned in an earlier run says nothing about whether the witness is there now.
    if (treeSize > this.#openedSize) {
      this.#heardAtMs = clock.monotonicMs();
      this.#isAwaiting = false;
      onAlarm('WITNESS_SILENT', false);
      onAlarm('WITNESS_REFUSED', false);
    }
    if (this.#isCaughtUp()) for (const listener of this.#onCaughtUp.splice(0)) listener();
    onCosigned();
    this.#wake();
  }

  /** Only what this run signed says what time it is now. */
  #isTimely({ treeSize, atMs }: CosignedStatus): boolean {
    const { time, logger } = this.#deps.evidence;
    const madeAtMonotonicMs = this.#signedAt.get(treeSize);
    if (treeSize <= this.#openedSize || madeAtMonotonicMs === undefined) {
      return time.mayBeFloor(atMs);
    }
    for (const size of this.#signedAt.keys()) if (size < treeSize) this.#signedAt.delete(size);
    const verdict = time.observe({ cosignedAtMs: atMs, madeAtMonotonicMs });
    if (verdict !== 'believed') logger.warn('time-doubtful', { verdict });
    this.#deps.onAlarm('TIME_DOUBTFUL', verdict !== 'believed');
    return verdict === 'believed';
  }

  /** Undefined for anything but a checkpoint of this log with the witness's cosignature. */
  #readCosigned(note: string): CosignedStatus | undefined {
    const { checkpoint, cosignatures } = verifyCosigned(
      note,
      this.#policy,
      this.#deps.evidence.crypto,
    );
    if (checkpoint === undefined) return undefined;
    const atMs = Math.max(...cosignatures.map((cosignature) => cosignature.atMs));
    return { treeSize: checkpoint.treeSize, atMs };
  }

  /** The centre sees the contradiction once, and the dock hears no more. */
  async #fail(error: DockError): Promise<void> {
    this.#stopping.abort();
    this.#answers.close();
    this.#wake();
    if (error.code === 'CUSTODY_ROLLBACK') {
      this.#oldSize = readCheckpointNote(this.#deps.evidence.custody.cosigned).treeSize;
      await this.#send();
    }
    this.#deps.onFailure(error);
  }
}

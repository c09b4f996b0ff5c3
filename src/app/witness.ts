import type { Checkpoint } from '../core/custody/checkpoint.ts';
import type { NoteCrypto, VerifierKey } from '../core/custody/note.ts';
import { asDockError, isDockError } from '../core/errors.ts';
import type { DockId } from '../core/evidence/clip.ts';
import { cosign } from '../core/witness/cosignature.ts';
import {
  type CheckpointRequest,
  COSIGNATURE_PATH,
  type CosignatureAnswer,
  parseRequest,
} from '../core/witness/messages.ts';
import {
  decideAddCheckpoint,
  type WitnessFinding,
  type WitnessFindingCode,
} from '../core/witness/rules.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Signer } from '../ports/signer.ts';
import type { Mirrors, WitnessBus } from '../ports/witness.ts';
import { Lanes } from './lanes.ts';
import { WitnessFindings } from './witness-findings.ts';
import { WitnessMirror } from './witness-mirror.ts';

export interface WitnessDeps {
  readonly bus: WitnessBus;
  readonly mirrors: Mirrors;
  /** Used for nothing but cosignatures. */
  readonly signer: Signer;
  /** The enrolled log of this name. Undefined for a stranger. */
  readonly logKeyOf: (origin: string) => Promise<VerifierKey | undefined>;
  readonly crypto: NoteCrypto;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer?: WitnessObserver;
}

/** Called as things happen; must not throw. */
export interface WitnessObserver {
  onCosigned?(dock: DockId, treeSize: number): void;
  onFinding?(dock: DockId, code: WitnessFindingCode): void;
}

type Answer = Omit<CosignatureAnswer, 'seq'>;

/**
 * Cosigns the checkpoints of the docks, each when it continues what was cosigned before and when its entries are here. One request of a dock is worked on at a time;
 * of those that come meanwhile the newest waits.
 */
export class Witness {
  readonly #deps: WitnessDeps;
  readonly #mirrors = new Map<DockId, WitnessMirror>();
  readonly #findings: WitnessFindings;
  readonly #lanes = new Lanes<DockId, Uint8Array>((dock, payload) => this.#handle(dock, payload));

  constructor(deps: WitnessDeps) {
    this.#deps = deps;
    this.#findings = new WitnessFindings(deps);
  }

  /** Contradictions that were found since the start. */
  get findingCount(): number {
    return this.#findings.count;
  }

  /** Resolves when nothing that came is still worked on. */
  idle(): Promise<void> {
    return this.#lanes.idle();
  }

  start(): Promise<void> {
    return this.#deps.bus.start((dock, payload) => this.#lanes.put(dock, payload));
  }

  async stop(): Promise<void> {
    this.#lanes.close();
    await this.#lanes.idle();
    await this.#deps.bus.stop();
    for (const mirror of this.#mirrors.values()) await mirror.close();
    this.#mirrors.clear();
  }

  async #handle(dock: DockId, payload: Uint8Array): Promise<void> {
    let seq = 0;
    try {
      const request = parseRequest(payload);
      if (request === undefined) return;
      seq = request.seq;
      this.#say(dock, seq, await this.#answer(dock, request));
    } catch (error) {
      const { code, message } = asDockError(error, 'CUSTODY_UNWRITABLE', 'the request failed');
      const isHostile = isDockError(error, 'NOTE_INVALID');
      this.#deps.logger[isHostile ? 'warn' : 'error']('request-failed', {
        dock,
        code,
        why: message,
      });
      // Whatever is on the disk now, only a fresh look at it may be trusted.
      if (!isHostile) await this.#forget(dock);
      this.#say(dock, seq, { status: isHostile ? 400 : 503, treeSize: 0, why: message });
    }
  }

  async #answer(dock: DockId, request: CheckpointRequest): Promise<Answer> {
    const key = await this.#deps.logKeyOf(`${dock}/log`);
    if (key === undefined) return { status: 404, treeSize: 0, why: 'the log is not enrolled here' };
    const mirror = await this.#mirrorOf(dock, key);
    const logOf = (origin: string) => (origin === key.name ? mirror : undefined);
    const decision = decideAddCheckpoint(request, logOf, this.#deps.crypto);
    if (decision.status === 200)
      return await this.#add(dock, { request, mirror }, decision.checkpoint);
    const { status, why, finding } = decision;
    this.#deps.logger.warn('checkpoint-refused', { dock, status, why });
    if (finding !== undefined) await this.#findings.raise(dock, finding, request.note);
    const newest = status === 409 && mirror.cosigned !== '' ? { note: mirror.cosigned } : {};
    return { status, treeSize: mirror.treeSize, why, ...newest };
  }

  /** C2SP tlog-mirror: first the entries, then the cosignature. */
  async #add(
    dock: DockId,
    { request, mirror }: { request: CheckpointRequest; mirror: WitnessMirror },
    checkpoint: Checkpoint,
  ): Promise<Answer> {
    const { treeSize } = checkpoint;
    const isAdded =
      request.entries === undefined ||
      mirror.entryCount >= treeSize ||
      (await mirror.add(request.entries, checkpoint));
    if (!isAdded || mirror.agreesWith(checkpoint) === false) {
      const finding: WitnessFinding = { code: 'CUSTODY_FORK', treeSize, isProven: false };
      await this.#findings.raise(dock, finding, request.note);
      return { status: 422, treeSize: mirror.treeSize, why: 'these are not its entries' };
    }
    if (mirror.entryCount < treeSize) {
      return { status: 202, treeSize: mirror.treeSize, next: mirror.entryCount };
    }
    const { signer, clock, crypto, logger, observer } = this.#deps;
    const options = { signer, atMs: clock.nowMs(), kept: mirror.key.name };
    const note = cosign(request.note, options, crypto.sha256);
    const isNew = treeSize > mirror.treeSize;
    await mirror.keep(note, treeSize);
    this.#findings.clearDoubts(dock);
    if (isNew) logger.info('cosigned', { dock, treeSize });
    observer?.onCosigned?.(dock, treeSize);
    return { status: 200, treeSize, note };
  }

  #say(dock: DockId, seq: number, answer: Answer): void {
    const body = { ...answer, seq };
    const retain = answer.status === 200;
    this.#deps.bus.say({ dock, path: COSIGNATURE_PATH, body, retain });
  }

  async #mirrorOf(dock: DockId, key: VerifierKey): Promise<WitnessMirror> {
    const known = this.#mirrors.get(dock);
    if (known !== undefined) return known;
    const { mirrors, crypto } = this.#deps;
    const mirror = new WitnessMirror(key, mirrors.storeOf(dock), crypto);
    await mirror.open();
    this.#mirrors.set(dock, mirror);
    await this.#findings.recall(dock, mirror.treeSize);
    return mirror;
  }

  async #forget(dock: DockId): Promise<void> {
    const mirror = this.#mirrors.get(dock);
    this.#mirrors.delete(dock);
    await mirror?.close();
  }
}

import type { EntryBody } from '../core/custody/entry.ts';
import type { AlarmCode } from '../core/dock/alarms.ts';
import { nextBay } from '../core/dock/bay.ts';
import {
  type BayEffect,
  type BayInput,
  type BayState,
  type BayStatus,
  emptyBay,
} from '../core/dock/bay-state.ts';
import {
  asDockError,
  DockError,
  dispositionOf,
  type ErrorCode,
  isDockError,
} from '../core/errors.ts';
import type { BaySensors, Board, Press } from '../ports/board.ts';
import type { CameraLink, CameraSession } from '../ports/camera-link.ts';
import type { Alarms } from './alarms.ts';
import { Backoff } from './backoff.ts';
import { CameraVisit } from './camera-visit.ts';
import type { Evidence } from './evidence.ts';
import type { IngestQueue } from './ingest-queue.ts';

export interface BayDeps {
  readonly evidence: Evidence;
  readonly link: CameraLink;
  readonly board: Board;
  readonly alarms: Alarms;
  readonly queue: IngestQueue;
  readonly cameraClockOffsetMsMax: number;
  readonly onStatus: (status: BayStatus) => void;
  readonly onProgress: (bay: number, state: BayState) => void;
  readonly onEvent: (kind: string, body: Readonly<Record<string, string | number>>) => void;
  /** Why the dock takes no clips, if it does not. */
  readonly halted: () => AlarmCode | undefined;
  /** An error after which the whole dock must not take clips. */
  readonly onHalt: (error: DockError) => void;
}

const BACKOFF = { firstMs: 500, mostMs: 15_000 };
/** A camera that gets nowhere in so many tries goes to the supervisor. */
const FAILURES_MAX = 8;
/** A line that fell silent, and stays so, has lost its camera. */
const SILENCE_MS = 10_000;
/** A line that cannot say whether its camera left shows the same trouble again and again: the log is told this often. */
const SAME_TROUBLE_MS = 600_000;

/**
 * Runs one bay: waits for a camera, takes its clips, shows the light. Trouble of one bay ends here.
 *
 * INVARIANTS: `#state` changes only in `#input`, and every effect is carried out before the next input.
 */
export class BaySupervisor {
  readonly bay: number;
  readonly #deps: BayDeps;
  readonly #abort = new AbortController();
  readonly #queue: BayInput[] = [];
  #isDraining = false;
  #state: BayState;
  #visit: CameraVisit | undefined;
  #running: Promise<void> | undefined;
  readonly #refusals = new Set<string>();
  readonly #backoff: Backoff;
  #failures = 0;
  #lastTrouble: { readonly code: ErrorCode; readonly atMs: number } | undefined;

  constructor(bay: number, deps: BayDeps) {
    this.bay = bay;
    this.#deps = deps;
    this.#state = emptyBay(bay);
    this.#backoff = new Backoff(deps.evidence.clock, BACKOFF);
  }

  get state(): BayState {
    return this.#state;
  }

  start(): void {
    this.#deps.board.show(this.bay, 'off');
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort(new Error('the dock stops'));
    await this.#running;
  }

  press(press: Press): void {
    this.input({ kind: 'press', press });
  }

  sensors(sensors: BaySensors): void {
    this.input({ kind: 'sensors', present: sensors.present, charged: sensors.charged });
  }

  /** An input that arrives while another's effects are carried out waits for its turn. */
  input(input: BayInput): void {
    this.#queue.push(input);
    if (this.#isDraining) return;
    this.#isDraining = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        this.#apply(next);
      }
    } finally {
      this.#isDraining = false;
    }
  }

  #apply(input: BayInput): void {
    const step = nextBay(this.#state, input);
    this.#state = step.state;
    for (const effect of step.effects) this.#perform(effect);
    if (input.kind === 'progress') this.#deps.onProgress(this.bay, this.#state);
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        await this.#serve(signal);
        this.input({ kind: 'unplugged' });
        this.#forgetFailures();
      } catch (error) {
        if (!signal.aborted) await this.#recoverFrom(this.#asFailure(error));
      }
    }
  }

  async #serve(signal: AbortSignal): Promise<void> {
    const { evidence, queue, cameraClockOffsetMsMax } = this.#deps;
    const session = await this.#dock(signal);
    evidence.logger.info('camera-docked', { bay: this.bay, camera: session.serial });
    this.#visit = new CameraVisit({
      ...{ evidence, session, bay: this.bay, signal, refusals: this.#refusals },
      ...{ queue, cameraClockOffsetMsMax },
      alarms: this.#deps.alarms,
      input: (input) => this.input(input),
      state: () => this.#state,
      onEvent: this.#deps.onEvent,
      halted: this.#deps.halted,
      onAdvance: () => this.#forgetFailures(),
    });
    try {
      await this.#visit.run();
    } finally {
      this.#visit = undefined;
      await session.close();
    }
  }

  async #dock(signal: AbortSignal): Promise<CameraSession> {
    const heard = new AbortController();
    const silence = this.#unplugWhenSilent(AbortSignal.any([signal, heard.signal]));
    try {
      return await this.#deps.link.dock(this.bay, {
        signal,
        onPresent: () => {
          heard.abort(new Error('the line is not silent'));
          this.input({ kind: 'present' });
        },
      });
    } finally {
      heard.abort(new Error('the line is not silent'));
      await silence;
    }
  }

  async #unplugWhenSilent(signal: AbortSignal): Promise<void> {
    if (this.#state.link === 'none') return;
    try {
      await this.#deps.evidence.clock.delay(SILENCE_MS, signal);
      this.input({ kind: 'unplugged' });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #forgetFailures(): void {
    this.#failures = 0;
    this.#backoff.reset();
  }

  /** What a retry may mend does so a limited number of times. A line that cannot be opened, or a camera that is taken out, is not the camera's failure. */
  #asFailure(thrown: unknown): DockError {
    const isCancelled = isDockError(thrown, 'CANCELLED');
    const error = isCancelled
      ? new DockError('BAY_FAILED', 'the bay was cancelled, and does not stop', { cause: thrown })
      : asDockError(thrown, 'BAY_FAILED', 'the bay failed');
    const isCameras = dispositionOf(error.code) === 'retry' && !NOT_COUNTED.includes(error.code);
    if (!isCameras) return error;
    this.#failures += 1;
    if (this.#failures < FAILURES_MAX) return error;
    const why = `the camera got nowhere in ${this.#failures} tries: ${error.message}`;
    return new DockError('CAMERA_FULL_OF_ERRORS', why, { cause: error });
  }

  async #recoverFrom(error: DockError): Promise<void> {
    const { evidence, link, onHalt } = this.#deps;
    const { signal } = this.#abort;
    const { code } = error;
    const disposition = dispositionOf(code);
    evidence.logger.warn('bay-failed', { bay: this.bay, code, why: error.message });
    this.input({ kind: 'failed', code });
    if (disposition === 'haltDock') onHalt(error);
    try {
      if (disposition !== 'retry' && disposition !== 'haltDock') {
        await this.#recordTrouble(code);
        await link.gone(this.bay, signal);
        this.input({ kind: 'unplugged' });
        this.#forgetFailures();
      } else if (code !== 'LINK_CLOSED') await this.#backoff.wait(signal);
    } catch (stopped) {
      if (!signal.aborted) throw stopped;
    }
  }

  async #recordTrouble(code: ErrorCode): Promise<void> {
    const atMs = this.#deps.evidence.clock.monotonicMs();
    const last = this.#lastTrouble;
    if (last?.code === code && atMs - last.atMs < SAME_TROUBLE_MS) return;
    this.#lastTrouble = { code, atMs };
    const kind = code.startsWith('CAMERA_') ? 'camera-refused' : 'bay-fault';
    this.#deps.onEvent(kind, { bay: this.bay, code });
    await this.#enter({ kind, bay: this.bay, reason: code });
  }

  #perform(effect: BayEffect): void {
    const { board, alarms, onStatus, onEvent } = this.#deps;
    switch (effect.kind) {
      case 'show':
        board.show(this.bay, effect.light);
        break;
      case 'flash':
        board.flash(this.bay, effect.flash);
        break;
      case 'publish':
        onStatus(effect.status);
        break;
      case 'alarm':
        alarms.raise(effect.code, this.#causeOf(effect.code, effect.camera), this.bay);
        break;
      case 'clear-alarm':
        alarms.clear(effect.code, this.#causeOf(effect.code, effect.camera));
        break;
      case 'mark-last-recording':
        void this.#placeHolds();
        break;
      case 'taken-early':
        onEvent('camera-taken-early', { bay: this.bay, camera: effect.camera });
        void this.#enter({ kind: 'bay-fault', bay: this.bay, reason: 'TAKEN-EARLY' });
        break;
    }
  }

  /** A camera taken early is done when it is drained in any bay; everything else is the bay's own. */
  #causeOf(code: AlarmCode, camera: string | undefined): string {
    return code === 'CAMERA_TAKEN_EARLY' && camera !== undefined ? camera : `bay ${this.bay}`;
  }

  async #placeHolds(): Promise<void> {
    try {
      await this.#visit?.placeHolds();
    } catch (error) {
      this.#deps.onHalt(asDockError(error, 'CUSTODY_UNWRITABLE', 'the hold was not recorded'));
    }
  }

  /** A dock that halted because of its log must not write to it. */
  async #enter(entry: EntryBody): Promise<void> {
    const { evidence, onHalt } = this.#deps;
    if (evidence.custody.state.dock !== evidence.dock) return;
    try {
      await evidence.custody.append([entry]);
    } catch (error) {
      onHalt(asDockError(error, 'CUSTODY_UNWRITABLE', 'the bay could not be recorded'));
    }
  }
}

const NOT_COUNTED: readonly ErrorCode[] = ['LINK_CLOSED', 'SERIAL_IN_USE', 'SERIAL_FAILED'];

import type { AlarmCode } from '../core/dock/alarms.ts';
import { nextBay } from '../core/dock/bay.ts';
import {
  type BayEffect,
  type BayInput,
  type BayState,
  type BayStatus,
  emptyBay,
} from '../core/dock/bay-state.ts';
import { asDockError, type DockError, dispositionOf, isDockError } from '../core/errors.ts';
import type { BaySensors, Board, Press } from '../ports/board.ts';
import type { CameraLink } from '../ports/camera-link.ts';
import type { Alarms } from './alarms.ts';
import { Backoff } from './backoff.ts';
import { CameraVisit } from './camera-visit.ts';
import type { Evidence } from './evidence.ts';

export interface BayDeps {
  readonly evidence: Evidence;
  readonly link: CameraLink;
  readonly board: Board;
  readonly alarms: Alarms;
  readonly onStatus: (status: BayStatus) => void;
  readonly onProgress: (bay: number, state: BayState) => void;
  readonly onEvent: (kind: string, body: Readonly<Record<string, string | number>>) => void;
  /** Why the dock takes no clips, if it does not. */
  readonly halted: () => AlarmCode | undefined;
  /** An error after which the whole dock must not take clips. */
  readonly onHalt: (error: DockError) => void;
}

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

  constructor(bay: number, deps: BayDeps) {
    this.bay = bay;
    this.#deps = deps;
    this.#state = emptyBay(bay);
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
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const step = nextBay(this.#state, next);
      this.#state = step.state;
      for (const effect of step.effects) this.#perform(effect);
      if (next.kind === 'progress') this.#deps.onProgress(this.bay, this.#state);
    }
    this.#isDraining = false;
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    const backoff = new Backoff(this.#deps.evidence.clock, { firstMs: 500, mostMs: 15_000 });
    while (!signal.aborted) {
      try {
        await this.#serve(signal);
        backoff.reset();
      } catch (error) {
        if (signal.aborted) return;
        await this.#recoverFrom(asDockError(error, 'LINK_PROTOCOL', 'the bay failed'), backoff);
      }
    }
  }

  async #serve(signal: AbortSignal): Promise<void> {
    const { link, evidence } = this.#deps;
    const session = await link.dock(this.bay, {
      signal,
      onPresent: () => this.input({ kind: 'present' }),
    });
    evidence.logger.info('camera-docked', { bay: this.bay, camera: session.serial });
    this.#visit = new CameraVisit({
      ...{ evidence, session, bay: this.bay, signal },
      alarms: this.#deps.alarms,
      input: (input) => this.input(input),
      state: () => this.#state,
      onEvent: this.#deps.onEvent,
      halted: this.#deps.halted,
    });
    try {
      await this.#visit.run();
    } finally {
      this.#visit = undefined;
      await session.close();
      if (!signal.aborted) this.input({ kind: 'unplugged' });
    }
  }

  async #recoverFrom(error: DockError, backoff: Backoff): Promise<void> {
    const { evidence, link, onHalt } = this.#deps;
    const { signal } = this.#abort;
    const disposition = dispositionOf(error.code);
    evidence.logger.warn('bay-failed', { bay: this.bay, code: error.code, why: error.message });
    this.input({ kind: 'failed', code: error.code });
    if (error.code.startsWith('CAMERA_')) await this.#recordRefusal(error);
    if (disposition === 'haltDock') onHalt(error);
    try {
      if (disposition === 'haltBay') {
        await link.gone(this.bay, signal);
        this.input({ kind: 'unplugged' });
        return;
      }
      if (error.code !== 'LINK_CLOSED') await backoff.wait(signal);
    } catch (stopped) {
      if (!signal.aborted) throw stopped;
    }
  }

  async #recordRefusal(error: DockError): Promise<void> {
    await this.#enter({ kind: 'camera-refused', bay: this.bay, reason: error.code });
    this.#deps.onEvent('camera-refused', { bay: this.bay, code: error.code });
  }

  #perform(effect: BayEffect): void {
    const { board, alarms, onStatus, onEvent } = this.#deps;
    switch (effect.kind) {
      case 'show':
        return board.show(this.bay, effect.light);
      case 'flash':
        return board.flash(this.bay, effect.flash);
      case 'publish':
        return onStatus(effect.status);
      case 'alarm':
        return alarms.raise(effect.code, this.#causeOf(effect.code, effect.camera), this.bay);
      case 'clear-alarm':
        return alarms.clear(effect.code, this.#causeOf(effect.code, effect.camera));
      case 'mark-last-recording':
        return void this.#placeHolds();
      case 'taken-early':
        onEvent('camera-taken-early', { bay: this.bay, camera: effect.camera });
        return void this.#enter({ kind: 'bay-fault', bay: this.bay, reason: 'TAKEN-EARLY' });
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

  async #enter(entry: Parameters<Evidence['custody']['append']>[0][number]): Promise<void> {
    try {
      await this.#deps.evidence.custody.append([entry]);
    } catch (error) {
      if (!isDockError(error)) throw error;
      this.#deps.onHalt(error);
    }
  }
}

import { assert } from '../../core/assert.ts';
import type { BoardConfig } from '../../core/config/board.ts';
import type { FlashName, LightName } from '../../core/dock/lights.ts';
import type { BaySensors, Board, BoardFault, BoardListeners } from '../../ports/board.ts';
import type { Clock } from '../../ports/clock.ts';
import { BayLines } from './bay-lines.ts';
import { GPIO_ROOT, readChips } from './chips.ts';
import { NO_GPIO } from './line-fault.ts';
import { type GpioLines, OnoffLines } from './lines.ts';

/** An edge can be lost, so every level is read again at least this often. */
const BACKSTOP_MS = 1000;
const NO_SENSORS: BaySensors = { present: undefined, charged: undefined };

export interface OnoffBoardOptions {
  readonly clock: Clock;
  readonly lines?: GpioLines;
  readonly chipsFolder?: string;
}

/**
 * A board on sysfs GPIO.
 * INVARIANTS: lines are opened in `start` only, because onoff waits for them without yielding; one loop reads every contact and sets
 * every lamp, and edges and `show` only wake it.
 */
export class OnoffBoard implements Board {
  readonly name: string;
  readonly #config: BoardConfig;
  readonly #clock: Clock;
  readonly #lines: GpioLines;
  readonly #chipsFolder: string;
  readonly #bays = new Map<number, BayLines>();
  readonly #stopping = new AbortController();
  #listeners: BoardListeners | undefined;
  #wake = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(config: BoardConfig, options: OnoffBoardOptions) {
    this.name = config.name;
    this.#config = config;
    this.#clock = options.clock;
    this.#lines = options.lines ?? new OnoffLines();
    this.#chipsFolder = options.chipsFolder ?? GPIO_ROOT;
  }

  async start(listeners: BoardListeners): Promise<readonly BoardFault[]> {
    assert(this.#listeners === undefined, 'a board starts once');
    const faults = new Map<string, BoardFault>();
    this.#listeners = {
      ...listeners,
      onFault: (fault) => {
        if (this.#loop === undefined) faults.set(fault.message, fault);
        else listeners.onFault(fault);
      },
    };
    if (!this.#lines.isAccessible) return [NO_GPIO];
    await this.#openBays(this.#listeners);
    this.#loop = this.#run(this.#listeners);
    return [...faults.values()];
  }

  show(bay: number, light: LightName): void {
    this.#bays.get(bay)?.show(light);
    this.#wake.abort();
  }

  flash(bay: number, flash: FlashName): void {
    this.#bays.get(bay)?.flash(flash, this.#clock.monotonicMs());
    this.#wake.abort();
  }

  sensors(bay: number): BaySensors {
    return this.#bays.get(bay)?.sensors() ?? NO_SENSORS;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake.abort();
    try {
      await this.#loop;
    } finally {
      for (const bay of this.#bays.values()) bay.close();
      this.#bays.clear();
    }
  }

  async #openBays(listeners: BoardListeners): Promise<void> {
    const chips = await readChips(this.#chipsFolder);
    for (const config of this.#config.bays) {
      const bay = new BayLines({
        board: this.#config,
        chips,
        lines: this.#lines,
        nowMs: this.#clock.monotonicMs(),
        onEdge: () => this.#wake.abort(),
        onFault: listeners.onFault,
      });
      this.#bays.set(config.bay, bay);
      bay.open(config);
    }
  }

  async #run(listeners: BoardListeners): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#wake = new AbortController();
      const nowMs = this.#clock.monotonicMs();
      const nextMs = Math.min(
        this.#readAll(nowMs, listeners),
        this.#playAll(nowMs),
        nowMs + BACKSTOP_MS,
      );
      await this.#sleep(Math.max(nextMs - nowMs, 1), this.#wake.signal);
    }
  }

  #readAll(nowMs: number, listeners: BoardListeners): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [number, bay] of this.#bays) {
      const before = bay.sensors();
      const { press, lookAgainMs } = bay.readContacts(nowMs);
      const after = bay.sensors();
      nextMs = Math.min(nextMs, lookAgainMs);
      if (before.present !== after.present || before.charged !== after.charged) {
        listeners.onSensors(number, after);
      }
      if (press !== undefined) listeners.onPress(number, press);
    }
    return nextMs;
  }

  #playAll(nowMs: number): number {
    return Math.min(
      Number.POSITIVE_INFINITY,
      ...[...this.#bays.values()].map((bay) => bay.playLamps(nowMs)),
    );
  }

  async #sleep(ms: number, wake: AbortSignal): Promise<void> {
    try {
      await this.#clock.delay(ms, wake);
    } catch (error) {
      if (!wake.aborted) throw error;
    }
  }
}

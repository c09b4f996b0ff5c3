import type { FlashName, LightName } from '../../src/core/dock/lights.ts';
import type {
  BaySensors,
  Board,
  BoardFault,
  BoardListeners,
  Press,
} from '../../src/ports/board.ts';

/** Remembers every light and flash in order. `faultsAtStart` is its switch. */
export class FakeBoard implements Board {
  readonly name = 'fake';
  readonly shown: { readonly bay: number; readonly light: LightName }[] = [];
  readonly flashed: { readonly bay: number; readonly flash: FlashName }[] = [];
  faultsAtStart: readonly BoardFault[] = [];
  isStarted = false;
  readonly #bayCount: number;
  readonly #sensors = new Map<number, BaySensors>();
  #listeners: BoardListeners | undefined;

  constructor(bayCount = 4) {
    this.#bayCount = bayCount;
  }

  async start(listeners: BoardListeners): Promise<readonly BoardFault[]> {
    this.#listeners = listeners;
    this.isStarted = true;
    return this.faultsAtStart;
  }

  show(bay: number, light: LightName): void {
    if (this.#has(bay)) this.shown.push({ bay, light });
  }

  flash(bay: number, flash: FlashName): void {
    if (this.#has(bay)) this.flashed.push({ bay, flash });
  }

  sensors(bay: number): BaySensors {
    return this.#sensors.get(bay) ?? { present: undefined, charged: undefined };
  }

  async stop(): Promise<void> {
    this.#listeners = undefined;
    this.isStarted = false;
  }

  lightOf(bay: number): LightName {
    return this.shown.findLast((each) => each.bay === bay)?.light ?? 'off';
  }

  press(bay: number, press: Press): void {
    if (this.#has(bay)) this.#listeners?.onPress(bay, press);
  }

  setSensors(bay: number, sensors: BaySensors): void {
    const before = this.sensors(bay);
    if (!this.#has(bay)) return;
    if (before.present === sensors.present && before.charged === sensors.charged) return;
    this.#sensors.set(bay, sensors);
    this.#listeners?.onSensors(bay, sensors);
  }

  fail(fault: BoardFault): void {
    this.#listeners?.onFault(fault);
  }

  #has(bay: number): boolean {
    return bay >= 1 && bay <= this.#bayCount;
  }
}

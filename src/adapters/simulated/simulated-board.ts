import type { FlashName, LightName } from '../../core/dock/lights.ts';
import type { BaySensors, Board, BoardFault, BoardListeners, Press } from '../../ports/board.ts';

export interface SimulatedBoardOptions {
  readonly name: string;
  /** Their numbers. */
  readonly bays: readonly number[];
  readonly onLight: (bay: number, light: LightName) => void;
  readonly onFlash?: (bay: number, flash: FlashName) => void;
}

/** A board without hardware: its lights are told to a caller, its buttons and sensors are pressed and set by one. */
export class SimulatedBoard implements Board {
  readonly name: string;
  readonly #options: SimulatedBoardOptions;
  readonly #lights = new Map<number, LightName>();
  readonly #sensors = new Map<number, BaySensors>();
  #listeners: BoardListeners | undefined;

  constructor(options: SimulatedBoardOptions) {
    this.name = options.name;
    this.#options = options;
    for (const bay of options.bays) {
      this.#lights.set(bay, 'off');
      this.#sensors.set(bay, { present: undefined, charged: undefined });
    }
  }

  async start(listeners: BoardListeners): Promise<readonly BoardFault[]> {
    this.#listeners = listeners;
    return [];
  }

  show(bay: number, light: LightName): void {
    const shown = this.#lights.get(bay);
    if (shown === undefined || shown === light) return;
    this.#lights.set(bay, light);
    this.#options.onLight(bay, light);
  }

  flash(bay: number, flash: FlashName): void {
    if (this.#lights.has(bay)) this.#options.onFlash?.(bay, flash);
  }

  sensors(bay: number): BaySensors {
    return this.#sensors.get(bay) ?? { present: undefined, charged: undefined };
  }

  async stop(): Promise<void> {
    this.#listeners = undefined;
    for (const bay of this.#lights.keys()) this.show(bay, 'off');
  }

  /** As now shown. */
  lightOf(bay: number): LightName {
    return this.#lights.get(bay) ?? 'off';
  }

  press(bay: number, press: Press): void {
    if (this.#lights.has(bay)) this.#listeners?.onPress(bay, press);
  }

  setSensors(bay: number, sensors: BaySensors): void {
    const before = this.#sensors.get(bay);
    if (before === undefined) return;
    if (before.present === sensors.present && before.charged === sensors.charged) return;
    this.#sensors.set(bay, sensors);
    this.#listeners?.onSensors(bay, sensors);
  }

  fail(fault: BoardFault): void {
    this.#listeners?.onFault(fault);
  }
}

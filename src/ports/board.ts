import type { FlashName, LightName } from '../core/dock/lights.ts';

export type Press = 'short' | 'long';

export interface BaySensors {
  /** Undefined where the board has no such line. */
  readonly present: boolean | undefined;
  readonly charged: boolean | undefined;
}

export interface BoardFault {
  readonly code: 'GPIO_UNAVAILABLE' | 'GPIO_FAILED';
  readonly message: string;
  readonly action: string;
}

/** The dock's lights, buttons and sensor lines. A board that fails is a state to report, never a crash. */
export interface Board {
  readonly name: string;
  /** Faults found now; the board keeps working for what it can drive. */
  start(listeners: BoardListeners): Promise<readonly BoardFault[]>;
  /** The light stays until the next call; the adapter plays its rhythm. */
  show(bay: number, light: LightName): void;
  /** Plays once, over the light; a second one takes the place of the first. */
  flash(bay: number, flash: FlashName): void;
  sensors(bay: number): BaySensors;
  /** All lights off, all lines given back. */
  stop(): Promise<void>;
}

export interface BoardListeners {
  readonly onPress: (bay: number, press: Press) => void;
  readonly onSensors: (bay: number, sensors: BaySensors) => void;
  readonly onFault: (fault: BoardFault) => void;
}

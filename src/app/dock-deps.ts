import type { VerifierKey } from '../core/custody/note.ts';
import type { AlarmCode } from '../core/dock/alarms.ts';
import type { BayState, BayStatus } from '../core/dock/bay-state.ts';
import type { Board } from '../ports/board.ts';
import type { CameraLink } from '../ports/camera-link.ts';
import type { StatusBroker } from '../ports/status-broker.ts';
import type { Evidence } from './evidence.ts';
import type { OrdersSetup } from './orders.ts';
import type { DockView } from './publish-status.ts';

export interface DockDeps {
  readonly evidence: Evidence;
  readonly link: CameraLink;
  readonly board: Board;
  /** Undefined for a dock that reports to nobody. */
  readonly broker: StatusBroker | undefined;
  /** Of the witness at the centre. Undefined for a dock whose log nobody cosigns. */
  readonly witness?: VerifierKey | undefined;
  readonly bays: readonly number[];
  /** Semantic version. */
  readonly version: string;
  readonly description: DockView['description'];
  /** The policy, recorded in the log. */
  readonly retentionDays: number;
  /** Processors of this computer. */
  readonly cores?: number;
  /** Bays that take clips at once; undefined: as the dock finds best. */
  readonly ingestsMax?: number | undefined;
  /** A camera's clock that was off by more is an alarm. */
  readonly cameraClockOffsetMsMax?: number | undefined;
  /** Undefined for a dock that takes no orders. */
  readonly orders?: OrdersSetup | undefined;
  readonly observer?: DockObserver;
}

/** What a terminal shows. Called as things happen; must not throw. */
export interface DockObserver {
  onBay?(status: BayStatus): void;
  onProgress?(bay: number, state: BayState): void;
  onEvent?(kind: string, body: Readonly<Record<string, string | number>>): void;
  onAlarm?(code: AlarmCode, isRaised: boolean): void;
}

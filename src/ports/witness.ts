import type { DockId } from '../core/evidence/clip.ts';
import type { CustodyStore } from './custody-store.ts';
import type { Json } from './status-broker.ts';

/** How the witness hears docks and answers them. Nothing here throws for a broker that is away; what is said meanwhile is lost, and docks ask again. */
export interface WitnessBus {
  /** Every message on any dock's `checkpoint`, retained ones too; payloads are hostile. */
  start(onCheckpoint: (dock: DockId, payload: Uint8Array) => void): Promise<void>;
  /** Below the dock's topics. A retained `null` clears. */
  say(message: {
    readonly dock: DockId;
    readonly path: string;
    readonly body: Json;
    readonly retain: boolean;
  }): void;
  readonly connected: boolean;
  onConnectedChange(listener: (connected: boolean) => void): void;
  stop(): Promise<void>;
}

/** What the witness keeps of each dock. */
export interface Mirrors {
  /** The log of this dock, in the layout of a dock's own custody folder. Not opened yet. */
  storeOf(dock: DockId): CustodyStore;
  /** The first signed checkpoint that contradicts the log, durable when it returns; later ones change nothing. */
  keepConflict(dock: DockId, note: string): Promise<void>;
  conflictOf(dock: DockId): Promise<string | undefined>;
}

import type { DockId } from '../core/evidence/clip.ts';
import type { Json } from './status-broker.ts';

/** The centre's line to one dock, over a broker that nobody need trust. Paths are below `docket/1/<site>/<dock>/`. */
export interface OrderLine {
  readonly dock: DockId;
  /** Every message on the paths from then on, and what is retained there. May be opened again once closed. BROKER_UNREACHABLE, BROKER_REFUSED. */
  open(
    paths: readonly string[],
    onMessage: (path: string, payload: Uint8Array) => void,
  ): Promise<void>;
  /** Never retained. May be lost: whoever says something says it again until it is answered. */
  say(path: string, body: Json): void;
  close(): Promise<void>;
}

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/**
 * What the centre sees. Paths are below `docket/1/<site>/<dock>/`. Nothing here throws for a broker that is away: retained values are kept (the last
 * one each) and published again on every connect; events are sent if they can be.
 */
export interface StatusBroker {
  start(): Promise<void>;
  /** `null` clears the topic. */
  retain(path: string, body: Json): void;
  emit(path: string, body: Json): void;
  /**
   * Every message on the path from then on, on every connection, and what is retained there. The payload is as it came: hostile until it is parsed.
   * Called before `start`.
   */
  listen(path: string, listener: (payload: Uint8Array) => void): void;
  readonly connected: boolean;
  onConnectedChange(listener: (connected: boolean) => void): void;
  /** Publishes `disconnected` and closes. */
  stop(): Promise<void>;
}

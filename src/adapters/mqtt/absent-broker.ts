import type { DockError } from '../../core/errors.ts';
import type { StatusBroker } from '../../ports/status-broker.ts';

/** Stands in for a broker whose credentials cannot be read: starting it fails with the reason, and the dock goes on. */
export class AbsentBroker implements StatusBroker {
  readonly connected = false;
  readonly #reason: DockError;

  constructor(reason: DockError) {
    this.#reason = reason;
  }

  async start(): Promise<void> {
    throw this.#reason;
  }

  retain(): void {
    // Nobody listens.
  }

  emit(): void {
    // Nobody listens.
  }

  listen(): void {
    // Nobody speaks.
  }

  onConnectedChange(): void {
    // It never is.
  }

  async stop(): Promise<void> {
    // It never ran.
  }
}

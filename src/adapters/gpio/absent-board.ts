import type { BaySensors, Board, BoardFault } from '../../ports/board.ts';

/** Stands in for a board that this computer cannot drive: the dock takes clips all the same, and says what is missing. */
export class AbsentBoard implements Board {
  readonly name: string;
  readonly #fault: BoardFault;

  constructor(name: string, fault: BoardFault) {
    this.name = name;
    this.#fault = fault;
  }

  async start(): Promise<readonly BoardFault[]> {
    return [this.#fault];
  }

  show(): void {
    // There is no lamp.
  }

  flash(): void {
    // There is no lamp.
  }

  sensors(): BaySensors {
    return { present: undefined, charged: undefined };
  }

  async stop(): Promise<void> {
    // Nothing was taken.
  }
}

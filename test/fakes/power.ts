/** Power is gone: nothing more happens until the parts are made anew. Never a DockError, so that no handler mends it. */
export class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

/** The power of one dock. Each durable change is an effect; after the last one that it lasts for, nothing happens any more. */
export class Power {
  readonly effects: string[] = [];
  /** Called once, in the moment of the cut. */
  onCut: () => void = () => undefined;
  #lastsFor: number;
  #isOff = false;

  constructor(lastsFor = Number.POSITIVE_INFINITY) {
    this.#lastsFor = lastsFor;
  }

  get isOff(): boolean {
    return this.#isOff;
  }

  /** The cut comes after so many effects from now. */
  cutAfter(effects: number): void {
    this.#lastsFor = this.effects.length + effects;
  }

  check(): void {
    if (this.#isOff) throw new PowerCut('the power is cut');
  }

  /** Called after the change. */
  effect(name: string): void {
    this.check();
    this.effects.push(name);
    if (this.effects.length >= this.#lastsFor) this.cut();
    this.check();
  }

  cut(): void {
    if (this.#isOff) return;
    this.#isOff = true;
    this.onCut();
  }
}

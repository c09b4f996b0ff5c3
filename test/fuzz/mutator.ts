const EXTREMES = Uint8Array.of(0, 1, 0x7f, 0x80, 0xfe, 0xff, 0xd0, 0xc4);

/** Whole numbers from 0 up to a bound, the same ones for the same seed (xorshift32). */
export class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = (seed * 2 + 1) | 0;
  }

  below(bound: number): number {
    let next = this.state;
    next ^= next << 13;
    next ^= next >>> 17;
    next ^= next << 5;
    this.state = next;
    return (next >>> 0) % bound;
  }
}

/** One of the inputs with up to five changes: bits, bytes, cuts, or a part of another input. */
export class Mutator {
  private readonly inputs: readonly Uint8Array[];
  private readonly dice: Dice;
  private readonly bytes: Uint8Array;
  private sizeBytes = 0;

  constructor(inputs: readonly Uint8Array[], dice: Dice, sizeMax: number) {
    this.inputs = inputs.map((input) => input.subarray(0, sizeMax));
    this.dice = dice;
    this.bytes = new Uint8Array(sizeMax);
  }

  /** A view that is valid until the next call. */
  next(): Uint8Array {
    const input = this.pick();
    this.bytes.set(input);
    this.sizeBytes = input.length;
    for (let changes = 1 + this.dice.below(5); changes > 0; changes--) this.change();
    return this.bytes.subarray(0, this.sizeBytes);
  }

  private pick(): Uint8Array {
    return this.inputs[this.dice.below(this.inputs.length)] ?? new Uint8Array(0);
  }

  private change(): void {
    const { bytes, dice } = this;
    const at = this.sizeBytes === 0 ? 0 : dice.below(this.sizeBytes);
    const kind = this.sizeBytes === 0 ? 5 : dice.below(6);
    if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << dice.below(8));
    else if (kind === 1) bytes[at] = dice.below(256);
    else if (kind === 2) bytes[at] = EXTREMES[dice.below(EXTREMES.length)] ?? 0;
    else if (kind === 3) this.sizeBytes = at + 1;
    else if (kind === 4) this.cutOut(at);
    else this.splice();
  }

  private cutOut(at: number): void {
    const count = 1 + this.dice.below(this.sizeBytes - at);
    this.bytes.copyWithin(at, at + count, this.sizeBytes);
    this.sizeBytes -= count;
  }

  private splice(): void {
    const other = this.pick();
    if (other.length === 0) return;
    const at = this.dice.below(this.sizeBytes + 1);
    const from = this.dice.below(other.length);
    const count = Math.min(1 + this.dice.below(other.length - from), this.bytes.length - at);
    this.bytes.set(other.subarray(from, from + count), at);
    this.sizeBytes = Math.max(this.sizeBytes, at + count);
  }
}

/** What somebody on the line can make of signatures that he saw, has or can compute, without the key of the side that he plays. */
export class Draw {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** 0 to bound - 1; repeatable from the seed. */
  below(bound: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  bytes(size: number): Uint8Array {
    return Uint8Array.from({ length: size }, () => this.below(256));
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }
}

/** One to eight bits the other way round. */
export function mutate(bytes: Uint8Array, draw: Draw): Uint8Array {
  const mutated = bytes.slice();
  const flips = 1 + draw.below(8);
  for (let flip = 0; flip < flips; flip++) {
    const at = draw.below(mutated.length);
    mutated[at] = (mutated[at] ?? 0) ^ (1 << draw.below(8));
  }
  if (mutated.every((byte, at) => byte === bytes[at])) mutated[0] = (mutated[0] ?? 0) ^ 1;
  return mutated;
}

/** Shorter, or with something behind it. */
export function resize(bytes: Uint8Array, draw: Draw): Uint8Array {
  if (draw.below(2) === 0) return bytes.slice(0, draw.below(bytes.length));
  const more = draw.bytes(1 + draw.below(80));
  const longer = new Uint8Array(bytes.length + more.length);
  longer.set(bytes);
  longer.set(more, bytes.length);
  return longer;
}

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The same signature with the order of the group added to its scalar, as a lax verifier takes it. */
export function malleate(signature: Uint8Array): Uint8Array {
  let scalar = ORDER;
  for (let at = 0; at < 32; at++) scalar += BigInt(signature[32 + at] ?? 0) << BigInt(8 * at);
  const changed = signature.slice();
  for (let at = 0; at < 32; at++) changed[32 + at] = Number((scalar >> BigInt(8 * at)) & 0xffn);
  return changed;
}

/** Signatures that are right for keys of small order, or for nothing. */
export function degenerate(draw: Draw): Uint8Array {
  const signature = new Uint8Array(64);
  const kind = draw.below(4);
  if (kind === 1) signature.fill(0xff);
  if (kind === 2) signature[0] = 1;
  if (kind === 3) signature.set(draw.bytes(64));
  return signature;
}

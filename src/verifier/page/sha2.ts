import type { Digest } from '../report.ts';

/** FIPS 180-4: the constants are the first bits of the fractions of roots of primes, so they are computed and not typed. */
const PRIMES = firstPrimes(80);
const FRACTIONS_512 = PRIMES.map((prime) => rootFraction(prime, 3n));
const START_512 = PRIMES.slice(0, 8).map((prime) => rootFraction(prime, 2n));
const FRACTIONS_256 = Int32Array.from(FRACTIONS_512.slice(0, 64), (bits) => Number(bits >> 32n));
const START_256 = Int32Array.from(START_512, (bits) => Number(bits >> 32n));

function firstPrimes(count: number): bigint[] {
  const primes: bigint[] = [];
  for (let value = 2n; primes.length < count; value++) {
    if (primes.every((prime) => value % prime !== 0n)) primes.push(value);
  }
  return primes;
}

/** First 64 bits of the fraction of the square or cube root. */
function rootFraction(value: bigint, degree: 2n | 3n): bigint {
  const scaled = value << (64n * degree);
  let low = 0n;
  let high = 1n << 72n;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (middle ** degree <= scaled) low = middle;
    else high = middle;
  }
  return low & (2n ** 64n - 1n);
}

/** SHA-256 piece by piece. */
export class Sha256 implements Digest {
  readonly #state = Int32Array.from(START_256);
  readonly #schedule = new Int32Array(64);
  readonly #block = new Uint8Array(64);
  #held = 0;
  #size = 0;

  update(bytes: Uint8Array): void {
    this.#size += bytes.length;
    let at = 0;
    while (at < bytes.length) {
      if (this.#held === 0 && bytes.length - at >= 64) {
        this.#mix(bytes, at);
        at += 64;
        continue;
      }
      const taken = Math.min(64 - this.#held, bytes.length - at);
      this.#block.set(bytes.subarray(at, at + taken), this.#held);
      this.#held += taken;
      at += taken;
      if (this.#held < 64) return;
      this.#mix(this.#block, 0);
      this.#held = 0;
    }
  }

  digest(): Uint8Array {
    const bits = BigInt(this.#size) * 8n;
    const end = new Uint8Array((this.#held < 56 ? 64 : 128) - this.#held);
    end[0] = 0x80;
    new DataView(end.buffer).setBigUint64(end.length - 8, bits);
    this.update(end);
    const result = new DataView(new ArrayBuffer(32));
    for (const [index, word] of this.#state.entries()) result.setInt32(index * 4, word);
    return new Uint8Array(result.buffer);
  }

  /** FIPS 180-4 6.2.2. */
  #mix(bytes: Uint8Array, start: number): void {
    const w = this.#schedule;
    for (let t = 0; t < 16; t++) {
      const i = start + t * 4;
      w[t] =
        (byteAt(bytes, i) << 24) |
        (byteAt(bytes, i + 1) << 16) |
        (byteAt(bytes, i + 2) << 8) |
        byteAt(bytes, i + 3);
    }
    for (let t = 16; t < 64; t++) {
      const x = at(w, t - 15);
      const y = at(w, t - 2);
      const small = turn(x, 7) ^ turn(x, 18) ^ (x >>> 3);
      const large = turn(y, 17) ^ turn(y, 19) ^ (y >>> 10);
      w[t] = at(w, t - 16) + small + at(w, t - 7) + large;
    }
    const state = this.#state;
    let a = at(state, 0);
    let b = at(state, 1);
    let c = at(state, 2);
    let d = at(state, 3);
    let e = at(state, 4);
    let f = at(state, 5);
    let g = at(state, 6);
    let h = at(state, 7);
    for (let t = 0; t < 64; t++) {
      const choice = (e & f) ^ (~e & g);
      const sum = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
      const first = (h + sum + choice + at(FRACTIONS_256, t) + at(w, t)) | 0;
      const majority = (a & b) ^ (a & c) ^ (b & c);
      const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + majority) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + first) | 0;
      d = c;
      c = b;
      b = a;
      a = (first + second) | 0;
    }
    state[0] = at(state, 0) + a;
    state[1] = at(state, 1) + b;
    state[2] = at(state, 2) + c;
    state[3] = at(state, 3) + d;
    state[4] = at(state, 4) + e;
    state[5] = at(state, 5) + f;
    state[6] = at(state, 6) + g;
    state[7] = at(state, 7) + h;
  }
}

function turn(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

function at(words: Int32Array, index: number): number {
  return words[index] as number;
}

/** Apart from `at`, because one function for two kinds of array is many times slower. */
function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}

const MASK_64 = 2n ** 64n - 1n;

/** SHA-512 of a short message, written for its reader and not for speed: a signature needs one. */
export function sha512(message: Uint8Array): Uint8Array {
  const size = Math.ceil((message.length + 17) / 128) * 128;
  const padded = new Uint8Array(size);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(size - 8, BigInt(message.length) * 8n);
  let state = START_512;
  for (let start = 0; start < size; start += 128) state = mix512(state, view, start);
  const result = new DataView(new ArrayBuffer(64));
  for (const [index, word] of state.entries()) result.setBigUint64(index * 8, word);
  return new Uint8Array(result.buffer);
}

/** FIPS 180-4 6.4.2. */
function mix512(state: readonly bigint[], view: DataView, start: number): bigint[] {
  const w: bigint[] = [];
  for (let t = 0; t < 16; t++) w.push(view.getBigUint64(start + t * 8));
  for (let t = 16; t < 80; t++) {
    const x = w[t - 15] ?? 0n;
    const y = w[t - 2] ?? 0n;
    const small = turn64(x, 1n) ^ turn64(x, 8n) ^ (x >> 7n);
    const large = turn64(y, 19n) ^ turn64(y, 61n) ^ (y >> 6n);
    w.push(((w[t - 16] ?? 0n) + small + (w[t - 7] ?? 0n) + large) & MASK_64);
  }
  let [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n, g = 0n, h = 0n] = state;
  for (let t = 0; t < 80; t++) {
    const choice = (e & f) ^ (~e & MASK_64 & g);
    const sum = turn64(e, 14n) ^ turn64(e, 18n) ^ turn64(e, 41n);
    const first = h + sum + choice + (FRACTIONS_512[t] ?? 0n) + (w[t] ?? 0n);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const second = (turn64(a, 28n) ^ turn64(a, 34n) ^ turn64(a, 39n)) + majority;
    [h, g, f, e] = [g, f, e, (d + first) & MASK_64];
    [d, c, b, a] = [c, b, a, (first + second) & MASK_64];
  }
  return [a, b, c, d, e, f, g, h].map((word, i) => ((state[i] ?? 0n) + word) & MASK_64);
}

function turn64(word: bigint, by: bigint): bigint {
  return (word >> by) | ((word << (64n - by)) & MASK_64);
}

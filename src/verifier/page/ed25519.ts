import type { Crypto } from '../report.ts';
import { Sha256, sha512 } from './sha2.ts';

/** RFC 8032 5.1: verification alone, where no browser must be trusted to have it. Nothing here is secret, so nothing is constant in time. */
const P = 2n ** 255n - 19n;
/** Order of the base point. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = modulo(-121665n * inverse(121666n));
const SQRT_MINUS_1 = power(2n, (P - 1n) / 4n);

/** RFC 8032 5.1.4: extended coordinates, x = X/Z, y = Y/Z, x y = T/Z. */
type Point = readonly [X: bigint, Y: bigint, Z: bigint, T: bigint];
const NEUTRAL: Point = [0n, 1n, 1n, 0n];
const BASE = decodePoint(encodeNumber(modulo(4n * inverse(5n)))) ?? NEUTRAL;

function modulo(value: bigint, by = P): bigint {
  const rest = value % by;
  return rest < 0n ? rest + by : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = modulo(base);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = modulo(result * square);
    square = modulo(square * square);
  }
  return result;
}

function inverse(value: bigint): bigint {
  return power(value, P - 2n);
}

function add([x1, y1, z1, t1]: Point, [x2, y2, z2, t2]: Point): Point {
  const a = modulo((y1 - x1) * (y2 - x2));
  const b = modulo((y1 + x1) * (y2 + x2));
  const c = modulo(2n * t1 * t2 * D);
  const d = modulo(2n * z1 * z2);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [modulo(e * f), modulo(g * h), modulo(f * g), modulo(e * h)];
}

function multiply(point: Point, by: bigint): Point {
  let result = NEUTRAL;
  let double = point;
  for (let rest = by; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = add(result, double);
    double = add(double, double);
  }
  return result;
}

function decodeNumber(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte);
  return value;
}

function encodeNumber(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

/** RFC 8032 5.1.3. Undefined for what is no point, or is not written in the one way that its point has. */
function decodePoint(bytes: Uint8Array): Point | undefined {
  const whole = decodeNumber(bytes);
  const sign = whole >> 255n;
  const y = whole & (2n ** 255n - 1n);
  if (y >= P) return undefined;
  const square = modulo((y * y - 1n) * inverse(D * y * y + 1n));
  let x = power(square, (P + 3n) / 8n);
  if (modulo(x * x) !== square) x = modulo(x * SQRT_MINUS_1);
  if (modulo(x * x) !== square || (x === 0n && sign === 1n)) return undefined;
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, modulo(x * y)];
}

function encodePoint([x, y, z]: Point): Uint8Array {
  const inverted = inverse(z);
  return encodeNumber(modulo(y * inverted) | ((modulo(x * inverted) & 1n) << 255n));
}

/** RFC 8032 5.1.7, without the cofactor: R is computed and compared as bytes, and S must be below the order. */
export function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const point = decodePoint(publicKey);
  const s = decodeNumber(signature.subarray(32));
  if (point === undefined || s >= L) return false;
  const hashed = new Uint8Array(64 + message.length);
  hashed.set(signature.subarray(0, 32));
  hashed.set(publicKey, 32);
  hashed.set(message, 64);
  const k = modulo(decodeNumber(sha512(hashed)), L);
  const [x, y, z, t] = multiply(point, k);
  const r = encodePoint(add(multiply(BASE, s), [modulo(-x), y, z, modulo(-t)]));
  return r.every((byte, index) => byte === signature[index]);
}

/** Everything that the checks need, without anything from the browser. */
export const ownCrypto: Crypto = { newSha256: () => new Sha256(), verifyEd25519 };

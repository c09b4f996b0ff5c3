import { type Crypto, Malformed } from '../report.ts';

export type Parse<T> = (text: string) => T | undefined;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function readUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Malformed('it is not UTF-8');
  }
}

export function joinBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

export function sha256(crypto: Crypto, ...parts: readonly Uint8Array[]): Uint8Array {
  const digest = crypto.newSha256();
  for (const part of parts) digest.update(part);
  return digest.digest();
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Lower case, of that many bytes. */
export function parseHexBytes(text: string, size: number): Uint8Array | undefined {
  if (text.length !== size * 2 || !/^[0-9a-f]*$/.test(text)) return undefined;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** RFC 4648 section 4, in the one spelling that a value has. */
export function parseBase64Bytes(text: string, padding: '=' | ''): Uint8Array | undefined {
  const pattern = padding === '=' ? /^[A-Za-z0-9+/]*={0,2}$/ : /^[A-Za-z0-9+/]*$/;
  const isWhole = padding === '=' ? text.length % 4 === 0 : text.length % 4 !== 1;
  if (!pattern.test(text) || !isWhole) return undefined;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  let letters = '';
  for (const byte of bytes) letters += String.fromCharCode(byte);
  const spelled = padding === '=' ? btoa(letters) : btoa(letters).replace(/=+$/, '');
  return spelled === text ? bytes : undefined;
}

/** No sign, no leading zero, at most 2^53 - 1. */
export function parseCount(text: string): number | undefined {
  const value = /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

export function parsePositiveCount(text: string): number | undefined {
  const value = parseCount(text);
  return value === 0 ? undefined : value;
}

/** Milliseconds since 1970 of `2026-01-31T12:00:00.000Z`. */
export function parseTime(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text)) return undefined;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) || new Date(atMs).toISOString() !== text ? undefined : atMs;
}

export function matching(pattern: RegExp): Parse<string> {
  return (text) => (pattern.test(text) ? text : undefined);
}

export const parseClipId = matching(/^[0-9a-f]{32}$/);
export const parseDockId = matching(/^[a-z0-9-]{1,64}\/[a-z0-9-]{1,64}$/);
export const parseDigestHex = matching(/^[0-9a-f]{64}$/);

/** A text of `key value` lines under a line with its type: entries, manifests and receipts are such texts. */
export class Lines {
  readonly #lines: readonly (readonly [string, string])[];
  #next = 0;

  constructor(type: string, text: string) {
    const [first, ...rest] = text.split('\n');
    if (first !== type) throw new Malformed(`its first line is not ${type}`);
    if (rest.pop() !== '') throw new Malformed('its last line does not end');
    this.#lines = rest.map((line, index) => {
      const [, key, value] = /^([a-z0-9-]+) ([!-~]+(?: [!-~]+)*)$/.exec(line) ?? [];
      if (key === undefined || value === undefined) {
        throw new Malformed(`line ${index + 2} is not a key and a value`);
      }
      return [key, value];
    });
  }

  /** The value of the next line if it has this key. */
  optional<T>(key: string, parse: Parse<T>): T | undefined {
    const line = this.#lines[this.#next];
    if (line === undefined || line[0] !== key) return undefined;
    this.#next += 1;
    const value = parse(line[1]);
    if (value === undefined) throw new Malformed(`${key} has a value that it cannot have`);
    return value;
  }

  take<T>(key: string, parse: Parse<T>): T {
    const value = this.optional(key, parse);
    if (value === undefined) throw new Malformed(`line ${this.#next + 2} is not ${key}`);
    return value;
  }

  all<T>(key: string, parse: Parse<T>): T[] {
    const values: T[] = [];
    for (let value = this.optional(key, parse); value !== undefined; ) {
      values.push(value);
      value = this.optional(key, parse);
    }
    return values;
  }

  end(): void {
    if (this.#next < this.#lines.length) throw new Malformed(`line ${this.#next + 2} is too much`);
  }
}

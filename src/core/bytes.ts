const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export function formatHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** Lower-case hex of exactly `sizeBytes` bytes, or undefined. */
export function parseHex(text: string, sizeBytes: number): Uint8Array | undefined {
  if (text.length !== sizeBytes * 2 || !/^[0-9a-f]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(sizeBytes);
  for (let i = 0; i < sizeBytes; i++) bytes[i] = Number.parseInt(text.slice(i * 2, i * 2 + 2), 16);
  return bytes;
}

/** RFC 4648 section 4. Padding is the caller's choice because age wants none and C2SP notes want it. */
export function formatBase64(bytes: Uint8Array, padded: boolean): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += BASE64.charAt(group >> 18) + BASE64.charAt((group >> 12) & 63);
    if (left > 1) text += BASE64.charAt((group >> 6) & 63);
    if (left > 2) text += BASE64.charAt(group & 63);
  }
  return padded ? text.padEnd(Math.ceil(bytes.length / 3) * 4, '=') : text;
}

/** Canonical base64 only: one spelling for one value. Undefined for anything else. */
export function parseBase64(text: string, padded: boolean): Uint8Array | undefined {
  const body = padded ? text.replace(/={0,2}$/, '') : text;
  const bytes = new Uint8Array(Math.floor((body.length * 3) / 4));
  let held = 0;
  let heldBits = 0;
  let length = 0;
  for (const letter of body) {
    const value = BASE64.indexOf(letter);
    if (value < 0) return undefined;
    held = ((held << 6) | value) & 0xffff;
    heldBits += 6;
    if (heldBits >= 8) {
      heldBits -= 8;
      bytes[length++] = (held >> heldBits) & 0xff;
    }
  }
  return formatBase64(bytes, padded) === text ? bytes : undefined;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Undefined when the bytes are not valid UTF-8. */
export function parseUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

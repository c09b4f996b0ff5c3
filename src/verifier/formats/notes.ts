import { type Crypto, Malformed } from '../report.ts';
import { hexOf, joinBytes, parseBase64Bytes, readUtf8, sameBytes, sha256, utf8 } from './text.ts';

/** C2SP signed-note: Ed25519. */
export const SIGNS_NOTES = 0x01;
/** C2SP tlog-cosignature: Ed25519 with a timestamp. */
export const COSIGNS = 0x04;
export const NOTE_SIZE_MAX = 196_608;
const SIGNATURES_MAX = 16;

/** A public key with the name that it signs under. */
export interface NamedKey {
  readonly name: string;
  readonly type: number;
  readonly publicKey: Uint8Array;
  /** 8 hex digits. */
  readonly id: string;
}

export interface SignedText {
  /** Ends in LF; what is signed. */
  readonly text: string;
  readonly signatures: readonly {
    readonly name: string;
    readonly id: string;
    readonly bytes: Uint8Array;
  }[];
}

export function nameKey({ name, type, publicKey }: Omit<NamedKey, 'id'>, crypto: Crypto): NamedKey {
  const preimage = joinBytes(utf8(`${name}\n`), Uint8Array.of(type), publicKey);
  return { name, type, publicKey, id: hexOf(sha256(crypto, preimage).subarray(0, 4)) };
}

/** C2SP signed-note: `name+id+base64(type, key)`. */
export function parseNamedKey(text: string, crypto: Crypto): NamedKey {
  const [, name = '', id, encoded = ''] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text) ?? [];
  const bytes = parseBase64Bytes(encoded, '=');
  if (bytes?.length !== 33) throw new Malformed('a key is written name+id+base64 of 33 bytes');
  const key = nameKey({ name, type: bytes[0] ?? 0, publicKey: bytes.subarray(1) }, crypto);
  if (key.id !== id) throw new Malformed(`the id of ${name} is not that of its key`);
  return key;
}

/** The one spelling of a key. */
export function formatNamedKey({ name, id, type, publicKey }: NamedKey): string {
  return `${name}+${id}+${btoa(String.fromCharCode(type, ...publicKey))}`;
}

/** C2SP signed-note: a text, an empty line, signature lines, and not one byte more. */
export function parseSignedText(bytes: Uint8Array): SignedText {
  const whole = readUtf8(bytes);
  if (/[\u0000-\u0009\u000b-\u001f]/.test(whole)) throw new Malformed('it has a control character');
  const split = whole.lastIndexOf('\n\n');
  if (split < 0) throw new Malformed('it has no signatures');
  const lines = whole.slice(split + 2).split('\n');
  if (lines.pop() !== '') throw new Malformed('its last line does not end');
  if (lines.length === 0 || lines.length > SIGNATURES_MAX) {
    throw new Malformed(`it has ${lines.length} signatures`);
  }
  const signatures = lines.map((line) => {
    const [, name, encoded = ''] = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/=]+)$/.exec(line) ?? [];
    const signature = parseBase64Bytes(encoded, '=');
    if (name === undefined || signature === undefined || signature.length < 5) {
      throw new Malformed('a signature line is not a dash, a name and base64');
    }
    return { name, id: hexOf(signature.subarray(0, 4)), bytes: signature.subarray(4) };
  });
  return { text: whole.slice(0, split + 1), signatures };
}

export interface Signers {
  /** Keys whose signature holds. */
  readonly by: readonly NamedKey[];
  /** Names of keys that we know and whose signature is wrong. */
  readonly wrong: readonly string[];
  /** Names that we do not know. */
  readonly unknown: readonly string[];
}

/** Whose signatures hold, by keys of both types. A signature counts only for the key with its name and its id. */
export function signersOf(note: SignedText, keys: readonly NamedKey[], crypto: Crypto): Signers {
  const by: NamedKey[] = [];
  const wrong: string[] = [];
  const unknown: string[] = [];
  for (const { name, id, bytes } of note.signatures) {
    const key = keys.find((known) => known.name === name && known.id === id);
    if (key === undefined) unknown.push(name);
    else if (holds(note.text, bytes, { key, crypto })) by.push(key);
    else wrong.push(name);
  }
  return { by, wrong, unknown };
}

function holds(
  text: string,
  signature: Uint8Array,
  { key, crypto }: { readonly key: NamedKey; readonly crypto: Crypto },
): boolean {
  const { type, publicKey } = key;
  if (type === SIGNS_NOTES && signature.length === 64) {
    return crypto.verifyEd25519(publicKey, utf8(text), signature);
  }
  if (type !== COSIGNS || signature.length !== 72) return false;
  // C2SP tlog-cosignature: eight bytes of time go before the signature, and into what is signed.
  const { buffer, byteOffset } = signature;
  const time = new DataView(buffer, byteOffset, 8).getBigUint64(0);
  if (time >= 2n ** 63n) return false;
  const message = utf8(`cosignature/v1\ntime ${time}\n${text}`);
  return crypto.verifyEd25519(publicKey, message, signature.subarray(8));
}

/** The text of a note that exactly one key has signed, and nobody else. */
export function textSignedBy(note: SignedText, key: NamedKey, crypto: Crypto): string {
  const { by } = signersOf(note, [key], crypto);
  const [signer] = by;
  const isAlone = note.signatures.length === 1;
  if (signer === undefined || !isAlone || !sameBytes(signer.publicKey, key.publicKey)) {
    throw new Malformed(`it is not signed by ${key.name}, and by nobody else`);
  }
  return note.text;
}

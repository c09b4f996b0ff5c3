import {
  concatBytes,
  equalBytes,
  formatBase64,
  formatHex,
  parseBase64,
  parseHex,
  parseUtf8,
  utf8,
} from '../bytes.ts';
import { DockError } from '../errors.ts';
import { type Finding, finding } from './finding.ts';
import type { Sha256, VerifyEd25519 } from './primitives.ts';

export const NOTE_TEXT_BYTES_MAX = 65_536;
export const NOTE_SIGNATURES_MAX = 16;
/** Text, and sixteen signatures of the largest assigned type. */
export const NOTE_BYTES_MAX = NOTE_TEXT_BYTES_MAX + NOTE_SIGNATURES_MAX * 8_192;

/** C2SP signed-note, signature types: Ed25519. */
export const ED25519_TYPE = 0x01;
const KEY_ID_BYTES = 4;
const ED25519_KEY_BYTES = 32;
const ED25519_SIGNATURE_BYTES = 64;
const SIGNATURE_PREFIX = '\u2014 ';

export interface NoteSignature {
  readonly name: string;
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
}

export interface Note {
  /** Ends in LF; what the signatures are over. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface VerifierKey {
  readonly name: string;
  readonly type: number;
  readonly publicKey: Uint8Array;
}

export interface NoteSigner {
  readonly name: string;
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

export interface NoteCrypto {
  readonly sha256: Sha256;
  readonly verify: VerifyEd25519;
}

export interface NoteVerdict {
  readonly ok: boolean;
  /** Undefined when the note does not parse. Not to be trusted unless `ok`. */
  readonly text: string | undefined;
  /** Names of the known keys whose signature holds, each once. */
  readonly signedBy: readonly string[];
  readonly findings: readonly Finding[];
}

export function isKeyName(name: string): boolean {
  return name !== '' && !/[\s\p{Z}\p{Cc}\p{Cs}+]/u.test(name);
}

export function ed25519Key(name: string, publicKey: Uint8Array): VerifierKey {
  return { name, type: ED25519_TYPE, publicKey };
}

export function keyIdOf(key: VerifierKey, sha256: Sha256): Uint8Array {
  const preimage = concatBytes(utf8(`${key.name}\n`), Uint8Array.of(key.type), key.publicKey);
  return sha256(preimage).subarray(0, KEY_ID_BYTES);
}

/** `name+keyid+key`, as the Go checksum database and the witnesses write it. */
export function formatVerifierKey(key: VerifierKey, sha256: Sha256): string {
  const encoded = concatBytes(Uint8Array.of(key.type), key.publicKey);
  return `${key.name}+${formatHex(keyIdOf(key, sha256))}+${formatBase64(encoded, true)}`;
}

/** KEY_INVALID when the grammar, the key id or the length of an Ed25519 key is wrong. */
export function parseVerifierKey(text: string, sha256: Sha256): VerifierKey {
  const [, name = '', idHex = '', encoded = ''] =
    /^([^+]*)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text) ?? [];
  const keyId = parseHex(idHex, KEY_ID_BYTES);
  const bytes = parseBase64(encoded, true);
  if (!isKeyName(name) || keyId === undefined || bytes === undefined) {
    throw new DockError('KEY_INVALID', 'a verifier key is written as name+keyid+base64');
  }
  const key = { name, type: bytes[0] ?? 0, publicKey: bytes.subarray(1) };
  if (key.type === ED25519_TYPE && key.publicKey.length !== ED25519_KEY_BYTES) {
    throw new DockError('KEY_INVALID', `the Ed25519 key of ${name} is not 32 bytes`);
  }
  if (!equalBytes(keyIdOf(key, sha256), keyId)) {
    throw new DockError('KEY_INVALID', `the key id of ${name} does not belong to its key`);
  }
  return key;
}

/** NOTE_INVALID says which rule of the grammar is broken. */
export function parseNote(note: string | Uint8Array): Note {
  const whole = checkedText(note);
  // C2SP signed-note: the text ends at the last empty line.
  const split = whole.lastIndexOf('\n\n');
  if (split < 0) throw invalid('it has no blank line before its signatures');
  const text = whole.slice(0, split + 1);
  if (utf8(text).length > NOTE_TEXT_BYTES_MAX) throw invalid('its text is too long');
  const lines = whole.slice(split + 2).split('\n');
  if (lines.pop() !== '') throw invalid('it does not end in a newline');
  if (lines.length === 0) throw invalid('it has no signature');
  if (lines.length > NOTE_SIGNATURES_MAX) throw invalid('it has too many signatures');
  return { text, signatures: lines.map(parseSignatureLine) };
}

export function formatNote(note: Note): string {
  const lines = note.signatures.map(({ name, keyId, signature }) => {
    const encoded = formatBase64(concatBytes(keyId, signature), true);
    return `${SIGNATURE_PREFIX}${name} ${encoded}\n`;
  });
  return `${note.text}\n${lines.join('')}`;
}

/** NOTE_INVALID when the text cannot be the text of a note. */
export function signNote(text: string, signer: NoteSigner, sha256: Sha256): string {
  if (!text.endsWith('\n')) throw invalid('its text does not end in a newline');
  const keyId = keyIdOf(ed25519Key(signer.name, signer.publicKey), sha256);
  const signature = signer.sign(utf8(text));
  const note = formatNote({ text, signatures: [{ name: signer.name, keyId, signature }] });
  if (parseNote(note).text !== text) throw invalid('its text would be read as signatures');
  return note;
}

/** C2SP signed-note: unknown keys are ignored, a known key that does not verify rejects, none that verifies rejects. */
export function verifyNote(
  note: string | Uint8Array,
  keys: readonly VerifierKey[],
  crypto: NoteCrypto,
): NoteVerdict {
  let parsed: Note;
  try {
    parsed = parseNote(note);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return {
      ok: false,
      text: undefined,
      signedBy: [],
      findings: [finding('NOTE_MALFORMED', detail)],
    };
  }
  return verifyParsed(parsed, keys, crypto);
}

function verifyParsed(note: Note, keys: readonly VerifierKey[], crypto: NoteCrypto): NoteVerdict {
  const message = utf8(note.text);
  const signedBy = new Set<string>();
  const findings: Finding[] = [];
  for (const line of note.signatures) {
    const known = keys.filter((key) => isSignerOf(line, key, crypto.sha256));
    if (known.length === 0) continue;
    // A shorter or longer signature must not reach a primitive that asserts on it.
    const sized = line.signature.length === ED25519_SIGNATURE_BYTES;
    const holds =
      sized && known.some((key) => crypto.verify(key.publicKey, message, line.signature));
    if (holds) signedBy.add(line.name);
    else findings.push(finding('SIGNATURE_WRONG', `the signature of ${line.name} does not verify`));
  }
  if (signedBy.size === 0 && findings.length === 0) {
    findings.push(finding('NOTE_UNSIGNED', 'no known key has signed it'));
  }
  return { ok: findings.length === 0, text: note.text, signedBy: [...signedBy], findings };
}

function isSignerOf(line: NoteSignature, key: VerifierKey, sha256: Sha256): boolean {
  if (key.type !== ED25519_TYPE || key.name !== line.name) return false;
  return equalBytes(keyIdOf(key, sha256), line.keyId);
}

function parseSignatureLine(line: string): NoteSignature {
  const [name = '', encoded = '', ...rest] = line.slice(SIGNATURE_PREFIX.length).split(' ');
  const bytes = parseBase64(encoded, true);
  if (!line.startsWith(SIGNATURE_PREFIX) || rest.length > 0 || !isKeyName(name)) {
    throw invalid('a signature line is not a dash, a name and base64');
  }
  if (bytes === undefined || bytes.length <= KEY_ID_BYTES) {
    throw invalid(`the signature of ${name} is not base64 of a key id and a signature`);
  }
  return { name, keyId: bytes.subarray(0, KEY_ID_BYTES), signature: bytes.subarray(KEY_ID_BYTES) };
}

function checkedText(note: string | Uint8Array): string {
  if (note.length > NOTE_BYTES_MAX) throw invalid('it is too long');
  const text = typeof note === 'string' ? note : parseUtf8(note);
  if (text === undefined || /\p{Cs}/u.test(text)) throw invalid('it is not UTF-8');
  if (/[\u0000-\u0009\u000b-\u001f]/.test(text)) throw invalid('it has a control character');
  return text;
}

function invalid(reason: string): DockError {
  return new DockError('NOTE_INVALID', `the note is refused: ${reason}`);
}

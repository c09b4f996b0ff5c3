import { concatBytes, equalBytes, utf8 } from '../bytes.ts';
import { type Finding, finding } from '../custody/finding.ts';
import {
  formatNote,
  keyIdOf,
  type NoteCrypto,
  type NoteSignature,
  type NoteSigner,
  parseNote,
  type VerifierKey,
} from '../custody/note.ts';
import type { Sha256 } from '../custody/primitives.ts';

/** C2SP signed-note, signature types: Ed25519 over a checkpoint and a time. */
export const COSIGNATURE_TYPE = 0x04;
const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;
/** The last second of the year 9999. */
const SECONDS_MAX = 253_402_300_799;

export interface Cosignature {
  /** Of the witness. */
  readonly name: string;
  /** When the witness saw the checkpoint; whole seconds. */
  readonly atMs: number;
}

export interface CosignatureVerdict {
  /** Those of known witnesses that hold. */
  readonly cosignatures: readonly Cosignature[];
  readonly findings: readonly Finding[];
}

export function cosignatureKey(name: string, publicKey: Uint8Array): VerifierKey {
  return { name, type: COSIGNATURE_TYPE, publicKey };
}

/** The checkpoint with this one cosignature behind the signatures named `kept`, and no other line. */
export function cosign(
  note: string,
  { signer, atMs, kept }: { signer: NoteSigner; atMs: number; kept: string },
  sha256: Sha256,
): string {
  const { text, signatures } = parseNote(note);
  const seconds = Math.floor(atMs / 1_000);
  const signature = concatBytes(encodeTime(seconds), signer.sign(messageOf(text, seconds)));
  const keyId = keyIdOf(cosignatureKey(signer.name, signer.publicKey), sha256);
  const others = signatures.filter(({ name }) => name === kept);
  return formatNote({ text, signatures: [...others, { name: signer.name, keyId, signature }] });
}

/** C2SP tlog-cosignature. Unknown keys are ignored; a known witness whose line does not verify is a finding. */
export function verifyCosignatures(
  note: string | Uint8Array,
  witnesses: readonly VerifierKey[],
  crypto: NoteCrypto,
): CosignatureVerdict {
  const { text, signatures } = parseNote(note);
  const cosignatures: Cosignature[] = [];
  const findings: Finding[] = [];
  for (const line of signatures) {
    const known = witnesses.filter((key) => isCosignerOf(line, key, crypto.sha256));
    if (known.length === 0) continue;
    const seconds = decodeTime(line.signature);
    const signature = line.signature.subarray(TIME_BYTES);
    const holds =
      seconds !== undefined &&
      known.some(({ publicKey }) => crypto.verify(publicKey, messageOf(text, seconds), signature));
    if (holds) cosignatures.push({ name: line.name, atMs: seconds * 1_000 });
    else {
      findings.push(
        finding('COSIGNATURE_WRONG', `the cosignature of ${line.name} does not verify`),
      );
    }
  }
  return { cosignatures, findings };
}

function messageOf(text: string, seconds: number): Uint8Array {
  return utf8(`cosignature/v1\ntime ${seconds}\n${text}`);
}

function isCosignerOf(line: NoteSignature, key: VerifierKey, sha256: Sha256): boolean {
  if (key.type !== COSIGNATURE_TYPE || key.name !== line.name) return false;
  return equalBytes(keyIdOf(key, sha256), line.keyId);
}

function encodeTime(seconds: number): Uint8Array {
  const bytes = new Uint8Array(TIME_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(seconds / 2 ** 32));
  view.setUint32(4, seconds % 2 ** 32);
  return bytes;
}

/** Undefined for a line of another length or a time that no calendar shows. */
function decodeTime(signature: Uint8Array): number | undefined {
  if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined;
  const view = new DataView(signature.buffer, signature.byteOffset, TIME_BYTES);
  const seconds = view.getUint32(0) * 2 ** 32 + view.getUint32(4);
  return seconds <= SECONDS_MAX ? seconds : undefined;
}

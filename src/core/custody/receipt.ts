import { formatHex, parseHex, utf8 } from '../bytes.ts';
import { DockError } from '../errors.ts';
import type { CameraSerial, ClipId, DockId } from '../evidence/clip.ts';
import { parseCameraSerial, parseClipId, parseDockId } from '../evidence/clip.ts';
import { FieldReader, formatFields, parseDecimal, parseFields } from './fields.ts';
import { type Finding, finding } from './finding.ts';
import { HASH_BYTES } from './merkle.ts';
import type { NoteCrypto, NoteSigner, VerifierKey } from './note.ts';
import { parseNote, signNote, verifyNote } from './note.ts';
import type { Sha256 } from './primitives.ts';
import { verifyInclusion } from './verify-merkle.ts';

const RECEIPT_TYPE = 'docket/receipt/v1';
/** SPEC 1. */
export const RECEIPT_SIZE_MAX = 8_192;

/** SPEC 7: tells the camera that the dock can prove that it has the clip. */
export interface Receipt {
  readonly dock: DockId;
  readonly camera: CameraSerial;
  readonly counter: number;
  readonly sizeBytes: number;
  /** Of the clip, lower-case hex. */
  readonly sha256: string;
  readonly clip: ClipId;
  readonly leafHash: Uint8Array;
  readonly index: number;
  readonly treeSize: number;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

export interface ReceiptVerdict {
  readonly ok: boolean;
  /** Undefined unless `ok`. */
  readonly receipt: Receipt | undefined;
  readonly signedBy: readonly string[];
  readonly findings: readonly Finding[];
}

export function formatReceipt(receipt: Receipt): string {
  return formatFields(RECEIPT_TYPE, [
    ['dock', receipt.dock],
    ['camera', receipt.camera],
    ['counter', String(receipt.counter)],
    ['size', String(receipt.sizeBytes)],
    ['sha256', receipt.sha256],
    ['clip', receipt.clip],
    ['leaf', formatHex(receipt.leafHash)],
    ['index', String(receipt.index)],
    ['tree', String(receipt.treeSize)],
    ['root', formatHex(receipt.root)],
    ...receipt.proof.map((hash) => ['proof', formatHex(hash)] as const),
  ]);
}

/** NOTE_INVALID. The text of a receipt, without its signature. */
export function parseReceipt(text: string): Receipt {
  const result = parseFields(RECEIPT_TYPE, text);
  if (!result.ok) throw new DockError('NOTE_INVALID', result.finding.detail);
  const reader = new FieldReader(result.fields, 'NOTE_INVALID');
  const receipt = {
    dock: reader.takeParsed('dock', parseDockId),
    camera: reader.takeParsed('camera', parseCameraSerial),
    counter: reader.takeParsed('counter', parseDecimal),
    sizeBytes: reader.takeParsed('size', parseDecimal),
    sha256: formatHex(reader.takeParsed('sha256', parseHash)),
    clip: reader.takeParsed('clip', parseClipId),
    leafHash: reader.takeParsed('leaf', parseHash),
    index: reader.takeParsed('index', parseDecimal),
    treeSize: reader.takeParsed('tree', parseDecimal),
    root: reader.takeParsed('root', parseHash),
    proof: reader.takeAll('proof').map((text) => {
      const hash = parseHash(text);
      if (hash === undefined) throw reader.refuse('a proof line is not 64 hex digits');
      return hash;
    }),
  };
  reader.end();
  return receipt;
}

/** `signer` is the dock's receipt key, named `<dock id>/receipt`. */
export function signReceipt(receipt: Receipt, signer: NoteSigner, sha256: Sha256): string {
  if (signer.name !== keyNameOf(receipt)) {
    throw new DockError('KEY_INVALID', `a receipt is signed by ${keyNameOf(receipt)}`);
  }
  return signNote(formatReceipt(receipt), signer, sha256);
}

/** What a camera checks (SPEC 7), but for the fields that it compares with its own record. */
export function verifyReceipt(
  note: string,
  keys: readonly VerifierKey[],
  crypto: NoteCrypto,
): ReceiptVerdict {
  const { ok, text, signedBy, findings } = verifyNote(note, keys, crypto);
  const refuse = (found: readonly Finding[]): ReceiptVerdict => {
    return { ok: false, receipt: undefined, signedBy, findings: found };
  };
  if (!ok || text === undefined) return refuse(findings);
  if (utf8(note).length > RECEIPT_SIZE_MAX || parseNote(note).signatures.length !== 1) {
    return refuse([finding('RECEIPT_MALFORMED', 'it is too long or has several signatures')]);
  }
  let receipt: Receipt;
  try {
    receipt = parseReceipt(text);
  } catch (error) {
    if (!(error instanceof DockError)) throw error;
    return refuse([finding('RECEIPT_MALFORMED', error.message)]);
  }
  if (!signedBy.includes(keyNameOf(receipt))) {
    return refuse([finding('SIGNER_WRONG', `it is not signed by ${keyNameOf(receipt)}`)]);
  }
  const inclusion = verifyInclusion(receipt, crypto.sha256);
  return inclusion.ok ? { ok, receipt, signedBy, findings } : refuse(inclusion.findings);
}

function keyNameOf(receipt: Receipt): string {
  return `${receipt.dock}/receipt`;
}

function parseHash(text: string): Uint8Array | undefined {
  return parseHex(text, HASH_BYTES);
}

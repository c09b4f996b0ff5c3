import { formatBase64, parseBase64, parseHex, parseUtf8, utf8 } from '../bytes.ts';
import { DockError } from '../errors.ts';
import { type ClipId, parseClipId } from './clip.ts';

export const DETAILS_TYPE = 'docket/details/v1';
/** Far above what a record of SPEC 5 can fill, escapes included. */
export const DETAILS_BYTES_MAX = 16_384;

/** What identifies people. Sealed to the council before it touches a disk, and gone when the clip goes. */
export interface Details {
  readonly clip: ClipId;
  /** Lower-case hex: ties the details to the clip's bytes. */
  readonly sha256: string;
  /** The camera's record as received, signature included. */
  readonly record: Uint8Array;
  /** The camera's own name for the clip, verbatim: escape it before it is shown. */
  readonly name: string;
  /** Verbatim: escape it before it is shown. */
  readonly wearer: string;
}

/** Canonical JSON, one line, one spelling for one value. */
export function formatDetails(details: Details): Uint8Array {
  return utf8(spell(details));
}

/** Reads details that were opened. OPEN_FAILED when they are not details of version 1. */
export function parseDetails(bytes: Uint8Array): Details {
  const text = bytes.length > DETAILS_BYTES_MAX ? undefined : parseUtf8(bytes);
  if (text === undefined) throw invalid('they are too long or not UTF-8');
  const value = parseJson(text);
  const clip = parseClipId(stringAt(value, 'clip'));
  const sha256 = stringAt(value, 'sha256');
  const record = parseBase64(stringAt(value, 'record'), true);
  if (stringAt(value, 'type') !== DETAILS_TYPE) throw invalid(`they are not ${DETAILS_TYPE}`);
  if (clip === undefined || record === undefined || parseHex(sha256, 32) === undefined) {
    throw invalid('clip, sha256 or record is outside its grammar');
  }
  const name = stringAt(value, 'name');
  const details = { clip, sha256, record, name, wearer: stringAt(value, 'wearer') };
  if (spell(details) !== text) throw invalid('they are not in canonical form');
  return details;
}

/** Text of foreign origin made fit for a terminal or a log: what moves, colours, hides or reorders is shown as `\u{..}`. */
export function escapeForTerminal(text: string): string {
  return text.replace(
    // Controls, format and bidirectional marks, unpaired surrogates, private and unassigned letters, separators but the space.
    /[\\\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}|\p{Default_Ignorable_Code_Point}/gu,
    (letter) => (letter === '\\' ? '\\\\' : `\\u{${codeOf(letter)}}`),
  );
}

function codeOf(letter: string): string {
  return (letter.codePointAt(0) ?? 0).toString(16);
}

function spell({ clip, sha256, record, name, wearer }: Details): string {
  const value = { type: DETAILS_TYPE, clip, sha256, record: formatBase64(record, true) };
  return `${JSON.stringify({ ...value, name, wearer })}\n`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid('they are not JSON', error);
  }
}

function stringAt(value: unknown, key: string): string {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) {
    throw invalid(`${key} is missing`);
  }
  const found: unknown = Reflect.get(value, key);
  if (typeof found !== 'string') throw invalid(`${key} is not text`);
  return found;
}

function invalid(reason: string, cause?: unknown): DockError {
  return new DockError('OPEN_FAILED', `the details are refused: ${reason}`, { cause });
}

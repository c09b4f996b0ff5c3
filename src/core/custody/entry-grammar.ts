import { formatBase64, parseBase64 } from '../bytes.ts';
import { dispositionOf, type ErrorCode } from '../errors.ts';
import type { CameraAuth } from '../evidence/clip.ts';
import { parseClipId, parseDockId } from '../evidence/clip.ts';
import { formatIsoMs, parseDecimal, parseIsoMs } from './fields.ts';

/** One field's values and their one spelling. */
export interface Grammar<T> {
  /** Undefined for anything that `format` would not write. */
  parse(text: string): T | undefined;
  format(value: T): string;
}

export const ACTORS = ['dock', 'wearer', 'operator', 'centre'] as const;
export type Actor = (typeof ACTORS)[number];

/**
 * Why an act was done, where no error code says it. Append only: an entry that names a code stays in the log for ever.
 */
export const REASONS = [
  'WEARER-BUTTON',
  'OPERATOR-ORDER',
  'CENTRE-ORDER',
  'INCIDENT',
  'INTERRUPTED',
  'ABANDONED',
  'TAKEN-EARLY',
  'INVESTIGATION',
  'COMPLAINT',
  'SUBJECT-REQUEST',
  'APPEAL',
  'COURT-ORDER',
  'POLICE-REQUEST',
  'CASE-CLOSED',
  'HELD-IN-ERROR',
  'RETENTION-ENDED',
  'ERASURE-GRANTED',
  'RECORDED-IN-ERROR',
  'OBJECTION',
  'OBJECTION-REFUSED',
  'ACCURACY-DISPUTED',
  'CORRECTION',
  'CONSENT',
  'LEGAL-DUTY',
  'REQUEST-RECEIVED',
  'REQUEST-GRANTED',
  'REQUEST-REFUSED',
  'POLICY-CHANGE',
  'ISSUED',
  'FOUND-AGAIN',
  'LOST',
  'STOLEN',
  'WITHDRAWN',
] as const;
export type ReasonCode = (typeof REASONS)[number] | ErrorCode;

/** A closed list, because a free word could be a name. */
export function parseReason(text: string): ReasonCode | undefined {
  if (REASONS.some((reason) => reason === text)) return text as ReasonCode;
  if (!/^[A-Z]+(_[A-Z]+)*$/.test(text)) return undefined;
  return dispositionOf(text as ErrorCode) === undefined ? undefined : (text as ErrorCode);
}

export const clipId = plain(parseClipId);
export const dockId = plain(parseDockId);
export const reason = plain(parseReason);
export const digest = matching(/^[0-9a-f]{64}$/);
/** Key ids (C2SP signed-note) of those who signed: no names. */
export const keyIds = matching(/^[0-9a-f]{8}(,[0-9a-f]{8}){0,3}$/);
export const bootId = matching(/^[0-9a-f]{8}$/);
export const version = matching(/^(0|[1-9]\d{0,5})(\.(0|[1-9]\d{0,5})){2}$/);
export const actor = oneOf(ACTORS);
export const cameraAuth = oneOf<CameraAuth>(['ed25519', 'none']);
export const systemClock = oneOf(['system'] as const);
export const time: Grammar<number> = { parse: parseIsoMs, format: formatIsoMs };
export const decimal: Grammar<number> = { parse: parseDecimal, format: String };
export const bayNumber: Grammar<number> = { parse: parseBay, format: String };
export const signedDecimal: Grammar<number> = { parse: parseSigned, format: String };
export const retentionDays: Grammar<number> = { parse: parseRetention, format: String };
export const publicKey: Grammar<Uint8Array> = {
  parse: (text) => keyOrNothing(parseBase64(text, true)),
  format: (key) => formatBase64(key, true),
};
export const yesNo: Grammar<boolean> = {
  parse: (text) => (text === 'yes' ? true : text === 'no' ? false : undefined),
  format: (value) => (value ? 'yes' : 'no'),
};

/** Left out of the text when undefined. */
export interface OptionalGrammar<T> extends Grammar<T> {
  readonly optional: true;
}

export function optional<T>(grammar: Grammar<T>): OptionalGrammar<T> {
  return { ...grammar, optional: true };
}

function plain<T extends string>(parse: (text: string) => T | undefined): Grammar<T> {
  return { parse, format: (value) => value };
}

function matching(pattern: RegExp): Grammar<string> {
  return plain((text) => (pattern.test(text) ? text : undefined));
}

function oneOf<T extends string>(words: readonly T[]): Grammar<T> {
  return plain((text) => words.find((word) => word === text));
}

function parseBay(text: string): number | undefined {
  return /^[1-9]\d?$/.test(text) ? Number(text) : undefined;
}

function parseRetention(text: string): number | undefined {
  const days = parseDecimal(text);
  return days !== undefined && days >= 1 && days <= 3_650 ? days : undefined;
}

function keyOrNothing(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes?.length === 32 ? bytes : undefined;
}

function parseSigned(text: string): number | undefined {
  const size = parseDecimal(text.replace(/^-/, ''));
  if (size === undefined || text === '-0') return undefined;
  return text.startsWith('-') ? -size : size;
}

import { DockError, type ErrorCode } from '../errors.ts';
import { type Finding, finding } from './finding.ts';

export type Field = readonly [key: string, value: string];

/** A typed text of `key value` lines. Keys may repeat; order is kept and is part of the text. */
export interface Fields {
  readonly type: string;
  readonly lines: readonly Field[];
}

export type FieldsResult =
  | { readonly ok: true; readonly fields: Fields }
  | { readonly ok: false; readonly finding: Finding };

export const FIELDS_LINES_MAX = 4_096;
const TYPE = /^[a-z0-9-]+(\/[a-z0-9-]+)*\/v[1-9][0-9]*$/;
const KEY = /^[a-z0-9-]+$/;
/** ASCII alone, so that one value has one spelling and no letter hides another. */
const VALUE = /^[!-~]+( [!-~]+)*$/;

/** The whole text must be of this type and grammar; nothing is trimmed, skipped or mended. */
export function parseFields(type: string, text: string): FieldsResult {
  const [first, ...rest] = text.split('\n');
  if (first !== type) return malformed(1, `it is not of type ${type}`);
  const lineCount = rest.length + 1;
  if (rest.pop() !== '') return malformed(lineCount, 'the last line does not end in LF');
  if (rest.length > FIELDS_LINES_MAX) return malformed(FIELDS_LINES_MAX, 'too many lines');
  const lines: Field[] = [];
  for (const line of rest) {
    const space = line.indexOf(' ');
    const key = line.slice(0, space);
    const value = line.slice(space + 1);
    if (space < 0 || !KEY.test(key) || !VALUE.test(value)) {
      return malformed(lines.length + 2, 'it is not a key and a value');
    }
    lines.push([key, value]);
  }
  return { ok: true, fields: { type, lines } };
}

/** NOTE_INVALID for a key or value that `parseFields` would refuse. */
export function formatFields(type: string, lines: readonly Field[]): string {
  if (!TYPE.test(type)) throw new DockError('NOTE_INVALID', 'the type of a text is name/name/vN');
  if (lines.length > FIELDS_LINES_MAX) throw new DockError('NOTE_INVALID', 'too many lines');
  let text = `${type}\n`;
  for (const [key, value] of lines) {
    if (!KEY.test(key) || !VALUE.test(value)) {
      throw new DockError('NOTE_INVALID', `the value of ${JSON.stringify(key)} cannot be written`);
    }
    text += `${key} ${value}\n`;
  }
  return text;
}

/** Takes lines in their fixed order; throws its code with the line's number. */
export class FieldReader {
  readonly #lines: readonly Field[];
  readonly #code: ErrorCode;
  #next = 0;

  constructor(fields: Fields, code: ErrorCode) {
    this.#lines = fields.lines;
    this.#code = code;
  }

  take(key: string): string {
    const value = this.takeOptional(key);
    if (value === undefined) throw this.refuse(`${key} is missing`);
    return value;
  }

  /** Undefined, and nothing taken, when the next line has another key. */
  takeOptional(key: string): string | undefined {
    const line = this.#lines[this.#next];
    if (line === undefined || line[0] !== key) return undefined;
    this.#next += 1;
    return line[1];
  }

  takeAll(key: string): string[] {
    const values: string[] = [];
    for (let value = this.takeOptional(key); value !== undefined; value = this.takeOptional(key)) {
      values.push(value);
    }
    return values;
  }

  /** A taken value parsed; `undefined` from the parser refuses the line. */
  takeParsed<T>(key: string, parse: (text: string) => T | undefined): T {
    const value = parse(this.take(key));
    if (value === undefined) throw this.refuse(`${key} has a value outside its grammar`, 0);
    return value;
  }

  end(): void {
    if (this.#next < this.#lines.length) throw this.refuse('a line is not expected here');
  }

  refuse(reason: string, ahead = 1): DockError {
    return new DockError(this.#code, `line ${this.#next + 1 + ahead}: ${reason}`);
  }
}

/** Canonical: no sign, no leading zero, at most 2^53 - 1. */
export function parseDecimal(text: string): number | undefined {
  if (!/^(0|[1-9][0-9]{0,15})$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** UTC with milliseconds, `2026-01-31T12:00:00.000Z`, and no other spelling. */
export function parseIsoMs(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text)) return undefined;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) || formatIsoMs(atMs) !== text ? undefined : atMs;
}

/** ARGUMENT_INVALID outside the years 0000 to 9999. */
export function formatIsoMs(atMs: number): string {
  const date = new Date(atMs);
  const text = Number.isNaN(date.getTime()) ? '' : date.toISOString();
  if (text.length !== 24 || !Number.isInteger(atMs)) {
    throw new DockError('ARGUMENT_INVALID', `${atMs} ms is not a time that can be written`);
  }
  return text;
}

function malformed(line: number, reason: string): FieldsResult {
  return { ok: false, finding: finding('FIELDS_MALFORMED', `line ${line}: ${reason}`) };
}

import { formatBase64, parseBase64, parseUtf8, utf8 } from '../bytes.ts';
import { HASH_BYTES } from '../custody/merkle.ts';
import { DockError } from '../errors.ts';
import type { AddCheckpoint } from './rules.ts';

/** INVARIANTS: whatever arrives is hostile until it is parsed; nothing is kept of what does not. */

/** Paths below `docket/1/<site>/<dock>/`. */
export const CHECKPOINT_PATH = 'checkpoint';
export const COSIGNATURE_PATH = 'cosig';
export const WITNESS_MESSAGE_BYTES_MAX = 65_536;
/** Of the entries in one message: what JSON adds to them stays below the limit of a message. */
export const PIECE_BYTES_MAX = 40_000;
const HASHES_MAX = 64;
const ENTRIES_MAX = 4_096;
const WHY_MAX = 200;

/** Entries `from`, `from + 1`, ...: under the checkpoint that they come with, as `proof` shows (C2SP tlog-mirror). */
export interface EntriesPiece {
  readonly from: number;
  readonly leaves: readonly Uint8Array[];
  /** Consistency of the tree that ends with them and the checkpoint's. */
  readonly proof: readonly Uint8Array[];
}

/** Body of `checkpoint`. */
export interface CheckpointRequest extends AddCheckpoint {
  /** The answer repeats it. */
  readonly seq: number;
  readonly entries: EntriesPiece | undefined;
}

/** Body of `cosig`. 200: `note` is the checkpoint with the cosignature. 202: send the entries from `next`. 409: `note` is the newest cosigned one. */
export interface CosignatureAnswer {
  readonly status: number;
  readonly seq: number;
  readonly treeSize: number;
  readonly note?: string;
  readonly next?: number;
  readonly why?: string;
}

export type RequestBody = {
  readonly note: string;
  readonly seq: number;
  readonly old: number;
  readonly proof: readonly string[];
  readonly entries?: {
    readonly from: number;
    readonly leaves: readonly string[];
    readonly proof: readonly string[];
  };
};

export function requestBody({
  note,
  seq,
  oldSize,
  proof,
  entries,
}: CheckpointRequest): RequestBody {
  return {
    note,
    seq,
    old: oldSize,
    proof: proof.map(encodeHash),
    ...(entries === undefined
      ? {}
      : {
          entries: {
            from: entries.from,
            leaves: entries.leaves.map((leaf) => parseUtf8(leaf) ?? ''),
            proof: entries.proof.map(encodeHash),
          },
        }),
  };
}

/** Undefined for what is no request: a body with a note alone is meant for other readers. NOTE_INVALID. */
export function parseRequest(payload: Uint8Array): CheckpointRequest | undefined {
  const body = parseObject(payload);
  if (body.old === undefined) return undefined;
  const entries = body.entries === undefined ? undefined : parsePiece(body.entries);
  return {
    note: text(body.note),
    seq: count(body.seq),
    oldSize: count(body.old),
    proof: hashes(body.proof),
    entries,
  };
}

/** NOTE_INVALID. */
export function parseAnswer(payload: Uint8Array): CosignatureAnswer {
  const body = parseObject(payload);
  return {
    status: count(body.status),
    seq: count(body.seq),
    treeSize: count(body.treeSize),
    ...(body.note === undefined ? {} : { note: text(body.note) }),
    ...(body.next === undefined ? {} : { next: count(body.next) }),
    ...(body.why === undefined ? {} : { why: text(body.why).slice(0, WHY_MAX) }),
  };
}

function parsePiece(value: unknown): EntriesPiece {
  const body = object(value);
  const leaves = list(body.leaves, ENTRIES_MAX).map((leaf) => utf8(text(leaf)));
  return { from: count(body.from), leaves, proof: hashes(body.proof) };
}

function parseObject(payload: Uint8Array): Readonly<Record<string, unknown>> {
  const json = payload.length > WITNESS_MESSAGE_BYTES_MAX ? undefined : parseUtf8(payload);
  if (json === undefined) throw invalid('it is too long or is not text');
  try {
    return object(JSON.parse(json));
  } catch (error) {
    throw invalid('it is not a JSON object', error);
  }
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid('it lacks an object');
  }
  return value as Readonly<Record<string, unknown>>;
}

function list(value: unknown, countMax: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > countMax) throw invalid('it lacks a list');
  return value;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw invalid('it lacks a text');
  return value;
}

function count(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw invalid('it lacks a count');
  return value as number;
}

function hashes(value: unknown): Uint8Array[] {
  return list(value, HASHES_MAX).map((encoded) => {
    const hash = parseBase64(text(encoded), true);
    if (hash?.length !== HASH_BYTES) throw invalid('a hash is not base64 of 32 bytes');
    return hash;
  });
}

function encodeHash(hash: Uint8Array): string {
  return formatBase64(hash, true);
}

function invalid(reason: string, cause?: unknown): DockError {
  const message = `the message is refused: ${reason}`;
  return new DockError('NOTE_INVALID', message, cause === undefined ? {} : { cause });
}

import { assert } from '../assert.ts';
import type { ClipId } from './clip.ts';

/** Names below the data folder. Each is made from a `ClipId` or an index, never from text that a camera sent. */
export const VAULT_FOLDER = 'vault';
export const DRAFTS_FOLDER = '.drafts';
export const MANIFEST_NAME = 'manifest.note';
export const DETAILS_NAME = 'details.age';
export const RECEIPT_NAME = 'receipt.note';
/** In drafts alone. */
export const DRAFT_STATE_NAME = 'draft.note';

export const MIB = 1_048_576;
/** A manifest names every segment, and a signed note has at most 64 KiB of text. */
export const SEGMENT_COUNT_MAX = 512;

export interface ByteRange {
  readonly fromByte: number;
  /** First byte not in the range. */
  readonly toByte: number;
}

/** Path of a clip's folder below the data folder. */
export function clipFolder(clip: ClipId): string {
  return `${VAULT_FOLDER}/${clip}`;
}

export function draftFolder(clip: ClipId): string {
  return `${VAULT_FOLDER}/${DRAFTS_FOLDER}/${clip}`;
}

/** `0000.age`: names sort in the order of the segments. */
export function segmentName(index: number): string {
  assert(Number.isInteger(index) && index >= 0 && index < SEGMENT_COUNT_MAX, 'segment index');
  return `${String(index).padStart(4, '0')}.age`;
}

export function parseSegmentName(name: string): number | undefined {
  if (!/^\d{4}\.age$/.test(name)) return undefined;
  const index = Number(name.slice(0, 4));
  return index < SEGMENT_COUNT_MAX ? index : undefined;
}

/** Path of a segment below the data folder. */
export function segmentPath(clip: ClipId, index: number): string {
  return `${clipFolder(clip)}/${segmentName(index)}`;
}

/** Plaintext bytes a segment: as wanted, or as many whole MiB more as keep a long clip within SEGMENT_COUNT_MAX. */
export function segmentBytesFor(sizeBytes: number, wantedBytes: number): number {
  assertSizes(sizeBytes, wantedBytes);
  if (sizeBytes <= wantedBytes * SEGMENT_COUNT_MAX) return wantedBytes;
  return Math.ceil(sizeBytes / SEGMENT_COUNT_MAX / MIB) * MIB;
}

/** A clip of 0 bytes is one empty segment, so that it too is something sealed. */
export function segmentCount(sizeBytes: number, segmentBytes: number): number {
  assertSizes(sizeBytes, segmentBytes);
  return Math.max(1, Math.ceil(sizeBytes / segmentBytes));
}

/** Which of the clip's bytes a segment holds. */
export function segmentRange(index: number, sizeBytes: number, segmentBytes: number): ByteRange {
  const count = segmentCount(sizeBytes, segmentBytes);
  assert(Number.isInteger(index) && index >= 0 && index < count, 'segment index');
  const fromByte = index * segmentBytes;
  return { fromByte, toByte: Math.min(sizeBytes, fromByte + segmentBytes) };
}

function assertSizes(sizeBytes: number, segmentBytes: number): void {
  assert(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0, 'clip size');
  assert(Number.isSafeInteger(segmentBytes) && segmentBytes > 0, 'segment size');
}

import { formatHex, parseHex } from '../bytes.ts';
import {
  FieldReader,
  formatFields,
  formatIsoMs,
  parseDecimal,
  parseFields,
  parseIsoMs,
} from '../custody/fields.ts';
import { DockError } from '../errors.ts';
import {
  type CameraSerial,
  type ClipId,
  type DockId,
  parseCameraSerial,
  parseClipId,
  parseDockId,
  type SegmentRecord,
} from './clip.ts';
import {
  formatCameraAuth,
  formatSegment,
  parseCameraAuth,
  parseDigest,
  parseSegment,
} from './manifest.ts';
import { SEGMENT_COUNT_MAX, segmentCount, segmentRange } from './naming.ts';

const DRAFT_STATE_TYPE = 'docket/draft/v1';
const MIDSTATE_SIZE = 32;
/** SHA-256 takes blocks of this size, and only between two of them it can be set aside. */
export const MIDSTATE_STEP = 64;

/** SHA-256 of a clip after its first `sizeBytes`, to go on from. It tells what the digest of those bytes would tell, and no more. */
export interface ClipMidstate {
  readonly sizeBytes: number;
  /** Eight big-endian words. */
  readonly words: Uint8Array;
}

/** What is in the vault of a clip that did not come whole: enough to take the rest, from any camera that shows the same signed record. */
export interface DraftState {
  readonly dock: DockId;
  readonly clip: ClipId;
  readonly camera: CameraSerial;
  /** 32 bytes; undefined for a camera without a key. */
  readonly cameraKey: Uint8Array | undefined;
  /** SHA-256 of the record's bytes, lower-case hex: the record itself names people. */
  readonly recordSha256: string;
  readonly sizeBytes: number;
  readonly segmentBytes: number;
  readonly recipientsSha256: string;
  /** By the dock's system clock. */
  readonly savedAtMs: number;
  /** After the last of `segments`. */
  readonly midstate: ClipMidstate;
  /** Whole, durable and read back; at least one, and never all. */
  readonly segments: readonly SegmentRecord[];
}

export function formatDraftState(state: DraftState): string {
  const { midstate } = state;
  return formatFields(DRAFT_STATE_TYPE, [
    ['dock', state.dock],
    ['clip', state.clip],
    ['camera', state.camera],
    ['camera-auth', formatCameraAuth(state.cameraKey)],
    ['record', state.recordSha256],
    ['size', String(state.sizeBytes)],
    ['segment-bytes', String(state.segmentBytes)],
    ['recipients', state.recipientsSha256],
    ['saved', formatIsoMs(state.savedAtMs)],
    ['midstate', `${midstate.sizeBytes} ${formatHex(midstate.words)}`],
    ...state.segments.map((segment) => ['segment', formatSegment(segment)] as const),
  ]);
}

/** Reads the text of a note whose signature was verified. NOTE_INVALID says which line is wrong and why. */
export function parseDraftState(text: string): DraftState {
  const parsed = parseFields(DRAFT_STATE_TYPE, text);
  if (!parsed.ok) throw invalid(parsed.finding.detail);
  const reader = new FieldReader(parsed.fields, 'NOTE_INVALID');
  const state = {
    dock: reader.takeParsed('dock', parseDockId),
    clip: reader.takeParsed('clip', parseClipId),
    camera: reader.takeParsed('camera', parseCameraSerial),
    cameraKey: reader.takeParsed('camera-auth', parseCameraAuth).key,
    recordSha256: reader.takeParsed('record', parseDigest),
    sizeBytes: reader.takeParsed('size', parseDecimal),
    segmentBytes: reader.takeParsed('segment-bytes', parseDecimal),
    recipientsSha256: reader.takeParsed('recipients', parseDigest),
    savedAtMs: reader.takeParsed('saved', parseIsoMs),
    midstate: reader.takeParsed('midstate', parseMidstate),
    segments: reader.takeAll('segment').map((line) => {
      const segment = parseSegment(line);
      if (segment === undefined) throw reader.refuse('segment has a value outside its grammar', 0);
      return segment;
    }),
  };
  reader.end();
  checkSegments(state);
  return state;
}

/** They are the beginning of the clip, without gaps, and the midstate stands at their end. */
function checkSegments({ sizeBytes, segmentBytes, segments, midstate }: DraftState): void {
  if (segmentBytes === 0) throw invalid('a segment holds no bytes');
  const count = Math.min(segmentCount(sizeBytes, segmentBytes), SEGMENT_COUNT_MAX);
  if (segments.length === 0 || segments.length >= count) {
    throw invalid(`it names ${segments.length} of ${count} segments`);
  }
  for (const [index, segment] of segments.entries()) {
    const { fromByte, toByte } = segmentRange(index, sizeBytes, segmentBytes);
    const isWhole = segment.plainBytes === toByte - fromByte;
    if (segment.index !== index || !isWhole || segment.fileBytes <= segment.plainBytes) {
      throw invalid(`segment ${index} is not what it must be`);
    }
  }
  const isStep = midstate.sizeBytes % MIDSTATE_STEP === 0;
  if (!isStep || midstate.sizeBytes !== segments.length * segmentBytes) {
    throw invalid('the midstate is not of its segments');
  }
}

function parseMidstate(text: string): ClipMidstate | undefined {
  const [sizeText = '', wordsText = '', ...rest] = text.split(' ');
  const sizeBytes = parseDecimal(sizeText);
  const words = parseHex(wordsText, MIDSTATE_SIZE);
  if (sizeBytes === undefined || words === undefined || rest.length > 0) return undefined;
  return { sizeBytes, words };
}

function invalid(reason: string): DockError {
  return new DockError('NOTE_INVALID', `the state of the draft is refused: ${reason}`);
}

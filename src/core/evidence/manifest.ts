import { concatBytes, formatBase64, formatHex, parseBase64, parseHex, utf8 } from '../bytes.ts';
import {
  type Field,
  FieldReader,
  formatFields,
  formatIsoMs,
  parseDecimal,
  parseFields,
  parseIsoMs,
} from '../custody/fields.ts';
import type { Sha256 } from '../custody/primitives.ts';
import { DockError } from '../errors.ts';
import {
  type CameraSerial,
  type ClipId,
  type ClockQuality,
  type DockId,
  parseCameraSerial,
  parseClipId,
  parseDockId,
  type SegmentRecord,
  type Trigger,
} from './clip.ts';
import { SEGMENT_COUNT_MAX, segmentCount, segmentRange } from './naming.ts';

export const MANIFEST_TYPE = 'docket/manifest/v1';
export const SALT_SIZE = 32;
const DIGEST_SIZE = 32;
const KEY_SIZE = 32;
const BAYS_MAX = 64;

const CLOCK_QUALITIES = ['unset', 'free-running', 'dock', 'satellite'] as const;
const TRIGGERS = ['unknown', 'button', 'pre-record', 'vehicle', 'remote'] as const;
const YES_NO = ['yes', 'no'] as const;

/** The signed description of one sealed clip. Digests are lower-case hex. Says nothing of who wore the camera or what it called the clip. */
export interface Manifest {
  readonly dock: DockId;
  readonly clip: ClipId;
  readonly camera: CameraSerial;
  /** 32 bytes; undefined for a camera without a key. */
  readonly cameraKey: Uint8Array | undefined;
  readonly counter: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly clockQuality: ClockQuality;
  /** By how much the camera's clock was ahead of the dock's; undefined when it was not compared. */
  readonly cameraClockOffsetMs: number | undefined;
  readonly trigger: Trigger;
  readonly incident: boolean;
  readonly bay: number;
  /** By the dock's system clock. */
  readonly ingestedAtMs: number;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Of the record's bytes as the camera sent them. */
  readonly recordSha256: string;
  /** Plaintext of every segment but the last. */
  readonly segmentBytes: number;
  readonly segments: readonly SegmentRecord[];
  readonly recipientCount: number;
  readonly recipientsSha256: string;
  readonly details: { readonly fileBytes: number; readonly sha256: string };
  /** 32 random bytes that keep the commitment in the custody log from being guessed. */
  readonly salt: Uint8Array;
  /** `name/version` */
  readonly software: string;
  /** 8 hex digits, drawn at the dock's start. */
  readonly boot: string;
}

/** The text to sign. MANIFEST_INVALID for anything that `parseManifest` would refuse. */
export function formatManifest(manifest: Manifest): string {
  let text: string;
  try {
    text = formatFields(MANIFEST_TYPE, linesOf(manifest));
  } catch (error) {
    throw invalid('a value cannot be written', error);
  }
  parseManifest(text);
  return text;
}

/** Reads the text of a note whose signature was verified. MANIFEST_INVALID says which line is wrong and why. */
export function parseManifest(text: string): Manifest {
  const parsed = parseFields(MANIFEST_TYPE, text);
  if (!parsed.ok) throw invalid(parsed.finding.detail);
  const reader = new FieldReader(parsed.fields, 'MANIFEST_INVALID');
  const manifest = {
    ...readOrigin(reader),
    ...readContent(reader),
    ...readSealing(reader),
    software: reader.takeParsed('software', parseSoftware),
    boot: reader.takeParsed('boot', parseBoot),
  };
  reader.end();
  checkSegments(manifest);
  return manifest;
}

/** SHA-256(salt || note), lower-case hex: what the custody log holds of a clip. */
export function commitmentOf(manifestNote: string, salt: Uint8Array, sha256: Sha256): string {
  return formatHex(sha256(concatBytes(salt, utf8(manifestNote))));
}

function linesOf(manifest: Manifest): Field[] {
  const { cameraKey, cameraClockOffsetMs, details } = manifest;
  const times = `${formatIsoMs(manifest.startedAtMs)} ${formatIsoMs(manifest.endedAtMs)}`;
  return [
    ['dock', manifest.dock],
    ['clip', manifest.clip],
    ['camera', manifest.camera],
    ['camera-auth', formatCameraAuth(cameraKey)],
    ['counter', String(manifest.counter)],
    ['captured', times],
    ['clock-quality', manifest.clockQuality],
    ['camera-clock-offset', String(cameraClockOffsetMs ?? 'unknown')],
    ['trigger', manifest.trigger],
    ['incident', manifest.incident ? 'yes' : 'no'],
    ['bay', String(manifest.bay)],
    ['ingested', `${formatIsoMs(manifest.ingestedAtMs)} system`],
    ['size', String(manifest.sizeBytes)],
    ['sha256', manifest.sha256],
    ['record', manifest.recordSha256],
    ['segment-bytes', String(manifest.segmentBytes)],
    ['recipients', `${manifest.recipientCount} ${manifest.recipientsSha256}`],
    ['salt', formatHex(manifest.salt)],
    ...manifest.segments.map((segment): Field => ['segment', formatSegment(segment)]),
    ['details', `${details.fileBytes} ${details.sha256}`],
    ['software', manifest.software],
    ['boot', manifest.boot],
  ];
}

function readOrigin(reader: FieldReader) {
  const dock = reader.takeParsed('dock', parseDockId);
  const clip = reader.takeParsed('clip', parseClipId);
  const camera = reader.takeParsed('camera', parseCameraSerial);
  const cameraKey = reader.takeParsed('camera-auth', parseCameraAuth).key;
  const counter = reader.takeParsed('counter', parsePositive);
  const [startedAtMs, endedAtMs] = reader.takeParsed('captured', parseTimes);
  const clockQuality = reader.takeParsed('clock-quality', oneOf(CLOCK_QUALITIES));
  const { offsetMs: cameraClockOffsetMs } = reader.takeParsed('camera-clock-offset', parseOffset);
  const trigger = reader.takeParsed('trigger', oneOf(TRIGGERS));
  const incident = reader.takeParsed('incident', oneOf(YES_NO)) === 'yes';
  return {
    ...{ dock, clip, camera, cameraKey, counter, startedAtMs, endedAtMs },
    ...{ clockQuality, cameraClockOffsetMs, trigger, incident },
  };
}

function readContent(reader: FieldReader) {
  return {
    bay: reader.takeParsed('bay', parseBay),
    ingestedAtMs: reader.takeParsed('ingested', parseIngested),
    sizeBytes: reader.takeParsed('size', parseDecimal),
    sha256: reader.takeParsed('sha256', parseDigest),
    recordSha256: reader.takeParsed('record', parseDigest),
    segmentBytes: reader.takeParsed('segment-bytes', parsePositive),
  };
}

function readSealing(reader: FieldReader) {
  const recipients = reader.takeParsed('recipients', parseCountedDigest);
  const salt = reader.takeParsed('salt', (text) => parseHex(text, SALT_SIZE));
  const segments: SegmentRecord[] = [];
  while (segments.length <= SEGMENT_COUNT_MAX) {
    const text = reader.takeOptional('segment');
    if (text === undefined) break;
    const segment = parseSegment(text);
    if (segment === undefined) throw reader.refuse('segment has a value outside its grammar', 0);
    segments.push(segment);
  }
  const details = reader.takeParsed('details', parseCountedDigest);
  return {
    recipientCount: recipients.count,
    recipientsSha256: recipients.sha256,
    salt,
    segments,
    details: { fileBytes: details.count, sha256: details.sha256 },
  };
}

/** The segments must tile the clip exactly, so that no manifest can name bytes twice or leave some out. */
function checkSegments({ sizeBytes, segmentBytes, segments }: Manifest): void {
  const count = segmentCount(sizeBytes, segmentBytes);
  if (segments.length !== count) {
    throw invalid(`it names ${segments.length} segments where the clip has ${count}`);
  }
  for (const [index, segment] of segments.entries()) {
    const { fromByte, toByte } = segmentRange(index, sizeBytes, segmentBytes);
    if (segment.index !== index) throw invalid(`segment ${index} is out of order`);
    if (segment.plainBytes !== toByte - fromByte || segment.fileBytes <= segment.plainBytes) {
      throw invalid(`segment ${index} has a size that it cannot have`);
    }
  }
}

export function formatSegment({ index, plainBytes, fileBytes, sha256 }: SegmentRecord): string {
  return `${index} ${plainBytes} ${fileBytes} ${sha256}`;
}

export function parseSegment(text: string): SegmentRecord | undefined {
  const [indexText = '', plainText = '', fileText = '', sha256 = '', ...rest] = text.split(' ');
  const index = parseDecimal(indexText);
  const plainBytes = parseDecimal(plainText);
  const fileBytes = parseDecimal(fileText);
  if (index === undefined || plainBytes === undefined || fileBytes === undefined) return undefined;
  if (rest.length > 0 || parseDigest(sha256) === undefined) return undefined;
  return { index, plainBytes, fileBytes, sha256 };
}

export function formatCameraAuth(key: Uint8Array | undefined): string {
  return key === undefined ? 'none' : `ed25519 ${formatBase64(key, true)}`;
}

export function parseCameraAuth(text: string): { key: Uint8Array | undefined } | undefined {
  if (text === 'none') return { key: undefined };
  if (!text.startsWith('ed25519 ')) return undefined;
  const key = parseBase64(text.slice(8), true);
  return key?.length === KEY_SIZE ? { key } : undefined;
}

function parseTimes(text: string): [number, number] | undefined {
  const [first = '', second = '', ...rest] = text.split(' ');
  const startedAtMs = parseIsoMs(first);
  const endedAtMs = parseIsoMs(second);
  if (startedAtMs === undefined || endedAtMs === undefined || rest.length > 0) return undefined;
  return [startedAtMs, endedAtMs];
}

function parseIngested(text: string): number | undefined {
  return text.endsWith(' system') ? parseIsoMs(text.slice(0, -' system'.length)) : undefined;
}

function parseOffset(text: string): { offsetMs: number | undefined } | undefined {
  if (text === 'unknown') return { offsetMs: undefined };
  const size = parseDecimal(text.replace(/^-(?=[1-9])/, ''));
  if (size === undefined) return undefined;
  return { offsetMs: text.startsWith('-') ? -size : size };
}

function parseCountedDigest(text: string): { count: number; sha256: string } | undefined {
  const [countText = '', sha256 = '', ...rest] = text.split(' ');
  const count = parsePositive(countText);
  if (count === undefined || parseDigest(sha256) === undefined || rest.length > 0) return undefined;
  return { count, sha256 };
}

export function parseDigest(text: string): string | undefined {
  return parseHex(text, DIGEST_SIZE) === undefined ? undefined : text;
}

function parsePositive(text: string): number | undefined {
  const value = parseDecimal(text);
  return value === 0 ? undefined : value;
}

function parseBay(text: string): number | undefined {
  const bay = parsePositive(text);
  return bay !== undefined && bay <= BAYS_MAX ? bay : undefined;
}

function parseSoftware(text: string): string | undefined {
  return /^[a-z0-9-]{1,32}\/[0-9A-Za-z.+-]{1,64}$/.test(text) ? text : undefined;
}

function parseBoot(text: string): string | undefined {
  return parseHex(text, 4) === undefined ? undefined : text;
}

function oneOf<T extends string>(words: readonly T[]): (text: string) => T | undefined {
  return (text) => words.find((word) => word === text);
}

function invalid(reason: string, cause?: unknown): DockError {
  return new DockError('MANIFEST_INVALID', `the manifest is refused: ${reason}`, { cause });
}

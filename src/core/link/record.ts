import { concatBytes, formatHex, parseHex, utf8 } from '../bytes.ts';
import type { VerifyEd25519 } from '../custody/primitives.ts';
import { DockError } from '../errors.ts';
import {
  type CameraAuth,
  type ClipRecord,
  type ClockQuality,
  parseCameraSerial,
  type Trigger,
} from '../evidence/clip.ts';
import { RECORD_SIZE_MAX } from './frame.ts';
import { encodeI64, encodeString8, encodeU8, encodeU64, WireReader } from './wire.ts';

const RECORD_VERSION = 1;
const SIGNATURE_SIZE = 64;
const SHA256_SIZE = 32;
const FLAG_INCIDENT = 1;
const LABEL = utf8('docket-clip/1\0');

export const AUTHS: readonly CameraAuth[] = ['none', 'ed25519'];
export const CLOCK_QUALITIES: readonly ClockQuality[] = [
  'unset',
  'free-running',
  'dock',
  'satellite',
];
export const TRIGGERS: readonly Trigger[] = [
  'unknown',
  'button',
  'pre-record',
  'vehicle',
  'remote',
];

/** SPEC 5, grammar only. Copies the bytes. CLIP_RECORD_INVALID. */
export function parseClipRecord(bytes: Uint8Array): ClipRecord {
  const raw = bytes.slice();
  const reader = new WireReader(raw, 'CLIP_RECORD_INVALID', 'clip record');
  if (raw.length > RECORD_SIZE_MAX) throw reader.error(`longer than ${RECORD_SIZE_MAX} bytes`);
  if (reader.u8() !== RECORD_VERSION) throw reader.error('not of version 1');
  const auth = reader.oneOf(AUTHS);
  const serial = parseCameraSerial(reader.string8());
  if (serial === undefined) throw reader.error('the serial is not in its grammar');
  const counter = reader.u64();
  if (counter === 0) throw reader.error('the counter is 0');
  const record: ClipRecord = {
    raw,
    auth,
    serial,
    counter,
    sizeBytes: reader.u64(),
    sha256: formatHex(reader.take(SHA256_SIZE)),
    startedAtMs: reader.timeMs(),
    endedAtMs: reader.timeMs(),
    clockQuality: reader.oneOf(CLOCK_QUALITIES),
    trigger: reader.oneOf(TRIGGERS),
    incident: reader.flags(FLAG_INCIDENT) === FLAG_INCIDENT,
    name: reader.string8(),
    wearer: reader.string8(),
  };
  reader.take(SIGNATURE_SIZE);
  reader.end();
  return record;
}

/** The signature holds under the camera's key; a camera without a key signs with zeros. */
export function verifyClipRecord(
  record: ClipRecord,
  publicKey: Uint8Array | undefined,
  verify: VerifyEd25519,
): boolean {
  const signature = record.raw.subarray(-SIGNATURE_SIZE);
  if (publicKey === undefined)
    return record.auth === 'none' && signature.every((byte) => byte === 0);
  if (record.auth !== 'ed25519') return false;
  return verify(publicKey, clipRecordSignedBytes(record.raw), signature);
}

export function clipRecordSignedBytes(raw: Uint8Array): Uint8Array {
  return concatBytes(LABEL, raw.subarray(0, -SIGNATURE_SIZE));
}

/** The counter of a record whose grammar may not hold; undefined where none can be read. */
export function peekCounter(bytes: Uint8Array): number | undefined {
  const reader = new WireReader(bytes, 'CLIP_RECORD_INVALID', 'clip record');
  try {
    reader.take(2);
    reader.take(reader.u8());
    const counter = reader.u64();
    return counter > 0 ? counter : undefined;
  } catch (error) {
    if (error instanceof DockError) return undefined;
    throw error;
  }
}

/** A record as a camera makes it: `sign` is over SPEC 5's label and bytes, and is not asked for a camera without a key. */
export function encodeClipRecord(
  fields: Omit<ClipRecord, 'raw'>,
  sign: (message: Uint8Array) => Uint8Array,
): Uint8Array {
  const sha256 = parseHex(fields.sha256, SHA256_SIZE);
  if (sha256 === undefined)
    throw new DockError('CLIP_RECORD_INVALID', 'sha256 is not 64 hex digits');
  const body = concatBytes(
    encodeU8(RECORD_VERSION),
    encodeU8(AUTHS.indexOf(fields.auth)),
    encodeString8(fields.serial),
    encodeU64(fields.counter),
    encodeU64(fields.sizeBytes),
    sha256,
    encodeI64(fields.startedAtMs),
    encodeI64(fields.endedAtMs),
    encodeU8(CLOCK_QUALITIES.indexOf(fields.clockQuality)),
    encodeU8(TRIGGERS.indexOf(fields.trigger)),
    encodeU8(fields.incident ? FLAG_INCIDENT : 0),
    encodeString8(fields.name),
    encodeString8(fields.wearer),
  );
  const keyed = fields.auth === 'ed25519';
  return concatBytes(body, keyed ? sign(concatBytes(LABEL, body)) : new Uint8Array(SIGNATURE_SIZE));
}

import { concatBytes, utf8 } from '../bytes.ts';
import {
  type CameraAuth,
  type CameraSerial,
  type ClockQuality,
  type DockId,
  parseCameraSerial,
} from '../evidence/clip.ts';
import { AUTHS, CLOCK_QUALITIES } from './record.ts';
import { encodeI64, encodeString8, encodeU16, encodeU32, encodeU64, WireReader } from './wire.ts';

export const PROTOCOL = 1;
export const NONCE_SIZE = 32;
export const SIGNATURE_SIZE = 64;
const PERCENT_UNKNOWN = 255;
const FLAG_CHARGING = 1;
const FLAG_RECORDING = 2;

/** SPEC 8: names by code; codes begin with 1. */
export const CAMERA_ERRORS = [
  'MALFORMED',
  'VERSION',
  'AUTH_REQUIRED',
  'NOT_AUTHENTIC',
  'NO_CLIP',
  'RANGE',
  'BUSY',
  'BAD_RECEIPT',
  'STORAGE',
] as const;
export type CameraErrorName = (typeof CAMERA_ERRORS)[number];

export interface HelloOk {
  readonly protocol: number;
  readonly auth: CameraAuth;
  readonly serial: CameraSerial;
  readonly cameraNonce: Uint8Array;
  readonly lastCounter: number;
  readonly signature: Uint8Array;
}

export interface StatusOk {
  readonly batteryPercent: number | undefined;
  readonly charging: boolean;
  readonly recording: boolean;
  readonly storageBytes: number;
  readonly storageFreeBytes: number;
  readonly clockMs: number;
  readonly clockQuality: ClockQuality;
  readonly firmware: string;
}

export interface RecordsEnd {
  /** 0: no more. */
  readonly nextCounter: number;
  readonly recordCount: number;
}

export interface Data {
  /** Counted from the offset that its READ asked for (SPEC 6). */
  readonly offset: number;
  /** A view of the payload. */
  readonly bytes: Uint8Array;
}

export interface CameraError {
  readonly code: number;
  /** Undefined for a code that SPEC 8 does not know. */
  readonly name: CameraErrorName | undefined;
  /** Printable ASCII; anything else became `?`. */
  readonly detail: string;
}

export interface Read {
  readonly counter: number;
  readonly offset: number;
  readonly lengthBytes: number;
  readonly dataBytes: number;
}

export function encodeHello(dock: DockId, dockNonce: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(PROTOCOL, PROTOCOL), encodeString8(dock), dockNonce);
}

export function encodeList(fromCounter: number, recordCountMax: number): Uint8Array {
  return concatBytes(encodeU64(fromCounter), encodeU16(recordCountMax));
}

export function encodeRead(read: Read): Uint8Array {
  return concatBytes(
    encodeU64(read.counter),
    encodeU64(read.offset),
    encodeU32(read.lengthBytes),
    encodeU32(read.dataBytes),
  );
}

export function encodeReceipt(counter: number, receipt: string): Uint8Array {
  return concatBytes(encodeU64(counter), utf8(receipt));
}

export function encodeClock(utcMs: number): Uint8Array {
  return encodeI64(utcMs);
}

/** SPEC 9: the highest rate that the dock wants. */
export function encodeRate(baud: number): Uint8Array {
  return encodeU32(baud);
}

/** The parsers throw LINK_PROTOCOL, and their views last as long as the payload. */
export function parseHelloOk(payload: Uint8Array): HelloOk {
  const reader = new WireReader(payload, 'LINK_PROTOCOL', 'HELLO_OK');
  const protocol = reader.u8();
  if (protocol !== PROTOCOL) throw reader.error(`protocol ${protocol} was not offered`);
  const auth = reader.oneOf(AUTHS);
  const serial = parseCameraSerial(reader.string8());
  if (serial === undefined) throw reader.error('the serial is not in its grammar');
  const cameraNonce = reader.take(NONCE_SIZE).slice();
  const lastCounter = reader.u64();
  const signature = reader.take(SIGNATURE_SIZE).slice();
  reader.end();
  return { protocol, auth, serial, cameraNonce, lastCounter, signature };
}

export function parseEmpty(payload: Uint8Array, name: string): void {
  new WireReader(payload, 'LINK_PROTOCOL', name).end();
}

export function parseStatusOk(payload: Uint8Array): StatusOk {
  const reader = new WireReader(payload, 'LINK_PROTOCOL', 'STATUS_OK');
  const percent = reader.u8();
  if (percent > 100 && percent !== PERCENT_UNKNOWN) throw reader.error(`battery at ${percent} %`);
  const flags = reader.flags(FLAG_CHARGING | FLAG_RECORDING);
  const status: StatusOk = {
    batteryPercent: percent === PERCENT_UNKNOWN ? undefined : percent,
    charging: (flags & FLAG_CHARGING) !== 0,
    recording: (flags & FLAG_RECORDING) !== 0,
    storageBytes: reader.u64(),
    storageFreeBytes: reader.u64(),
    clockMs: reader.timeMs(),
    clockQuality: reader.oneOf(CLOCK_QUALITIES),
    firmware: printable(reader.string8()),
  };
  reader.end();
  return status;
}

export function parseRecordsEnd(payload: Uint8Array): RecordsEnd {
  const reader = new WireReader(payload, 'LINK_PROTOCOL', 'RECORDS_END');
  const end = { nextCounter: reader.u64(), recordCount: reader.u16() };
  reader.end();
  return end;
}

export function parseData(payload: Uint8Array): Data {
  const reader = new WireReader(payload, 'LINK_PROTOCOL', 'DATA');
  return { offset: reader.u32(), bytes: reader.rest() };
}

export function parseReleased(payload: Uint8Array): number {
  const reader = new WireReader(payload, 'LINK_PROTOCOL', 'RELEASED');
  const counter = reader.u64();
  reader.end();
  return counter;
}

/** Milliseconds by which the camera's clock was ahead. */
export function parseClockOk(payload: Uint8Array): number {
  const reader = new WireReader(payload, 'LINK_PROTOCOL', 'CLOCK_OK');
  const aheadMs = reader.i64();
  reader.end();
  return aheadMs;
}

/** The rate that the camera switches to. */
export function parseRateOk(payload: Uint8Array): number {
  const reader = new WireReader(payload, 'LINK_PROTOCOL', 'RATE_OK');
  const baud = reader.u32();
  reader.end();
  return baud;
}

export function parseCameraError(payload: Uint8Array): CameraError {
  const reader = new WireReader(payload, 'LINK_PROTOCOL', 'ERROR');
  const code = reader.u16();
  const detail = printable(reader.string8());
  reader.end();
  return { code, name: CAMERA_ERRORS[code - 1], detail };
}

function printable(text: string): string {
  return text.replace(/[^ -~]/g, '?');
}

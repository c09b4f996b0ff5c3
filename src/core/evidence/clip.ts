/** 32 lower-case hex digits, random: says nothing about the clip, and is its folder's name in the vault. */
export type ClipId = string & { readonly brand: 'ClipId' };
export type CameraSerial = string & { readonly brand: 'CameraSerial' };
/** `site/dock`. */
export type DockId = string & { readonly brand: 'DockId' };

export type CameraAuth = 'ed25519' | 'none';
export type ClockQuality = 'unset' | 'free-running' | 'dock' | 'satellite';
export type Trigger = 'unknown' | 'button' | 'pre-record' | 'vehicle' | 'remote';

/** A clip record as the camera signed it (SPEC 5). `name` and `wearer` identify people: details file only. */
export interface ClipRecord {
  /** The record's bytes as received, signature included. */
  readonly raw: Uint8Array;
  readonly auth: CameraAuth;
  readonly serial: CameraSerial;
  readonly counter: number;
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly clockQuality: ClockQuality;
  readonly trigger: Trigger;
  readonly incident: boolean;
  readonly name: string;
  readonly wearer: string;
}

/** One age file of a clip, as the manifest names it. */
export interface SegmentRecord {
  readonly index: number;
  readonly plainBytes: number;
  readonly fileBytes: number;
  /** SHA-256 of the age file, lower-case hex. */
  readonly sha256: string;
}

export function parseClipId(text: string): ClipId | undefined {
  return /^[0-9a-f]{32}$/.test(text) ? (text as ClipId) : undefined;
}

export function parseCameraSerial(text: string): CameraSerial | undefined {
  return /^[A-Za-z0-9._-]{1,32}$/.test(text) ? (text as CameraSerial) : undefined;
}

export function parseDockId(text: string): DockId | undefined {
  return /^[a-z0-9-]{1,64}\/[a-z0-9-]{1,64}$/.test(text) ? (text as DockId) : undefined;
}

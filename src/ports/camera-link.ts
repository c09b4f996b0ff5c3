import type { CameraAuth, CameraSerial, ClipRecord, ClockQuality } from '../core/evidence/clip.ts';

export interface CameraStatus {
  /** Undefined when the camera does not know. */
  readonly batteryPercent: number | undefined;
  readonly charging: boolean;
  readonly recording: boolean;
  readonly storageBytes: number;
  readonly storageFreeBytes: number;
  readonly clockMs: number;
  readonly clockQuality: ClockQuality;
  readonly firmware: string;
}

/**
 * What had arrived of a clip when a read of it failed, and was not yet given to `onBytes`. Begins empty. The link puts it in, and the next
 * read of the same clip takes it out, in any session of its camera: nothing of it is asked for again. May be emptied between two reads.
 */
export interface ReadCarry {
  held: HeldBytes | undefined;
}

/** The link's own. */
export interface HeldBytes {
  readonly sizeBytes: number;
}

export interface ReadOptions {
  readonly fromByte: number;
  /** First byte not wanted; at most the clip's size. */
  readonly toByte: number;
  /**
   * Called with the clip's bytes in order, without gaps. The bytes are the callee's until its promise settles, and the link reads
   * on meanwhile, but no more than a fixed window ahead. A rejection ends the read with that error.
   */
  readonly onBytes: (bytes: Uint8Array) => Promise<void>;
  readonly carry?: ReadCarry;
  readonly signal: AbortSignal;
}

/**
 * One authenticated camera in one bay (SPEC 4). Every call has the link's own deadlines and repeats lost frames itself; it throws
 * LINK_CLOSED when the camera was taken out, LINK_TIMEOUT when it stopped answering, CAMERA_REFUSED when it answered with an ERROR.
 */
export interface CameraSession {
  readonly serial: CameraSerial;
  readonly auth: CameraAuth;
  /** 32 bytes; undefined for a camera without a key. */
  readonly publicKey: Uint8Array | undefined;
  /** Highest counter the camera ever gave. */
  readonly lastCounter: number;
  /** Settles, never rejects, when the line is gone. */
  readonly closed: Promise<void>;
  status(signal: AbortSignal): Promise<CameraStatus>;
  /**
   * Clips the camera still has, counters ascending, each record's grammar and signature checked. A record that does
   * not hold is in `refused`, by counter where one could be read.
   */
  records(signal: AbortSignal): Promise<CameraInventory>;
  read(record: ClipRecord, options: ReadOptions): Promise<void>;
  /**
   * Sends the receipt (SPEC 7); resolves when the camera says it erased the clip. RECEIPT_REFUSED when it answers BAD_RECEIPT,
   * CAMERA_REFUSED for any other answer.
   */
  release(counter: number, receipt: string, signal: AbortSignal): Promise<void>;
  /**
   * `utcMs` is the time of the call; a repeat carries the time of the repeat. Gives the milliseconds by which the camera's clock was ahead
   * before the answered try set it, the way to the camera included: nearly 0 when an earlier try had set it and its answer was lost.
   */
  setClock(utcMs: number, signal: AbortSignal): Promise<number>;
  /** Says BYE and closes the line. May be called twice. */
  close(): Promise<void>;
}

export interface CameraInventory {
  readonly records: readonly ClipRecord[];
  readonly refused: readonly { readonly counter: number | undefined; readonly reason: string }[];
}

export interface DockOptions {
  readonly signal: AbortSignal;
  /** Called once when something is on the line, before it is known to be a camera. */
  readonly onPresent: () => void;
}

export interface CameraLink {
  /**
   * Waits, as long as it takes, until something is plugged into the bay, then runs the session's start (SPEC 4) and resolves with the camera.
   * Throws LINK_FOREIGN (nothing that speaks SPEC), CAMERA_UNKNOWN, CAMERA_NOT_AUTHENTIC, CAMERA_KEYLESS (policy forbids),
   * CAMERA_REFUSED, SERIAL_IN_USE, SERIAL_FAILED, LINK_CLOSED or LINK_TIMEOUT; the line is closed then, and it may be called again.
   */
  dock(bay: number, options: DockOptions): Promise<CameraSession>;
  /** Resolves when nothing is on the bay's line, after an error of `dock` that a retry cannot mend. */
  gone(bay: number, signal: AbortSignal): Promise<void>;
}

/** Which cameras this dock knows. */
export interface CameraRegistry {
  /** 32-byte public key; undefined when the serial is not registered. */
  publicKeyOf(serial: CameraSerial): Uint8Array | undefined;
  readonly allowKeyless: boolean;
}

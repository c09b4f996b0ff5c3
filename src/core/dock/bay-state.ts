import type { ErrorCode } from '../errors.ts';
import type { CameraSerial, ClockQuality } from '../evidence/clip.ts';
import type { AlarmCode } from './alarms.ts';
import type { FlashName, LightName } from './lights.ts';

export type BayPhase = 'empty' | 'greeting' | 'working' | 'safe' | 'held' | 'waiting' | 'trouble';

export interface BayCamera {
  readonly serial: CameraSerial;
  /** Highest counter the camera ever gave: the last recording. */
  readonly lastCounter: number;
}

/** What a camera says of itself. */
export interface CameraReport {
  /** Undefined when the camera does not know. */
  readonly batteryPercent: number | undefined;
  readonly charging: boolean;
  readonly storageBytes: number;
  readonly storageFreeBytes: number;
  readonly firmware: string;
  readonly clockQuality: ClockQuality;
  /** By how much its clock was ahead of the dock's before it was set. */
  readonly clockOffsetMs: number;
}

export interface BayClip {
  readonly counter: number;
  readonly sizeBytes: number;
  readonly doneBytes: number;
  readonly stage: 'on-camera' | 'vaulted' | 'released' | 'quarantined';
}

export interface BayState {
  readonly bay: number;
  readonly link: 'none' | 'greeting' | 'session';
  /** Undefined until the camera proved who it is. */
  readonly camera: BayCamera | undefined;
  /** Undefined until it said so. */
  readonly report: CameraReport | undefined;
  /** What the camera had when it last said so. */
  readonly clips: readonly BayClip[];
  /** Whether it said so since the line last came up. */
  readonly listed: boolean;
  readonly refusedRecords: number;
  readonly clockSet: boolean;
  /** Undefined where the board has no such line. */
  readonly present: boolean | undefined;
  readonly charged: boolean | undefined;
  /** Why the dock cannot store now. */
  readonly waitingFor: AlarmCode | undefined;
  /** Why this bay gave up on its camera. */
  readonly trouble: AlarmCode | undefined;
  /** Counters of incidents whose hold is not yet an entry. */
  readonly holdsWanted: readonly number[];
  readonly held: readonly number[];
  /** A long press came before the camera had proved who it is. */
  readonly markAtHello: boolean;
  /** Alarms of this bay that are not over. */
  readonly raised: readonly AlarmCode[];
}

/** The body of `bay/<n>/state`. No personal data: a serial names a camera. */
export interface BayStatus {
  readonly bay: number;
  readonly phase: BayPhase;
  readonly light: LightName;
  readonly camera: CameraSerial | null;
  readonly clips: number;
  readonly clipsLeft: number;
  readonly quarantined: number;
  readonly held: number;
  readonly progressPercent: number;
  readonly charged: boolean | null;
  readonly report: CameraReport | null;
  readonly code: AlarmCode | null;
}

export interface ListedClip {
  readonly counter: number;
  readonly sizeBytes: number;
  /** The wearer marked it on the camera: it is to be held. */
  readonly incident: boolean;
}

export type BayInput =
  /** Something is on the line, or the link tries again. */
  | { readonly kind: 'present' }
  | { readonly kind: 'hello'; readonly serial: CameraSerial; readonly lastCounter: number }
  | {
      readonly kind: 'inventory';
      readonly clips: readonly ListedClip[];
      readonly refusedCount: number;
    }
  | { readonly kind: 'clock-set' }
  | { readonly kind: 'report'; readonly report: CameraReport }
  | { readonly kind: 'progress'; readonly counter: number; readonly doneBytes: number }
  | { readonly kind: 'clip-vaulted'; readonly counter: number }
  | { readonly kind: 'clip-released'; readonly counter: number }
  | { readonly kind: 'clip-quarantined'; readonly counter: number }
  /** The hold's entry is durable. */
  | { readonly kind: 'held'; readonly counter: number }
  /** The clip of a `mark-last-recording` is nowhere. */
  | { readonly kind: 'nothing-to-hold'; readonly counter: number }
  | { readonly kind: 'failed'; readonly code: ErrorCode }
  | { readonly kind: 'unplugged' }
  /** The dock cannot store now; for every bay. The alarm is the dock's own. */
  | { readonly kind: 'waiting'; readonly code: AlarmCode }
  | { readonly kind: 'resumed' }
  | {
      readonly kind: 'sensors';
      readonly present: boolean | undefined;
      readonly charged: boolean | undefined;
    }
  | { readonly kind: 'press'; readonly press: 'short' | 'long' };

export type BayEffect =
  | { readonly kind: 'show'; readonly light: LightName }
  | { readonly kind: 'flash'; readonly flash: FlashName }
  | { readonly kind: 'publish'; readonly status: BayStatus }
  | { readonly kind: 'alarm'; readonly code: AlarmCode; readonly camera: CameraSerial | undefined }
  | {
      readonly kind: 'clear-alarm';
      readonly code: AlarmCode;
      readonly camera: CameraSerial | undefined;
    }
  /** Hold it, and take it first. Answered by `held` or `nothing-to-hold`. */
  | {
      readonly kind: 'mark-last-recording';
      readonly camera: CameraSerial;
      readonly counter: number;
    }
  /** For the custody log. Undefined: the dock had not yet seen what was on the camera. */
  | {
      readonly kind: 'taken-early';
      readonly camera: CameraSerial;
      readonly clipsLeft: number | undefined;
    };

export function emptyBay(bay: number): BayState {
  return {
    bay,
    link: 'none',
    camera: undefined,
    report: undefined,
    clips: [],
    listed: false,
    refusedRecords: 0,
    clockSet: false,
    present: undefined,
    charged: undefined,
    waitingFor: undefined,
    trouble: undefined,
    holdsWanted: [],
    held: [],
    markAtHello: false,
    raised: [],
  };
}

import type { ClockQuality } from '../evidence/clip.ts';
import type { TimeSource, TrustedNow } from '../time/trusted-time.ts';
import { ALARMS, type AlarmCode, type AlarmSeverity } from './alarms.ts';
import type { BayPhase, BayState, CameraReport } from './bay-state.ts';
import { bayStatus } from './bay-status.ts';
import type { LightName } from './lights.ts';
import type { ClipCounts } from './state.ts';

const BATTERY_LOW_PERCENT = 15;
/** Less is a few minutes of recording. */
const STORAGE_FULL_SHARE = 0.05;
/** The camera chooses this text. */
const FIRMWARE_LENGTH_MAX = 64;

/** INVARIANTS: no personal data. A camera's serial and its counters may stand here; a wearer or a clip's name never. */

export type DockPhase = 'starting' | 'ready' | 'working' | 'waiting' | 'halted';

/** Body of `state`. Times are ISO 8601, UTC. */
export type DockBody = {
  readonly state: DockPhase;
  /** Why, when it is halted. */
  readonly code?: AlarmCode;
  readonly version: string;
  readonly bays: number;
  readonly clips: ClipCountsBody;
  /** Absent while the vault cannot be asked. */
  readonly storage?: StorageBody;
  /** 8 hex digits, new at each start. */
  readonly boot: string;
  /** When this run began. */
  readonly since: string;
  readonly treeSize: number;
  /** What the witness has cosigned last; absent while it has cosigned nothing. */
  readonly cosigned?: CosignedBody;
  readonly time: TimeBody;
  readonly at: string;
};

export type CosignedBody = {
  /** Entries that the centre has. */
  readonly treeSize: number;
  /** By the witness's clock. */
  readonly at: string;
  /** Since then by trusted time; absent while that is unknown. */
  readonly ageSeconds?: number;
};

/** Trusted time. What is due is decided on `earliest`; while it is unknown nothing is due. */
export type TimeBody =
  | {
      readonly quality: 'known';
      readonly source: TimeSource;
      readonly earliest: string;
      readonly latest: string;
    }
  | { readonly quality: 'unknown'; readonly after?: string };

export type ClipCountsBody = {
  readonly vaulted: number;
  readonly released: number;
  readonly quarantined: number;
  readonly missing: number;
  readonly held: number;
};

export type StorageBody = {
  readonly totalBytes: number;
  readonly freeBytes: number;
};

/** Body of `bay/<n>/state`. */
export type BayBody = {
  readonly bay: number;
  readonly state: BayPhase;
  readonly light: LightName;
  /** Serial; absent until the camera proved who it is. */
  readonly camera?: string;
  readonly clips: BayClipsBody;
  /** The clip being read. */
  readonly progress?: ProgressBody;
  /** Of everything that the camera has, 0 to 100. */
  readonly percent: number;
  /** Absent where the board has no such line. */
  readonly charged?: boolean;
  /** These four: absent until the camera told of itself. */
  readonly battery?: BatteryBody;
  readonly storage?: CameraStorageBody;
  readonly firmware?: string;
  readonly clock?: CameraClockBody;
  /** Why, when it waits or is in trouble. */
  readonly code?: AlarmCode;
  readonly at: string;
};

export type BayClipsBody = {
  readonly waiting: number;
  readonly vaulted: number;
  readonly released: number;
  readonly quarantined: number;
  readonly held: number;
};

export type BatteryBody = {
  /** Absent when the camera does not know. */
  readonly percent?: number;
  readonly charging: boolean;
  readonly low: boolean;
};

export type CameraStorageBody = StorageBody & {
  readonly full: boolean;
};

export type CameraClockBody = {
  /** Before the dock set it, as the offset. */
  readonly quality: ClockQuality;
  /** By how much it was ahead. */
  readonly offsetMs: number;
};

export type ProgressBody = {
  /** The camera's own counter of the clip. */
  readonly counter: number;
  readonly bytes: number;
  readonly ofBytes: number;
};

/** Body of `alarm/<name>`; cleared when it is over. */
export type AlarmBody = {
  readonly code: AlarmCode;
  readonly severity: AlarmSeverity;
  readonly text: string;
  readonly action: string;
  readonly since: string;
  /** Absent when it is about the whole dock. */
  readonly bays?: readonly number[];
};

/** Body of `description`: what does not change while the dock runs. */
export type DescriptionBody = {
  readonly schema: 1;
  readonly dock: string;
  readonly board: string;
  readonly bays: readonly number[];
  readonly recipients: number;
  /** SHA-256 (hex) of the sorted recipients, one a line. */
  readonly recipientsSha256: string;
  /** Verifier key of each purpose, as C2SP signed-note writes it. */
  readonly keys: { readonly [purpose: string]: string };
  readonly software: string;
  readonly version: string;
};

export interface DockFacts {
  readonly isStarted: boolean;
  readonly halted: AlarmCode | undefined;
  readonly version: string;
  readonly bays: readonly BayState[];
  readonly counts: ClipCounts;
  readonly treeSize: number;
  readonly cosigned: { readonly treeSize: number; readonly atMs: number } | undefined;
  readonly time: TrustedNow;
  readonly storage: StorageBody | undefined;
  readonly boot: string;
  readonly sinceMs: number;
  readonly atMs: number;
}

function formatTime(ms: number): string {
  return new Date(ms).toISOString();
}

export function dockPhase(facts: Pick<DockFacts, 'isStarted' | 'halted' | 'bays'>): DockPhase {
  if (facts.halted !== undefined) return 'halted';
  if (!facts.isStarted) return 'starting';
  const phases = facts.bays.map((bay) => bayStatus(bay).phase);
  if (phases.includes('waiting')) return 'waiting';
  return phases.includes('working') || phases.includes('greeting') ? 'working' : 'ready';
}

export function dockBody(facts: DockFacts): DockBody {
  const { vaulted, released, quarantined, missing, held } = facts.counts;
  const { storage } = facts;
  return {
    state: dockPhase(facts),
    ...(facts.halted === undefined ? {} : { code: facts.halted }),
    version: facts.version,
    bays: facts.bays.length,
    clips: { vaulted, released, quarantined, missing, held },
    ...(storage === undefined
      ? {}
      : { storage: { totalBytes: storage.totalBytes, freeBytes: storage.freeBytes } }),
    boot: facts.boot,
    since: formatTime(facts.sinceMs),
    treeSize: facts.treeSize,
    ...(facts.cosigned === undefined ? {} : { cosigned: cosignedBody(facts.cosigned, facts.time) }),
    time: timeBody(facts.time),
    at: formatTime(facts.atMs),
  };
}

function cosignedBody(
  { treeSize, atMs }: { readonly treeSize: number; readonly atMs: number },
  now: TrustedNow,
): CosignedBody {
  const body = { treeSize, at: formatTime(atMs) };
  if (now.kind === 'unknown') return body;
  return { ...body, ageSeconds: Math.max(0, Math.floor((now.earliestMs - atMs) / 1_000)) };
}

function timeBody(now: TrustedNow): TimeBody {
  if (now.kind === 'unknown') {
    return { quality: 'unknown', ...(now.floorMs > 0 ? { after: formatTime(now.floorMs) } : {}) };
  }
  const { source, earliestMs, latestMs } = now;
  return {
    quality: 'known',
    source,
    earliest: formatTime(earliestMs),
    latest: formatTime(latestMs),
  };
}

export function bayBody(state: BayState, atMs: number): BayBody {
  const status = bayStatus(state);
  const countOf = (stage: string) => state.clips.filter((clip) => clip.stage === stage).length;
  const reading = state.clips.find((clip) => clip.stage === 'on-camera' && clip.doneBytes > 0);
  return {
    bay: status.bay,
    state: status.phase,
    light: status.light,
    ...(status.camera === null ? {} : { camera: status.camera }),
    clips: {
      waiting: countOf('on-camera'),
      vaulted: countOf('vaulted'),
      released: countOf('released'),
      quarantined: status.quarantined,
      held: status.held,
    },
    ...(reading === undefined
      ? {}
      : {
          progress: {
            counter: reading.counter,
            bytes: reading.doneBytes,
            ofBytes: reading.sizeBytes,
          },
        }),
    percent: status.progressPercent,
    ...(status.charged === null ? {} : { charged: status.charged }),
    ...(status.report === null ? {} : reportBody(status.report)),
    ...(status.code === null ? {} : { code: status.code }),
    at: formatTime(atMs),
  };
}

function reportBody(
  report: CameraReport,
): Required<Pick<BayBody, 'battery' | 'storage' | 'firmware' | 'clock'>> {
  const { batteryPercent: percent, charging, storageBytes, storageFreeBytes } = report;
  const low = percent !== undefined && percent < BATTERY_LOW_PERCENT;
  const full = storageFreeBytes < storageBytes * STORAGE_FULL_SHARE;
  return {
    battery: { ...(percent === undefined ? {} : { percent }), charging, low },
    storage: { totalBytes: storageBytes, freeBytes: storageFreeBytes, full },
    firmware: report.firmware.slice(0, FIRMWARE_LENGTH_MAX),
    clock: { quality: report.clockQuality, offsetMs: report.clockOffsetMs },
  };
}

export function alarmBody(
  code: AlarmCode,
  alarm: { readonly sinceMs: number; readonly bays: readonly number[] },
): AlarmBody {
  const { severity, text, action } = ALARMS[code];
  const since = formatTime(alarm.sinceMs);
  const bays = alarm.bays.length === 0 ? {} : { bays: [...alarm.bays].sort((a, b) => a - b) };
  return { code, severity, text, action, since, ...bays };
}

import { formatHex, parseHex, utf8 } from '../bytes.ts';
import type { Sha256 } from '../custody/primitives.ts';
import { parseClipId, parseDockId } from '../evidence/clip.ts';
import { parseOrdersState } from '../orders/state.ts';
import type { CameraClocks, ClockMark } from './camera-clocks.ts';
import { CLIP_STATES, type ClipStatus, ClipTable } from './clip-table.ts';
import type { ClipCounts, DockState } from './state.ts';
import { INITIAL_STATE } from './state.ts';

const CACHE_VERSION = 2;
const COUNT_NAMES = Object.keys(INITIAL_STATE.counts) as (keyof ClipCounts)[];

/** What the cache holds. `root` is the log's root at the state's tree size, so that a cache of another log shows. */
export interface EncodedState {
  readonly version: number;
  readonly root: string;
  readonly state: unknown;
  /** SHA-256 over the other three, lower-case hex: catches decay, not malice. */
  readonly check: string;
}

/** `root` is the root of the log at `state.treeSize`. */
export function encodeState(state: DockState, root: Uint8Array, sha256: Sha256): EncodedState {
  const body = {
    version: CACHE_VERSION,
    root: formatHex(root),
    state: { ...state, clips: [...state.clips.values()], clocks: [...state.clocks] },
  };
  return { ...body, check: checkOf(body, sha256) };
}

/** Undefined for anything that `encodeState` has not made. The caller compares `root` with its log's, then folds the entries that follow. */
export function parseState(
  value: unknown,
  sha256: Sha256,
): { readonly state: DockState; readonly root: Uint8Array } | undefined {
  if (!isObject(value) || !isObject(value.state) || value.version !== CACHE_VERSION) {
    return undefined;
  }
  const { version, state } = value;
  const root = typeof value.root === 'string' ? parseHex(value.root, 32) : undefined;
  if (root === undefined) return undefined;
  if (value.check !== checkOf({ version, root: formatHex(root), state }, sha256)) return undefined;
  const parsed = parseBody(state);
  return parsed === undefined ? undefined : { state: parsed, root };
}

function checkOf(body: { version: unknown; root: string; state: unknown }, sha256: Sha256): string {
  return formatHex(sha256(utf8(JSON.stringify([body.version, body.root, body.state]))));
}

function parseBody(value: Readonly<Record<string, unknown>>): DockState | undefined {
  const dock = typeof value.dock === 'string' ? parseDockId(value.dock) : undefined;
  const { counts, clips, treeSize, stopped, retentionDays, gaps, misfits } = value;
  const clocks = parseClocks(value.clocks);
  if (value.dock !== undefined && dock === undefined) return undefined;
  if (!isCounts(counts) || !Array.isArray(clips) || !clips.every(isStatus)) return undefined;
  if (!isCount(retentionDays) || !isCount(treeSize) || !isCount(misfits)) return undefined;
  if (typeof stopped !== 'boolean' || !isTexts(gaps) || clocks === undefined) return undefined;
  const orders = parseOrdersState(value.orders);
  if (orders === undefined) return undefined;
  const table = ClipTable.empty.change((store) => {
    for (const status of clips) store.put({ ...status, releasedAtMs: status.releasedAtMs });
  });
  const rest = { treeSize, stopped, retentionDays, gaps, clocks, orders, misfits };
  return { dock, clips: table, counts, ...rest };
}

function parseClocks(value: unknown): CameraClocks | undefined {
  if (!Array.isArray(value)) return undefined;
  const isMark = (mark: unknown): mark is ClockMark =>
    isObject(mark) && [mark.first, mark.last, mark.offsetMs].every(Number.isSafeInteger);
  const isClock = (pair: unknown): pair is [string, ClockMark[]] =>
    Array.isArray(pair) &&
    typeof pair[0] === 'string' &&
    Array.isArray(pair[1]) &&
    pair[1].every(isMark);
  return value.every(isClock) ? new Map(value) : undefined;
}

function isStatus(value: unknown): value is ClipStatus {
  return (
    isObject(value) &&
    typeof value.clip === 'string' &&
    parseClipId(value.clip) !== undefined &&
    CLIP_STATES.some((state) => state === value.state) &&
    typeof value.held === 'boolean' &&
    typeof value.restricted === 'boolean' &&
    typeof value.incident === 'boolean' &&
    typeof value.commitment === 'string' &&
    typeof value.vaultedAtMs === 'number' &&
    (value.releasedAtMs === undefined || typeof value.releasedAtMs === 'number') &&
    [value.entryIndex, value.bytes, value.segments].every(isCount)
  );
}

function isCounts(value: unknown): value is ClipCounts {
  return isObject(value) && COUNT_NAMES.every((name) => isCount(value[name]));
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

import type { Entry, EntryOf } from '../custody/entry.ts';
import { DockError } from '../errors.ts';
import type { DockId } from '../evidence/clip.ts';
import type { CounterGap } from '../evidence/gaps.ts';
import { NO_ORDERS, OrdersFold, type OrdersState } from '../orders/state.ts';
import { type CameraClocks, noteClock } from './camera-clocks.ts';
import { type ClipStatus, type ClipStore, ClipTable, isGone } from './clip-table.ts';

export interface ClipCounts {
  readonly vaulted: number;
  readonly released: number;
  readonly quarantined: number;
  readonly missing: number;
  /** Being removed, or removed. */
  readonly disposing: number;
  readonly disposed: number;
  /** Of all of these. */
  readonly held: number;
  readonly incidents: number;
}

/** What the dock knows: the fold of its log's entries, and nothing else. */
export interface DockState {
  /** Undefined until the log is opened. */
  readonly dock: DockId | undefined;
  readonly clips: ClipTable;
  readonly counts: ClipCounts;
  readonly treeSize: number;
  /** Counters that no clip here tells of, never offered or disposed of since: `<camera digest> <first> <last>`. */
  readonly gaps: readonly string[];
  readonly clocks: CameraClocks;
  /** Whether the last run that the log knows has ended with `dock-stopped`. */
  readonly stopped: boolean;
  /** Policy of the newest run that the log knows. */
  readonly retentionDays: number;
  readonly orders: OrdersState;
  /** Entries that do not fit what came before them, such as a release of an unknown clip. Any but 0 is a defect to report. */
  readonly misfits: number;
}

export const INITIAL_STATE: DockState = {
  dock: undefined,
  clips: ClipTable.empty,
  counts: {
    ...{ vaulted: 0, released: 0, quarantined: 0, missing: 0, disposing: 0, disposed: 0 },
    ...{ held: 0, incidents: 0 },
  },
  treeSize: 0,
  gaps: [],
  clocks: new Map(),
  stopped: true,
  retentionDays: 60,
  orders: NO_ORDERS,
  misfits: 0,
};

/** Pure. Costs the copy of one bucket of clips: for many entries use `foldEntries`. */
export function evolve(state: DockState, entry: Entry, index: number): DockState {
  return foldEntries([{ entry, index }], state);
}

/**
 * Pure for its caller: the state given is not changed. Copies each bucket at most once, whatever the number of entries. ENTRY_INVALID when an
 * entry is not at the index that the text claims.
 */
export function foldEntries(
  entries: Iterable<{ readonly entry: Entry; readonly index: number }>,
  from: DockState = INITIAL_STATE,
): DockState {
  const counts = { ...from.counts };
  const orders = new OrdersFold(from.orders);
  let { dock, treeSize, stopped, retentionDays, gaps, clocks, misfits } = from;
  const clips = from.clips.change((store) => {
    for (const { entry, index } of entries) {
      if (index !== treeSize) {
        throw new DockError('ENTRY_INVALID', `entry ${treeSize} says that it is entry ${index}`);
      }
      treeSize += 1;
      if (entry.kind === 'log-opened') dock = entry.dock;
      gaps = withGap(gaps, entry);
      if (entry.kind === 'clock-offset') clocks = withClock(clocks, entry);
      if (entry.kind === 'dock-started') retentionDays = entry.retentionDays ?? retentionDays;
      stopped = entry.kind === 'dock-stopped';
      if (!orders.add(entry, index)) misfits += 1;
      if (!changesClip(entry)) continue;
      const before = store.get(entry.clip);
      const after = nextStatus(before, entry, index);
      if (after === undefined) misfits += 1;
      else if (after !== before) replaceStatus({ store, counts }, before, after);
    }
  });
  const rest = { treeSize, stopped, retentionDays, gaps, clocks, misfits };
  return { dock, clips, counts, orders: orders.state, ...rest };
}

interface Gap extends CounterGap {
  /** SHA-256 (hex) that stands for the camera. */
  readonly camera: string;
}

/** The gaps that the log has recorded of one camera. */
export function gapsOf(state: DockState, camera: string): readonly CounterGap[] {
  return state.gaps
    .map((key) => key.split(' '))
    .filter(([digest]) => digest === camera)
    .map(([, first, last]) => ({ first: Number(first), last: Number(last) }));
}

/** The counter of a clip that is disposed of is known, and no gap to find anew. */
function withGap(gaps: readonly string[], entry: Entry): readonly string[] {
  if (entry.kind === 'counter-gap') return [...gaps, gapKey(entry)];
  if (entry.kind !== 'disposal-begun') return gaps;
  const { camera, recording } = entry;
  if (camera === undefined || recording === undefined) return gaps;
  return [...gaps, gapKey({ camera, first: recording, last: recording })];
}

function gapKey({ camera, first, last }: Gap): string {
  return `${camera} ${first} ${last}`;
}

function withClock(clocks: CameraClocks, entry: EntryOf<'clock-offset'>): CameraClocks {
  const { camera, first, last, ms } = entry;
  if (camera === undefined || first === undefined || last === undefined) return clocks;
  return noteClock(clocks, camera, { first, last, offsetMs: ms });
}

const CLIP_CHANGES = [
  'clip-vaulted',
  'clip-released',
  'clip-quarantined',
  'clip-missing',
  'hold-placed',
  'hold-lifted',
  'incident-marked',
  'clip-restricted',
  'clip-unrestricted',
  'disposal-begun',
  'clip-disposed',
] as const;
type ClipChange = Extract<Entry, { kind: (typeof CLIP_CHANGES)[number] }>;
type MutableCounts = { -readonly [K in keyof ClipCounts]: ClipCounts[K] };

function changesClip(entry: Entry): entry is ClipChange {
  return CLIP_CHANGES.some((kind) => kind === entry.kind);
}

function replaceStatus(
  { store, counts }: { readonly store: ClipStore; readonly counts: MutableCounts },
  before: ClipStatus | undefined,
  after: ClipStatus,
): void {
  if (before !== undefined) count(counts, before, -1);
  count(counts, after, 1);
  store.put(after);
}

function count(counts: MutableCounts, status: ClipStatus, by: 1 | -1): void {
  counts[status.state] += by;
  if (status.held) counts.held += by;
  if (status.incident) counts.incidents += by;
}

/** Undefined when the entry does not fit. Total all the same: a log that cannot be changed must never stop the dock. */
function nextStatus(
  before: ClipStatus | undefined,
  entry: ClipChange,
  index: number,
): ClipStatus | undefined {
  if (before === undefined) return firstStatus(entry, index);
  // Nothing brings back what is disposed of.
  if (isGone(before) && entry.kind !== 'clip-disposed') return undefined;
  switch (entry.kind) {
    case 'clip-vaulted':
      return undefined;
    case 'clip-released':
      if (before.state !== 'vaulted') return undefined;
      return { ...before, state: 'released', releasedAtMs: entry.atMs };
    case 'clip-quarantined':
      return { ...before, state: 'quarantined' };
    case 'clip-missing':
      return { ...before, state: 'missing' };
    case 'hold-placed':
      return { ...before, held: true };
    case 'hold-lifted':
      return { ...before, held: false };
    case 'incident-marked':
      return { ...before, incident: true };
    case 'clip-restricted':
      return { ...before, restricted: true };
    case 'clip-unrestricted':
      return { ...before, restricted: false };
    case 'disposal-begun':
      if (before.held || before.state === 'vaulted') return undefined;
      return { ...before, state: 'disposing' };
    case 'clip-disposed':
      if (before.state !== 'disposing') return undefined;
      return { ...before, state: 'disposed' };
  }
}

function firstStatus(entry: ClipChange, index: number): ClipStatus | undefined {
  const status = {
    clip: entry.clip,
    held: false,
    restricted: false,
    incident: false,
    vaultedAtMs: entry.atMs,
    releasedAtMs: undefined,
    entryIndex: index,
  };
  if (entry.kind === 'clip-vaulted') {
    const { commitment, bytes, segments } = entry;
    return { ...status, state: 'vaulted', commitment, bytes, segments };
  }
  if (entry.kind !== 'clip-quarantined') return undefined;
  return { ...status, state: 'quarantined', commitment: '', bytes: 0, segments: 0 };
}

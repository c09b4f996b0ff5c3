import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Entry, EntryBody, EntryStamp } from '../../../src/core/custody/entry.ts';
import { decide } from '../../../src/core/dock/decide.ts';
import {
  type DockState,
  evolve,
  foldEntries,
  INITIAL_STATE,
} from '../../../src/core/dock/state.ts';
import { encodeState, parseState } from '../../../src/core/dock/state-codec.ts';
import { isDockError } from '../../../src/core/errors.ts';
import type { ClipId, DockId } from '../../../src/core/evidence/clip.ts';
import { sha256 } from './keys.ts';

const stamp: EntryStamp = {
  atMs: 1_795_400_000_000,
  clock: 'system',
  boot: '00000000',
  actor: 'dock',
};
const commitment = 'cd'.repeat(32);

function idOf(number: number): ClipId {
  const spread = ((number * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0');
  return `${spread}${number.toString(16).padStart(24, '0')}` as ClipId;
}

function opened(dock: string): EntryBody {
  const key = new Uint8Array(32);
  const keys = { manifestKey: key, receiptKey: key, linkKey: key };
  return { kind: 'log-opened', dock: dock as DockId, ...keys };
}

function vaulted(number: number): EntryBody {
  return {
    kind: 'clip-vaulted',
    clip: idOf(number),
    commitment,
    segments: 1,
    bytes: 9,
    cameraAuth: 'none',
  };
}

function numbered(acts: readonly EntryBody[], first = 0): { entry: Entry; index: number }[] {
  return acts.map((act, at) => ({ entry: { ...stamp, ...act }, index: first + at }));
}

function stateOf(...acts: EntryBody[]): DockState {
  return foldEntries(numbered(acts));
}

const state = suite('dock state');

state('knows a clip from its vaulting to its release', () => {
  const clip = idOf(1);
  const before = stateOf(opened('a/b'), vaulted(1));
  assert.equal(before.clips.get(clip), {
    clip,
    state: 'vaulted',
    held: false,
    restricted: false,
    incident: false,
    vaultedAtMs: stamp.atMs,
    releasedAtMs: undefined,
    entryIndex: 1,
    commitment,
    bytes: 9,
    segments: 1,
  });
  const after = evolve(before, { ...stamp, atMs: 5, kind: 'clip-released', clip }, 2);
  assert.is(after.clips.get(clip)?.state, 'released');
  assert.is(after.clips.get(clip)?.releasedAtMs, 5);
  assert.is(before.clips.get(clip)?.state, 'vaulted');
  assert.equal([before.counts.vaulted, after.counts.vaulted, after.counts.released], [1, 0, 1]);
  assert.equal([after.dock, after.treeSize, after.misfits], ['a/b', 3, 0]);
});

state('counts states, holds and incidents', () => {
  const folded = stateOf(
    vaulted(1),
    vaulted(2),
    vaulted(3),
    { kind: 'hold-placed', clip: idOf(1), reason: 'INCIDENT' },
    { kind: 'hold-placed', clip: idOf(2), reason: 'INCIDENT' },
    { kind: 'hold-lifted', clip: idOf(2) },
    { kind: 'incident-marked', clip: idOf(1) },
    { kind: 'clip-quarantined', clip: idOf(3), reason: 'SEGMENT_DIGEST_MISMATCH' },
    { kind: 'clip-quarantined', clip: idOf(4), reason: 'CLIP_DIGEST_MISMATCH' },
    { kind: 'clip-missing', clip: idOf(2) },
  );
  const gone = { disposing: 0, disposed: 0 };
  const left = { vaulted: 1, released: 0, quarantined: 2, missing: 1, held: 1, incidents: 1 };
  const counts = { ...left, ...gone };
  assert.equal(folded.counts, counts);
  assert.is(folded.clips.size, 4);
});

state('is not stopped by entries that do not fit, and counts them', () => {
  const folded = stateOf(
    { kind: 'clip-released', clip: idOf(1) },
    vaulted(1),
    vaulted(1),
    { kind: 'clip-released', clip: idOf(1) },
    { kind: 'clip-released', clip: idOf(1) },
    { kind: 'draft-removed', clip: idOf(9), reason: 'INTERRUPTED' },
    { kind: 'clock-offset', ms: 4 },
  );
  assert.is(folded.misfits, 3);
  assert.is(folded.clips.get(idOf(1))?.entryIndex, 1);
});

state('refuses an entry that is not at its index', () => {
  assert.throws(
    () => evolve(INITIAL_STATE, { ...stamp, kind: 'dock-stopped' }, 1),
    (error: unknown) => isDockError(error, 'ENTRY_INVALID'),
  );
});

state('knows whether the last run was stopped cleanly', () => {
  const started: EntryBody = { kind: 'dock-started', version: '0.1.0', clean: true };
  assert.not(stateOf(started, vaulted(1)).stopped);
  assert.ok(stateOf(started, { kind: 'dock-stopped' }).stopped);
});

state('knows the retention of the newest run', () => {
  const started: EntryBody = { kind: 'dock-started', version: '0.1.0', clean: true };
  assert.is(stateOf(started).retentionDays, 60);
  assert.is(stateOf({ ...started, retentionDays: 31 }, started).retentionDays, 31);
});

state('is the same folded at once, one by one, or from any middle', () => {
  const acts: EntryBody[] = [];
  for (let number = 0; number < 400; number++) {
    acts.push(vaulted(number));
    if (number % 2 === 0) acts.push({ kind: 'clip-released', clip: idOf(number) });
    if (number % 5 === 0)
      acts.push({ kind: 'hold-placed', clip: idOf(number), reason: 'INCIDENT' });
  }
  const entries = numbered(acts);
  const atOnce = foldEntries(entries);
  let oneByOne = INITIAL_STATE;
  for (const { entry, index } of entries) oneByOne = evolve(oneByOne, entry, index);
  const middle = foldEntries(entries.slice(0, 137));
  const resumed = foldEntries(entries.slice(137), middle);
  for (const other of [oneByOne, resumed]) assert.equal(plain(other), plain(atOnce));
  assert.is(middle.treeSize, 137);
});

state('orders a hold once, and an incident with its hold', () => {
  const clip = idOf(1);
  const before = stateOf(vaulted(1));
  const marked = decide(before, { action: 'mark-incident', clip, reason: 'WEARER-BUTTON' }, stamp);
  assert.ok(marked.ok);
  if (!marked.ok) return;
  assert.equal(
    marked.entries.map(({ kind }) => kind),
    ['incident-marked', 'hold-placed'],
  );
  const after = foldEntries(
    marked.entries.map((entry, at) => ({ entry, index: 1 + at })),
    before,
  );
  const again = decide(after, { action: 'mark-incident', clip, reason: 'WEARER-BUTTON' }, stamp);
  assert.equal(again, { ok: true, entries: [] });
  const hold = decide(after, { action: 'place-hold', clip, reason: 'CENTRE-ORDER' }, stamp);
  assert.equal(hold, { ok: true, entries: [] });
});

state('refuses a hold on a clip that the log does not have', () => {
  const decision = decide(
    INITIAL_STATE,
    { action: 'place-hold', clip: idOf(1), reason: 'INCIDENT' },
    stamp,
  );
  assert.is(decision.ok, false);
  if (!decision.ok) assert.is(decision.code, 'CLIP_NOT_FOUND');
});

state('comes back whole from the cache’s JSON, and not at all when a character changed', () => {
  const clip = idOf(1);
  const root = sha256(Uint8Array.of(1));
  const original = stateOf(
    opened('depot/dock-1'),
    vaulted(1),
    { kind: 'clip-released', clip },
    vaulted(2),
  );
  const text = JSON.stringify(encodeState(original, root, sha256));
  const back = parseState(JSON.parse(text), sha256);
  assert.equal(back?.root, root);
  assert.equal(plain(back?.state ?? INITIAL_STATE), plain(original));
  for (let at = 0; at < text.length; at++) {
    const changed = `${text.slice(0, at)}${text[at] === '0' ? '1' : '0'}${text.slice(at + 1)}`;
    assert.is(parseState(parsed(changed), sha256), undefined, changed.slice(0, at + 1));
  }
  for (const other of [
    undefined,
    null,
    4,
    [],
    {},
    { version: 1, root: '', state: {}, check: '' },
  ]) {
    assert.is(parseState(other, sha256), undefined);
  }
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function plain(of: DockState): unknown {
  const clips = [...of.clips.values()].sort((a, b) => (a.clip < b.clip ? -1 : 1));
  return { ...of, clips };
}

state.run();

import type { Entry, EntryBody, EntryStamp } from '../custody/entry.ts';
import type { ReasonCode } from '../custody/entry-grammar.ts';
import type { ErrorCode } from '../errors.ts';
import type { ClipId } from '../evidence/clip.ts';
import { isGone } from './clip-table.ts';
import type { DockState } from './state.ts';

export type Command =
  | { readonly action: 'place-hold'; readonly clip: ClipId; readonly reason: ReasonCode }
  | { readonly action: 'mark-incident'; readonly clip: ClipId; readonly reason: ReasonCode };

export type Decision =
  | { readonly ok: true; readonly entries: readonly Entry[] }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

/** No entries when the order changes nothing: it may be repeated. A marked incident is always held. */
export function decide(state: DockState, command: Command, stamp: EntryStamp): Decision {
  const { clip, reason } = command;
  const status = state.clips.get(clip);
  if (status === undefined || isGone(status)) {
    return { ok: false, code: 'CLIP_NOT_FOUND', message: `the log has no clip ${clip}` };
  }
  const acts: EntryBody[] = [];
  if (command.action === 'mark-incident' && !status.incident) {
    acts.push({ kind: 'incident-marked', clip });
  }
  if (!status.held) acts.push({ kind: 'hold-placed', clip, reason });
  return { ok: true, entries: acts.map((act) => ({ ...stamp, ...act })) };
}

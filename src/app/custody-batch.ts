import type { EntryBody } from '../core/custody/entry.ts';
import type { Actor } from '../core/custody/entry-grammar.ts';
import type { DockState } from '../core/dock/state.ts';
import type { DockError } from '../core/errors.ts';

/** What was done, and by whom where it was not the dock. */
export type ActBody = EntryBody & { readonly actor?: Actor };
export type Decide = (state: DockState) => readonly ActBody[];

export interface AppendedEntry {
  readonly index: number;
  readonly leafHash: Uint8Array;
}

/** Acts that wait for their turn to be written. */
export interface Waiting {
  readonly decide: Decide;
  /** Whether `decide` looks at the state. */
  readonly isDecided: boolean;
  readonly resolve: (appended: readonly AppendedEntry[]) => void;
  readonly reject: (error: DockError) => void;
}

/** As many as may be written together: a decision sees the state after every act before it, and so goes alone. */
export function takeBatch(waiting: Waiting[]): Waiting[] {
  const first = waiting.findIndex(({ isDecided }) => isDecided);
  return waiting.splice(0, first < 0 ? waiting.length : Math.max(1, first));
}

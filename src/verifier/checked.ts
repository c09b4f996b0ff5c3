import type { History } from './formats/entries.ts';
import type { Policy } from './formats/policy.ts';
import type { Tree } from './formats/tree.ts';
import type { OrderTrail } from './orders/trail.ts';
import { type Crypto, Malformed, type Report, type Source, type SourceEntry } from './report.ts';

/** What the checks of one folder share. */
export interface Checked {
  readonly source: Source;
  readonly policy: Policy;
  readonly crypto: Crypto;
  readonly report: Report;
  readonly tree: Tree;
  readonly history: History;
  readonly trail: OrderTrail;
  readonly entries: readonly SourceEntry[];
  /** Paths of the plain files among them. */
  readonly files: ReadonlySet<string>;
}

export function isThere({ files }: Checked, path: string): boolean {
  return files.has(path);
}

/** The pieces of a file up to where it cannot be read; none when it is not there. */
export async function* readable(checked: Checked, path: string): AsyncGenerator<Uint8Array> {
  if (!isThere(checked, path)) return;
  const { source, report } = checked;
  try {
    yield* source.pieces(path);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    report.find('FILE_UNREADABLE', path, error.message);
  }
}

import { type Checked, readable } from './checked.ts';
import type { DockKeys } from './clips.ts';
import { type LogEntry, parseLogEntry } from './formats/entries.ts';
import { parseBundle, readJournal } from './formats/journal.ts';
import { nameKey, SIGNS_NOTES } from './formats/notes.ts';
import { parseBase64Bytes } from './formats/text.ts';
import { hashLeaf } from './formats/tree.ts';
import { Malformed, type Report } from './report.ts';

/** Every entry goes through the rules and into the tree; none is kept. Returns the first. */
export async function readEntries(checked: Checked): Promise<LogEntry | undefined> {
  const { crypto, report, tree, history, trail } = checked;
  const path = 'custody/entries';
  let first: LogEntry | undefined;
  for await (const step of readJournal(readable(checked, path))) {
    if (step.kind === 'end') {
      if (step.torn) report.note('LOG_TAIL_TORN', path, `at byte ${step.at}`);
      continue;
    }
    if (step.kind === 'damaged') report.find('RECORD_DAMAGED', path, `at byte ${step.at}`);
    await report.guard('RECORD_DAMAGED', path, () => {
      for (const leaf of parseBundle(step.payload)) {
        const index = tree.size;
        tree.append(hashLeaf(leaf, crypto));
        const entry = readEntry(report, leaf, index);
        if (entry === undefined) continue;
        if (index === 0) first = entry;
        else if (entry.kind === 'log-opened') {
          report.find('LOG_OPENED_WRONG', path, `entry ${index} opens the log again`);
        }
        trail.add(entry, history.clips);
        history.add(entry);
      }
    });
  }
  trail.end();
  return first;
}

function readEntry(report: Report, leaf: Uint8Array, index: number): LogEntry | undefined {
  const path = 'custody/entries';
  try {
    const entry = parseLogEntry(leaf);
    if (!entry.isKnown) report.find('LOG_ENTRY_UNKNOWN', path, `entry ${index}: ${entry.kind}`);
    if (entry.index !== index) {
      report.find('LOG_ENTRY_ORDER', path, `entry ${index} says that it is entry ${entry.index}`);
    }
    return entry;
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    report.find('LOG_ENTRY_MALFORMED', path, `entry ${index}: ${error.message}`);
    return undefined;
  }
}

/** The keys that the first entry names. What else the log says of them is worth what its signatures are worth. */
export function keysOf(
  { report, crypto }: Pick<Checked, 'report' | 'crypto'>,
  first: LogEntry | undefined,
): DockKeys | undefined {
  if (first?.kind !== 'log-opened') {
    report.find('LOG_OPENED_WRONG', 'custody/entries', 'entry 0 does not open a log');
    return undefined;
  }
  const { dock = '' } = first.fields;
  const keyNamed = (purpose: string) => {
    const encoded = first.fields[`${purpose}-key`] ?? '';
    const publicKey = parseBase64Bytes(encoded, '=') ?? new Uint8Array(32);
    return nameKey({ name: `${dock}/${purpose}`, type: SIGNS_NOTES, publicKey }, crypto);
  };
  return {
    dock,
    manifest: keyNamed('manifest'),
    receipt: keyNamed('receipt'),
    link: keyNamed('link'),
  };
}

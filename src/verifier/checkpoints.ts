import { type Checked, isThere, readable } from './checked.ts';
import { readJournal } from './formats/journal.ts';
import { NOTE_SIZE_MAX, signersOf } from './formats/notes.ts';
import { sameBytes } from './formats/text.ts';
import { parseSignedRoot, type SignedRoot } from './formats/tree.ts';

/** A checkpoint and where it was found. */
export interface FoundRoot {
  readonly path: string;
  readonly signed: SignedRoot;
}

/** The checkpoints of a journal, in the order of signing. */
export interface SignedRoots {
  readonly path: string;
  readonly found: readonly FoundRoot[];
  /** Where a record begins that is not whole. */
  readonly tornAt: number | undefined;
}

export async function readSignedRoots(checked: Checked, path: string): Promise<SignedRoots> {
  const { report } = checked;
  const found: FoundRoot[] = [];
  let tornAt: number | undefined;
  for await (const step of readJournal(readable(checked, path))) {
    if (step.kind === 'end') {
      if (step.torn) tornAt = step.at;
      continue;
    }
    if (step.kind === 'damaged') report.find('RECORD_DAMAGED', path, `at byte ${step.at}`);
    await report.guard('CHECKPOINT_MALFORMED', path, () => {
      found.push({ path, signed: parseSignedRoot(step.payload) });
    });
  }
  for (const [index, { signed }] of found.entries()) {
    const before = found[index - 1]?.signed.size ?? 0;
    if (signed.size >= before) continue;
    report.find('CHECKPOINT_ORDER', path, `${signed.size} entries after ${before}`);
  }
  return { path, found, tornAt };
}

/** A power cut leaves a torn record only before the checkpoint that it would have held is published. */
function tellTorn({ report }: Checked, { path, tornAt }: SignedRoots, isWhole: boolean): void {
  if (tornAt === undefined) return;
  if (isWhole) report.note('LOG_TAIL_TORN', path, `at byte ${tornAt}`);
  else report.find('RECORD_DAMAGED', path, `at byte ${tornAt}`);
}

/** One checkpoint, if the file is there. */
export async function readRoot(checked: Checked, path: string): Promise<FoundRoot[]> {
  const { source, report } = checked;
  if (!isThere(checked, path)) return [];
  const found: FoundRoot[] = [];
  await report.guard('CHECKPOINT_MALFORMED', path, async () => {
    found.push({ path, signed: parseSignedRoot(await source.read(path, NOTE_SIZE_MAX)) });
  });
  return found;
}

/** `custody/checkpoint` is the newest of the history. A power cut may leave it one behind, until the next start. */
export function checkPublished(
  checked: Checked,
  signed: SignedRoots,
  [published]: readonly FoundRoot[],
): void {
  const { report } = checked;
  if (report.kind === 'dock') {
    for (const path of ['custody/checkpoint', signed.path]) {
      if (!isThere(checked, path)) report.find('CHECKPOINT_MISSING', path, 'it is not there');
    }
  }
  const text = published?.signed.note.text;
  const [last, former] = [signed.found.at(-1), signed.found.at(-2)];
  const isNewest = text !== undefined && last?.signed.note.text === text;
  tellTorn(checked, signed, isNewest);
  if (published === undefined || isNewest || !isThere(checked, signed.path)) return;
  const detail = `${published.signed.size} entries, and ${last?.signed.size ?? 0} in the history`;
  if (former?.signed.note.text === text) report.note('CHECKPOINT_BEHIND', published.path, detail);
  else report.find('CHECKPOINT_HISTORY', published.path, detail);
}

/** `custody/cosigned` is never of more entries than the last of `custody/cosignatures`, which is written before. */
export function checkCosigned(
  checked: Checked,
  witnessed: SignedRoots,
  [cosigned]: readonly FoundRoot[],
): void {
  const { report } = checked;
  const size = cosigned?.signed.size ?? 0;
  const lastSize = witnessed.found.at(-1)?.signed.size ?? 0;
  tellTorn(checked, witnessed, size <= lastSize && witnessed.found.length > 0);
  if (size <= lastSize || witnessed.tornAt !== undefined) return;
  report.find(
    'CHECKPOINT_HISTORY',
    witnessed.path,
    `${lastSize} entries, where ${size} are cosigned`,
  );
}

/** Each checkpoint is signed by the log and is of its first entries, which makes every smaller one a beginning of every larger. */
export function checkRoots(
  checked: Checked,
  roots: readonly FoundRoot[],
  dock: string | undefined,
): void {
  const { policy, report, tree } = checked;
  const good: FoundRoot[] = [];
  const origins = new Set<string>();
  for (const root of roots) {
    const { origin, size } = root.signed;
    report.counts.checkpoints += 1;
    if (dock !== undefined && origin !== `${dock}/log`) {
      report.find('CHECKPOINT_SIGNATURE', root.path, `it is of the log ${origin}`);
    } else if (!policy.logs.some(({ name }) => name === origin)) origins.add(origin);
    else {
      const standing = checkSigners(checked, root);
      if (standing !== 'refused') good.push(root);
      if (standing === 'cosigned') countCosigned(checked, root);
      if (standing === 'signed' && isKeptAsCosigned(root) && policy.witnesses.length > 0) {
        report.find('COSIGNATURE_MISSING', root.path, `${size} entries`);
      }
    }
    if (size > tree.size && !report.findings.some(({ name }) => name === 'LOG_ENTRY_MISSING')) {
      const detail = `${size} entries were signed, and ${tree.size} are there`;
      report.find('LOG_ENTRY_MISSING', 'custody/entries', detail);
    }
  }
  for (const origin of origins) report.find('LOG_NOT_IN_POLICY', 'custody', origin);
  if (roots.length === 0) report.find('CHECKPOINT_MISSING', 'custody', 'nothing is signed');
  compareRoots(checked, good);
}

/** Who has signed a checkpoint, as far as the policy knows them. */
export function checkSigners(
  { policy, crypto, report }: Pick<Checked, 'policy' | 'crypto' | 'report'>,
  { path, signed }: FoundRoot,
): 'refused' | 'signed' | 'cosigned' {
  const { origin, size, note } = signed;
  const logs = policy.logs.filter(({ name }) => name === origin);
  const { by, wrong, unknown } = signersOf(note, [...logs, ...policy.witnesses], crypto);
  if (!logs.some((log) => by.includes(log)) || wrong.includes(origin)) {
    const detail = `${size} entries, not signed by ${origin} as the policy knows it`;
    report.find('CHECKPOINT_SIGNATURE', path, detail);
    return 'refused';
  }
  for (const name of wrong) report.find('COSIGNATURE_WRONG', path, `${size} entries, by ${name}`);
  for (const name of unknown) report.note('SIGNATURE_UNKNOWN', path, `${size} entries, by ${name}`);
  const isCosigned = policy.isQuorum(by) && by.some((key) => policy.witnesses.includes(key));
  return isCosigned ? 'cosigned' : 'signed';
}

function isKeptAsCosigned({ path }: FoundRoot): boolean {
  return path.startsWith('custody/cosign');
}

function countCosigned({ report, tree }: Checked, { signed }: FoundRoot): void {
  const { size, root } = signed;
  if (size > tree.size || !sameBytes(tree.rootOf(size), root)) return;
  report.counts.cosignedEntries = Math.max(report.counts.cosignedEntries, size);
}

/** Names the first entries that differ: between the last checkpoint that fits and the first that does not. */
function compareRoots({ policy, report, tree }: Checked, good: readonly FoundRoot[]): void {
  let fits = 0;
  for (const { path, signed } of [...good].sort((a, b) => a.signed.size - b.signed.size)) {
    const { size, root } = signed;
    if (size > tree.size) break;
    if (!sameBytes(tree.rootOf(size), root)) {
      const where = `one of entries ${fits} to ${size - 1} is not what ${path} signs`;
      report.find('LOG_ENTRY_ALTERED', 'custody/entries', where);
      break;
    }
    fits = size;
  }
  const signedSize = good.reduce((size, { signed }) => Math.max(size, signed.size), 0);
  if (signedSize < tree.size) {
    const detail = `entries ${signedSize} to ${tree.size - 1}`;
    report.find('LOG_ENTRY_UNSIGNED', 'custody/entries', detail);
  }
  const { cosignedEntries } = report.counts;
  if (cosignedEntries === 0 && !policy.isQuorum([])) {
    report.find('COSIGNATURE_MISSING', 'custody', `the policy demands quorum ${policy.quorum}`);
  } else if (cosignedEntries < tree.size && !policy.isQuorum([])) {
    const detail = `entries ${cosignedEntries} to ${tree.size - 1}`;
    report.note('NOT_COSIGNED_YET', 'custody/entries', detail);
  }
}

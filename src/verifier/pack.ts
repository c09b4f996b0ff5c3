import { checkSigners } from './checkpoints.ts';
import { checkClip, type DockKeys, type Vouched } from './clips.ts';
import { History, type LogEntry, parseLogEntry } from './formats/entries.ts';
import { NOTE_SIZE_MAX } from './formats/notes.ts';
import type { Policy } from './formats/policy.ts';
import {
  hexOf,
  Lines,
  parseClipId,
  parseDockId,
  readUtf8,
  sameBytes,
  sha256,
} from './formats/text.ts';
import { type EntryProof, hashLeaf, parseEntryProof, rootByInclusion } from './formats/tree.ts';
import { keysOf } from './log.ts';
import { type Crypto, Malformed, Report, type Source, type SourceEntry } from './report.ts';

export const PACK_MARK = 'pack.txt';
const SUMS = 'SHA256SUMS';
const README = 'README.txt';
const ENTRY = /^log\/(\d{10})\.entry$/;
const SMALL_SIZE_MAX = 16_777_216;

interface PackCheck {
  readonly source: Source;
  readonly policy: Policy;
  readonly crypto: Crypto;
  readonly report: Report;
  readonly files: ReadonlyMap<string, SourceEntry>;
  /** By path, of what was read already. */
  readonly digests: Map<string, string>;
}

interface ProvenEntry {
  readonly entry: LogEntry;
  readonly leafHash: Uint8Array;
  readonly proof: EntryProof;
}

/** Checks an export pack: some clips, and of the log only what concerns them, each entry with its proof. */
export async function checkPack(source: Source, policy: Policy, crypto: Crypto): Promise<Report> {
  const report = new Report('pack');
  const listed = await source.list();
  const files = new Map(
    listed.filter(({ kind }) => kind === 'file').map((entry) => [entry.path, entry]),
  );
  const pack = { source, policy, crypto, report, files, digests: new Map<string, string>() };
  for (const { path, kind } of listed) {
    if (kind === 'other') report.find('FILE_UNREADABLE', path, 'it is not a plain file');
  }
  const mark = await readMark(pack);
  if (mark === undefined) return report;
  report.dock = mark.dock;
  const proven = await readProven(pack);
  const keys = checkOpening(pack, proven[0], mark.dock);
  const history = new History(report, 'log');
  for (const { entry } of proven) history.add(entry);
  if (keys !== undefined) await checkClips(pack, { keys, history, proven, clips: mark.clips });
  checkUnexpected(pack, mark.clips);
  await checkSums(pack);
  return report;
}

async function readMark({ source, report, files }: PackCheck) {
  let mark: { readonly dock: string; readonly clips: readonly string[] } | undefined;
  await report.guard('PACK_MALFORMED', PACK_MARK, async () => {
    if (!files.has(PACK_MARK)) throw new Malformed('it is not there');
    const lines = new Lines(
      'docket/pack/v1',
      readUtf8(await source.read(PACK_MARK, NOTE_SIZE_MAX)),
    );
    const dock = lines.take('dock', parseDockId);
    const clips = lines.all('clip', parseClipId);
    lines.end();
    if (clips.length === 0 || new Set(clips).size < clips.length) {
      throw new Malformed('it names no clip, or one twice');
    }
    mark = { dock, clips };
  });
  return mark;
}

/** The entries of the pack in the order of the log, each proven to be under the pack's checkpoint. */
async function readProven(pack: PackCheck): Promise<ProvenEntry[]> {
  const { report, files } = pack;
  const proven: ProvenEntry[] = [];
  for (const path of [...files.keys()].sort()) {
    const place = ENTRY.exec(path)?.[1];
    if (place === undefined) continue;
    const found = await readProvenEntry(pack, path, Number(place));
    if (found !== undefined) proven.push(found);
  }
  const [first] = proven;
  if (first === undefined) {
    report.find('CHECKPOINT_MISSING', 'log', 'the pack has no proven entry');
    return [];
  }
  report.counts.entries = proven.length;
  checkCheckpoint(pack, proven, first);
  return proven;
}

async function readProvenEntry(
  { source, crypto, report, files }: PackCheck,
  path: string,
  place: number,
): Promise<ProvenEntry | undefined> {
  const proofPath = path.replace(/entry$/, 'proof');
  const leaf = await source.read(path, 65_535);
  const leafHash = hashLeaf(leaf, crypto);
  let entry: LogEntry | undefined;
  let proof: EntryProof | undefined;
  await report.guard('LOG_ENTRY_MALFORMED', path, () => {
    entry = parseLogEntry(leaf);
  });
  await report.guard('PROOF_MALFORMED', proofPath, async () => {
    if (!files.has(proofPath)) throw new Malformed('it is not there');
    proof = parseEntryProof(await source.read(proofPath, NOTE_SIZE_MAX));
  });
  if (entry === undefined || proof === undefined) return undefined;
  if (!entry.isKnown) report.find('LOG_ENTRY_UNKNOWN', path, entry.kind);
  if (entry.index !== place) {
    report.find('LOG_ENTRY_ORDER', path, `it says that it is entry ${entry.index}`);
  }
  const { size, root } = proof.checkpoint;
  const { index } = proof;
  const reached = rootByInclusion({ leafHash, index, size, proof: proof.proof }, crypto);
  if (reached === undefined || !sameBytes(reached, root) || index !== place) {
    report.find('PROOF_WRONG', proofPath, `entry ${place} in a tree of ${size}`);
  }
  return { entry, leafHash, proof };
}

/** One checkpoint for all, so that nobody can prove each entry under another history. */
function checkCheckpoint(
  pack: PackCheck,
  proven: readonly ProvenEntry[],
  first: ProvenEntry,
): void {
  const { policy, report } = pack;
  const { checkpoint } = first.proof;
  const texts = new Set(proven.map(({ proof }) => noteOf(proof)));
  report.counts.checkpoints = texts.size;
  if (texts.size > 1) {
    report.find('PACK_MALFORMED', 'log', `its proofs are under ${texts.size} checkpoints`);
  }
  if (!policy.logs.some(({ name }) => name === checkpoint.origin)) {
    report.find('LOG_NOT_IN_POLICY', 'log', checkpoint.origin);
    return;
  }
  const seen = new Set<string>();
  for (const { proof, entry } of proven) {
    const text = noteOf(proof);
    if (seen.has(text)) continue;
    seen.add(text);
    const path = `log/${nameOf(entry.index)}.proof`;
    const standing = checkSigners(pack, { path, signed: proof.checkpoint });
    if (standing === 'cosigned') report.counts.cosignedEntries = proven.length;
    else if (standing === 'signed' && !policy.isQuorum([])) {
      report.find('COSIGNATURE_MISSING', path, `the policy demands quorum ${policy.quorum}`);
    }
  }
}

function noteOf({ checkpoint }: EntryProof): string {
  const { text, signatures } = checkpoint.note;
  return `${text}${signatures.map(({ name, id, bytes }) => `${name} ${id} ${hexOf(bytes)}`).join('\n')}`;
}

function nameOf(index: number): string {
  return String(index).padStart(10, '0');
}

/** The log's first entry says whose keys sign manifests and receipts. */
function checkOpening(
  { report, crypto }: PackCheck,
  first: ProvenEntry | undefined,
  dock: string,
): DockKeys | undefined {
  if (first === undefined) return undefined;
  const keys = first.entry.index === 0 ? keysOf({ report, crypto }, first.entry) : undefined;
  if (keys !== undefined && keys.dock === dock && first.proof.checkpoint.origin === `${dock}/log`) {
    return keys;
  }
  report.find('LOG_OPENED_WRONG', `log/${nameOf(0)}.entry`, `it does not open the log of ${dock}`);
  return keys;
}

async function checkClips(
  pack: PackCheck,
  known: {
    readonly keys: DockKeys;
    readonly history: History;
    readonly proven: readonly ProvenEntry[];
    readonly clips: readonly string[];
  },
): Promise<void> {
  const { source, crypto, report, files, digests } = pack;
  const { keys, history, proven, clips } = known;
  for (const { clip } of history.clips.values()) {
    if (!clips.includes(clip)) report.find('ENTRY_WITHOUT_CLIP', 'log', `clip ${clip}`);
  }
  for (const clip of clips) {
    const folder = `clips/${clip}`;
    const past = history.clips.get(clip);
    if (past === undefined) report.find('CLIP_WITHOUT_ENTRY', folder, `clip ${clip}`);
    if (past?.quarantined) report.note('CLIP_QUARANTINED', folder, `clip ${clip}`);
    if (past?.disposing === true) {
      report.find('DISPOSED_CLIP_PRESENT', folder, `clip ${clip}`);
    }
    const vouched = vouchedBy(proven, past?.vaulted);
    const names = new Set(
      [...files.keys()]
        .filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1)),
    );
    const at = { source, crypto, report, folder, names, digests };
    const expected = await checkClip(at, { clip, keys, vouched });
    if (past?.released === true && !names.has('receipt.note')) {
      report.find('RECEIPT_MISSING', `${folder}/receipt.note`, `clip ${clip}`);
    }
    for (const name of names) {
      if (!expected.has(name)) report.find('UNEXPECTED_FILE', `${folder}/${name}`, 'not named');
    }
  }
}

function vouchedBy(
  proven: readonly ProvenEntry[],
  vaulted: Omit<Vouched, 'leafHash' | 'rootOf'> | undefined,
): Vouched | undefined {
  const found = proven.find(({ entry }) => entry.index === vaulted?.index);
  if (vaulted === undefined || found === undefined) return undefined;
  const { size, root } = found.proof.checkpoint;
  const rootOf = (asked: number) => (asked === size ? root : undefined);
  return { ...vaulted, leafHash: found.leafHash, rootOf };
}

function checkUnexpected({ report, files }: PackCheck, clips: readonly string[]): void {
  for (const path of files.keys()) {
    const [, clip] = /^clips\/([0-9a-f]{32})\/[^/]+$/.exec(path) ?? [];
    const isProof = path.endsWith('.proof') && files.has(path.replace(/proof$/, 'entry'));
    const isKnown =
      [PACK_MARK, SUMS, README].includes(path) ||
      ENTRY.test(path) ||
      (isProof && path.startsWith('log/')) ||
      (clip !== undefined && clips.includes(clip));
    if (!isKnown) report.find('UNEXPECTED_FILE', path, 'a pack has no such file');
  }
}

/** As `sha256sum -c SHA256SUMS` would: it lists every file but itself. */
async function checkSums(pack: PackCheck): Promise<void> {
  const { source, report, files } = pack;
  await report.guard('PACK_MALFORMED', SUMS, async () => {
    if (!files.has(SUMS)) throw new Malformed('it is not there');
    const sums = new Map<string, string>();
    const lines = readUtf8(await source.read(SUMS, SMALL_SIZE_MAX)).split('\n');
    if (lines.pop() !== '') throw new Malformed('its last line does not end');
    for (const line of lines) {
      const [, sum, path] = /^([0-9a-f]{64}) {2}(\S+)$/.exec(line) ?? [];
      if (sum === undefined || path === undefined || sums.has(path)) {
        throw new Malformed('a line is not a digest and a path, or is there twice');
      }
      sums.set(path, sum);
    }
    for (const path of sums.keys()) {
      if (!files.has(path)) report.find('PACK_SUM', path, 'it is listed and not there');
    }
    for (const path of files.keys()) {
      if (path !== SUMS) await checkSum(pack, path, sums.get(path));
    }
  });
}

async function checkSum(
  { source, crypto, report, digests }: PackCheck,
  path: string,
  sum: string | undefined,
): Promise<void> {
  await report.guard('FILE_UNREADABLE', path, async () => {
    const found =
      digests.get(path) ?? hexOf(sha256(crypto, await source.read(path, SMALL_SIZE_MAX)));
    if (found !== sum) report.find('PACK_SUM', path, `it has ${found}`);
  });
}

import { type Checked, isThere } from './checked.ts';
import {
  checkCosigned,
  checkPublished,
  checkRoots,
  readRoot,
  readSignedRoots,
} from './checkpoints.ts';
import { checkClip, type DockKeys } from './clips.ts';
import { type ClipHistory, History } from './formats/entries.ts';
import { parseBundle } from './formats/journal.ts';
import { parseNamedKey } from './formats/notes.ts';
import type { Policy } from './formats/policy.ts';
import { readUtf8, sameBytes } from './formats/text.ts';
import { hashLeaf, Tree } from './formats/tree.ts';
import { keysOf, readEntries } from './log.ts';
import { checkCertificates } from './orders/certificates.ts';
import { checkOrders } from './orders/orders.ts';
import { OrderTrail } from './orders/trail.ts';
import { type Crypto, Malformed, Report, type Source } from './report.ts';

const TILE_WIDTH = 256;
const TILE_PATH = /^custody\/tile\/(entries|\d)((?:\/x\d{3})*\/\d{3})$/;
const TEMPORARY = /(^|\/)\.[^/]+\.[0-9a-f]{16}\.tmp$/;
const FOLDERS =
  /^(vault(\/(\.drafts|[0-9a-f]{32}))?|custody(\/tile(\/(entries|\d)(\/x\d{3})*)?)?|keys|certificates|orders)$/;
/** Made from the log, or of use only while a dock runs. */
const NOT_EVIDENCE = /^(cache\.json|custody\/lock-[0-9a-f]{8}-\d+-\d+)$/;
/** What a witness keeps of a log that it caught. */
const CONFLICT = 'conflict.note';
const CHECKED =
  /^(conflict\.note|custody\/(entries|checkpoints|checkpoint|cosigned|cosignatures|tile\/.+)|keys\/(link|manifest|log|receipt)\.(key|pub)|certificates\/[0-9a-f]{32}\.note|orders\/(roles(-\d{10})?\.note|\d{10}\.(note|receipt)))$/;

/** Checks a dock's data folder, or a log without a vault as a mirror keeps it. */
export async function checkDock(source: Source, policy: Policy, crypto: Crypto): Promise<Report> {
  const entries = await source.list();
  const isDock = entries.some(({ path }) => /^(vault|keys)(\/|$)|^cache\.json$/.test(path));
  const report = new Report(isDock ? 'dock' : 'log');
  const history = new History(report, 'custody/entries');
  const tree = new Tree(crypto);
  const files = new Set(entries.filter(({ kind }) => kind === 'file').map(({ path }) => path));
  const trail = new OrderTrail(report, policy.root !== undefined);
  const checked: Checked = {
    ...{ source, policy, crypto, report },
    ...{ tree, history, trail, entries, files },
  };
  const keys = await checkLog(checked);
  if (isDock) {
    if (keys !== undefined) await checkVault(checked, keys);
    else report.note('LOG_ONLY', 'vault', 'no clip can be checked without the keys of the log');
  } else report.note('LOG_ONLY', '', 'there is no vault here');
  await checkOrders(checked, keys);
  if (isThere(checked, CONFLICT)) {
    report.find('LOG_FORKED', CONFLICT, 'two checkpoints of this log cannot both be true');
  }
  await checkTiles(checked);
  await checkKeys(checked, keys);
  sortOut(checked);
  return report;
}

/** Entries, checkpoints and cosignatures. Returns the keys that the log names; undefined when it does not. */
async function checkLog(checked: Checked): Promise<DockKeys | undefined> {
  const { report, tree } = checked;
  if (!isThere(checked, 'custody/entries')) {
    report.find('LOG_MISSING', 'custody/entries', 'it is not there');
    return undefined;
  }
  const opened = await readEntries(checked);
  report.counts.entries = tree.size;
  const keys = keysOf(checked, opened);
  report.dock = keys?.dock;
  const signed = await readSignedRoots(checked, 'custody/checkpoints');
  const published = await readRoot(checked, 'custody/checkpoint');
  const witnessed = await readSignedRoots(checked, 'custody/cosignatures');
  const cosigned = await readRoot(checked, 'custody/cosigned');
  checkPublished(checked, signed, published);
  checkCosigned(checked, witnessed, cosigned);
  const roots = [...signed.found, ...published, ...witnessed.found, ...cosigned];
  checkRoots(checked, roots, keys?.dock);
  return keys;
}

/** Clips of the log and clips of the vault must be the same, and each must be what the log was given. */
async function checkVault(checked: Checked, keys: DockKeys): Promise<void> {
  const { report, history, entries } = checked;
  const folders = new Map<string, Set<string>>();
  for (const { path, kind } of entries) {
    const [, clip, name] = /^vault\/([0-9a-f]{32})(?:\/(.+))?$/.exec(path) ?? [];
    if (clip === undefined) continue;
    const names = folders.get(clip) ?? new Set();
    folders.set(clip, names);
    if (name !== undefined && kind === 'file') names.add(name);
  }
  for (const known of history.clips.values()) {
    const names = folders.get(known.clip);
    if (names !== undefined || known.vaulted === undefined) continue;
    if (known.disposing) continue;
    const detail = `clip ${known.clip}, entry ${known.vaulted.index}`;
    report.find('ENTRY_WITHOUT_CLIP', `vault/${known.clip}`, detail);
  }
  for (const [clip, names] of folders) {
    const known = history.clips.get(clip);
    if (known === undefined) report.find('CLIP_WITHOUT_ENTRY', `vault/${clip}`, `clip ${clip}`);
    await checkVaultClip(checked, { clip, names, known, keys });
  }
  await checkCertificates(checked, keys);
}

async function checkVaultClip(
  { source, crypto, report, tree }: Checked,
  {
    clip,
    names,
    known,
    keys,
  }: { clip: string; names: Set<string>; known: ClipHistory | undefined; keys: DockKeys },
): Promise<void> {
  const folder = `vault/${clip}`;
  if (known?.quarantined) report.note('CLIP_QUARANTINED', folder, `clip ${clip}`);
  if (known?.missing) report.note('CLIP_RECORDED_MISSING', folder, `clip ${clip}`);
  if (known?.disposing === true && known.certificate === undefined) {
    report.note('DISPOSAL_UNFINISHED', folder, `clip ${clip}`);
    return;
  }
  if (known?.certificate !== undefined) {
    return report.find('DISPOSED_CLIP_PRESENT', folder, `clip ${clip}`);
  }
  const rootOf = (size: number) => (size <= tree.size ? tree.rootOf(size) : new Uint8Array(0));
  const vouched =
    known?.vaulted === undefined
      ? undefined
      : { ...known.vaulted, leafHash: tree.node(0, known.vaulted.index), rootOf };
  const files = { source, crypto, report, folder, names };
  const expected = await checkClip(files, { clip, keys, vouched });
  if (known?.released === true && !names.has('receipt.note')) {
    report.find('RECEIPT_MISSING', `${folder}/receipt.note`, `clip ${clip}`);
  }
  for (const name of names) {
    if (expected.has(name) || TEMPORARY.test(name)) continue;
    report.find('UNEXPECTED_FILE', `${folder}/${name}`, 'the manifest does not name it');
  }
}

/** Tiles are made from the entries for other programs to read: they must say the same. */
async function checkTiles(checked: Checked): Promise<void> {
  const { source, report, entries } = checked;
  for (const { path, kind } of entries) {
    const [, level, groups = ''] = TILE_PATH.exec(path) ?? [];
    if (level === undefined || kind !== 'file') continue;
    const index = Number(groups.replace(/[/x]/g, ''));
    await report.guard('TILE_ALTERED', path, async () => {
      const bytes = await source.read(path, TILE_WIDTH * 65_537);
      const hashes = hashesOfTile(checked, level, bytes);
      const row = level === 'entries' ? 0 : Number(level) * 8;
      if (hashes.length !== TILE_WIDTH) throw new Malformed(`it has ${hashes.length} hashes`);
      for (const [i, hash] of hashes.entries()) {
        const place = index * TILE_WIDTH + i;
        if (!sameBytes(checked.tree.node(row, place), hash)) {
          throw new Malformed(`number ${place} is not that of the log`);
        }
      }
    });
  }
}

function hashesOfTile({ crypto }: Checked, level: string, bytes: Uint8Array): Uint8Array[] {
  if (level === 'entries') return parseBundle(bytes).map((leaf) => hashLeaf(leaf, crypto));
  if (bytes.length !== TILE_WIDTH * 32) throw new Malformed(`it has ${bytes.length} bytes`);
  return Array.from({ length: TILE_WIDTH }, (_, i) => bytes.subarray(i * 32, i * 32 + 32));
}

/** The public halves lie there for people to carry: a wrong one would be carried into a policy. */
async function checkKeys(checked: Checked, keys: DockKeys | undefined): Promise<void> {
  const { source, policy, crypto, report, entries } = checked;
  const right = [
    ...policy.logs,
    ...(keys === undefined ? [] : [keys.manifest, keys.receipt, keys.link]),
  ];
  for (const { path, kind } of entries) {
    const [, purpose, half] = /^keys\/(link|manifest|log|receipt)\.(key|pub)$/.exec(path) ?? [];
    if (purpose === undefined || kind !== 'file') continue;
    if (half === 'key') report.note('SECRET_NOT_READ', path, purpose);
    else {
      await report.guard('KEY_ALTERED', path, async () => {
        const text = readUtf8(await source.read(path, 4_096));
        const key = parseNamedKey(text.replace(/\n$/, ''), crypto);
        const name = `${keys?.dock}/${purpose}`;
        const isRight = right.some((known) => known.id === key.id && known.name === key.name);
        if (keys !== undefined && (key.name !== name || !isRight)) {
          throw new Malformed(`it is another key than the one of ${name}`);
        }
      });
    }
  }
}

/** Says what was not checked, and finds what nobody knows. */
function sortOut({ report, entries }: Checked): void {
  for (const { path, kind } of entries) {
    const isFolder = kind === 'folder';
    if (kind === 'other') report.find('FILE_UNREADABLE', path, 'it is not a plain file');
    else if (TEMPORARY.test(path)) report.note('NOT_EVIDENCE', path, 'a write that was cut off');
    else if (/^vault\/[0-9a-f]{32}\/./.test(path) && !isFolder) continue;
    else if (/^vault\/\.drafts\/[^/]+$/.test(path)) report.note('DRAFT', path, 'half taken');
    else if (/^vault\/\.drafts\//.test(path)) continue;
    else if (isFolder && FOLDERS.test(path)) continue;
    else if (isFolder) report.find('UNEXPECTED_FILE', path, 'a dock has no such folder');
    else if (NOT_EVIDENCE.test(path)) report.note('NOT_EVIDENCE', path, 'not checked');
    else if (!CHECKED.test(path))
      report.find('UNEXPECTED_FILE', path, 'a dock writes no such file');
  }
}

import {
  type ClipManifest,
  type ClipReceipt,
  countStanzas,
  HEADER_SIZE_MAX,
  parseClipManifest,
  parseReceiptText,
  type SealedPart,
} from './formats/manifest.ts';
import {
  type NamedKey,
  NOTE_SIZE_MAX,
  parseSignedText,
  signersOf,
  textSignedBy,
} from './formats/notes.ts';
import { hexOf, joinBytes, sameBytes, sha256 } from './formats/text.ts';
import { rootByInclusion } from './formats/tree.ts';
import type { Crypto, FindingName, Report, Source } from './report.ts';

/** What the log says of the dock: whose keys sign what. */
export interface DockKeys {
  readonly dock: string;
  readonly manifest: NamedKey;
  readonly receipt: NamedKey;
  readonly link: NamedKey;
}

/** The entry that vouches for a clip. */
export interface Vouched {
  readonly index: number;
  readonly commitment: string;
  readonly segments: number;
  readonly bytes: number;
  readonly cameraAuth: string;
  readonly leafHash: Uint8Array;
  /** Root of the log at a size; undefined where it is not known. */
  rootOf(size: number): Uint8Array | undefined;
}

export interface ClipFiles {
  readonly source: Source;
  readonly crypto: Crypto;
  readonly report: Report;
  /** The clip's folder, without a slash at the end. */
  readonly folder: string;
  /** Names of the files in it. */
  readonly names: ReadonlySet<string>;
  /** Takes the digests of what was read, by path. */
  readonly digests?: Map<string, string>;
}

/** Checks everything that can be known of a clip without opening it. Returns the names of the files that belong there. */
export async function checkClip(
  files: ClipFiles,
  { clip, keys, vouched }: { clip: string; keys: DockKeys; vouched: Vouched | undefined },
): Promise<ReadonlySet<string>> {
  const { report, folder, names } = files;
  report.counts.clips += 1;
  const expected = new Set(['manifest.note', 'details.age', 'receipt.note']);
  if (!names.has('manifest.note')) {
    report.find('MANIFEST_MISSING', folder, `clip ${clip}`);
    return names;
  }
  const manifest = await readManifest(files, { clip, keys, vouched });
  if (manifest === undefined) return names;
  for (const segment of manifest.segments) {
    expected.add(segment.name);
    report.counts.segments += 1;
    await checkSealed(files, segment, {
      ...{ recipients: manifest.recipients, missing: 'SEGMENT_MISSING' },
      ...{ size: 'SEGMENT_SIZE', digest: 'SEGMENT_DIGEST' },
    });
  }
  await checkSealed(files, manifest.details, {
    ...{ recipients: manifest.recipients, missing: 'DETAILS_MISSING' },
    ...{ size: 'DETAILS_DIGEST', digest: 'DETAILS_DIGEST' },
  });
  if (names.has('receipt.note')) await checkReceipt(files, { manifest, keys, vouched });
  return expected;
}

async function readManifest(
  { source, crypto, report, folder }: ClipFiles,
  { clip, keys, vouched }: { clip: string; keys: DockKeys; vouched: Vouched | undefined },
): Promise<ClipManifest | undefined> {
  const path = `${folder}/manifest.note`;
  let manifest: ClipManifest | undefined;
  let bytes = new Uint8Array(0);
  await report.guard('MANIFEST_MALFORMED', path, async () => {
    bytes = Uint8Array.from(await source.read(path, NOTE_SIZE_MAX));
    const note = parseSignedText(bytes);
    const { by, wrong } = signersOf(note, [keys.manifest], crypto);
    if (by.length === 0 || wrong.length > 0) {
      report.find('MANIFEST_SIGNATURE', path, `it is not signed by ${keys.manifest.name}`);
    }
    manifest = parseClipManifest(note.text);
  });
  if (manifest === undefined) return undefined;
  if (manifest.clip !== clip || manifest.dock !== keys.dock) {
    report.find('MANIFEST_OTHER_CLIP', path, `it is of clip ${manifest.clip} of ${manifest.dock}`);
  }
  if (vouched === undefined) return manifest;
  const commitment = hexOf(sha256(crypto, manifest.salt, bytes));
  const isVouched =
    commitment === vouched.commitment &&
    manifest.segments.length === vouched.segments &&
    manifest.size === vouched.bytes &&
    manifest.cameraAuth === vouched.cameraAuth;
  if (!isVouched) {
    report.find('MANIFEST_COMMITMENT', path, `entry ${vouched.index} vouches for another manifest`);
  }
  return manifest;
}

async function checkSealed(
  { source, crypto, report, folder, names, digests }: ClipFiles,
  part: SealedPart,
  as: Readonly<Record<'missing' | 'size' | 'digest', FindingName>> & {
    readonly recipients: number;
  },
): Promise<void> {
  const path = `${folder}/${part.name}`;
  if (!names.has(part.name)) {
    report.find(as.missing, path, `${part.size} bytes`);
    return;
  }
  const digest = crypto.newSha256();
  let size = 0;
  let start: Uint8Array = new Uint8Array(0);
  const isRead = await report.guard('FILE_UNREADABLE', path, async () => {
    for await (const piece of source.pieces(path)) {
      size += piece.length;
      digest.update(piece);
      if (start.length < HEADER_SIZE_MAX)
        start = joinBytes(start, piece.subarray(0, HEADER_SIZE_MAX));
    }
  });
  if (!isRead) return;
  report.counts.bytes += size;
  await report.guard('SEAL_HEADER', path, () => {
    const stanzas = countStanzas(start.subarray(0, HEADER_SIZE_MAX));
    if (stanzas === as.recipients) return;
    report.find('SEAL_RECIPIENTS', path, `${stanzas}, where the manifest says ${as.recipients}`);
  });
  if (size !== part.size) report.find(as.size, path, `${size} bytes instead of ${part.size}`);
  const found = hexOf(digest.digest());
  digests?.set(path, found);
  if (found !== part.sha256) report.find(as.digest, path, `${found} instead of ${part.sha256}`);
}

async function checkReceipt(
  { source, crypto, report, folder }: ClipFiles,
  of: { manifest: ClipManifest; keys: DockKeys; vouched: Vouched | undefined },
): Promise<void> {
  const path = `${folder}/receipt.note`;
  const { manifest, keys, vouched } = of;
  let receipt: ClipReceipt | undefined;
  await report.guard('RECEIPT_MALFORMED', path, async () => {
    const note = parseSignedText(await source.read(path, NOTE_SIZE_MAX));
    await report.guard('RECEIPT_SIGNATURE', path, () => {
      textSignedBy(note, keys.receipt, crypto);
    });
    receipt = parseReceiptText(note.text);
  });
  if (receipt === undefined) return;
  const { dock, camera, counter, size, sha256: digest } = manifest;
  const about = [dock, camera, counter, size, digest].join(' ');
  if (receipt.clip !== manifest.clip || receipt.about !== about || dock !== keys.dock) {
    report.find('RECEIPT_OTHER_CLIP', path, `it is of clip ${receipt.clip}`);
  }
  const { leaf: leafHash, index, root, proof } = receipt;
  const reached = rootByInclusion({ leafHash, index, size: receipt.size, proof }, crypto);
  let isProven = reached !== undefined && sameBytes(reached, root);
  if (vouched !== undefined) {
    const known = vouched.rootOf(receipt.size);
    const isOfEntry = index === vouched.index && sameBytes(leafHash, vouched.leafHash);
    isProven &&= isOfEntry && (known === undefined || sameBytes(known, root));
  }
  if (!isProven) report.find('RECEIPT_PROOF', path, `entry ${index} in a tree of ${receipt.size}`);
}

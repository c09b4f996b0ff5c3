import { createHash } from 'node:crypto';
import { read } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { readCustody } from '../adapters/fs/custody-store.ts';
import { formatHex, utf8 } from '../core/bytes.ts';
import { type Checkpoint, verifyCheckpoint } from '../core/custody/checkpoint.ts';
import { ed25519Key, verifyNote } from '../core/custody/note.ts';
import { formatLogProof } from '../core/custody/proof.ts';
import { DockError } from '../core/errors.ts';
import type { ClipId } from '../core/evidence/clip.ts';
import { commitmentOf, type Manifest, parseManifest } from '../core/evidence/manifest.ts';
import { DETAILS_NAME, MANIFEST_NAME, RECEIPT_NAME, segmentName } from '../core/evidence/naming.ts';
import { formatBytes, printJson, printLine } from './output.ts';
import { PackFile } from './pack-file.ts';
import { packReadme } from './pack-readme.ts';
import { crypto, type DockData, readData } from './read-data.ts';
import { findClip } from './show.ts';

const readFd = promisify(read);
const PACK_TYPE = 'docket/pack/v1';
const PIECE_BYTES = 1_048_576;
const COSIGNED = 'cosigned';

interface ExportOptions {
  readonly data: string;
  readonly out: string;
  readonly policy?: string;
  readonly json?: boolean;
}

/** A checkpoint under which everything in the pack is proven. */
interface PackCheckpoint {
  readonly note: string;
  readonly treeSize: number;
}

export function addExportCommand(program: Command): void {
  program
    .command('export')
    .description('Put clips, still sealed, into one file with everything that proves them.')
    .argument('<clip...>', 'ids of clips, or the beginnings of them')
    .requiredOption('--data <dir>', "the dock's data folder, or a copy of it")
    .requiredOption('--out <file>', 'where the pack goes (.zip); must not exist')
    .option('--policy <file>', 'the logs that you believe (verify-policy.txt)')
    .option('--json', 'print the result as JSON')
    .action(async (texts: readonly string[], options: ExportOptions) => {
      const data = await readData(options);
      const [found] = data.custody.findings;
      if (found !== undefined) {
        throw new DockError('CUSTODY_CORRUPT', `${found.name}: ${found.problem}`, {
          action: 'Keep the data folder as it is, and verify a copy of it with docket-verify.',
        });
      }
      const clips = await findClips(data, texts);
      const out = resolve(options.out);
      await refuseExisting(out);
      const sizeBytes = await writePack(data, clips, out);
      if (options.json) printJson({ out, clips, sizeBytes });
      else printLine(`${out}: ${clips.length} clips, ${formatBytes(sizeBytes)}`);
    });
}

/** Whole ids, each once, in one order: the same question gives the same pack. */
async function findClips(data: DockData, texts: readonly string[]): Promise<readonly ClipId[]> {
  const clips = new Set<ClipId>();
  for (const text of texts) clips.add((await findClip(data, text)).status.clip);
  return [...clips].sort();
}

async function refuseExisting(path: string): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (!isThere) return;
  throw new DockError('ARGUMENT_INVALID', `${path} is already there`, {
    action: 'Give --out a name that is free; evidence is never written over.',
  });
}

/** Returns the size of the pack. Nothing is left behind when something in it is not what was sealed. */
async function writePack(data: DockData, clips: readonly ClipId[], out: string): Promise<number> {
  const pack = new SummedPack(await PackFile.create(out));
  try {
    const dock = data.custody.opened.dock;
    const mark = [PACK_TYPE, `dock ${dock}`, ...clips.map((clip) => `clip ${clip}`)];
    await pack.addText('pack.txt', `${mark.join('\n')}\n`);
    await pack.addText('README.txt', packReadme({ dock, clips }));
    for (const clip of clips) await addClip(pack, data, clip);
    await addEntries(pack, data, clips);
    return await pack.finish();
  } catch (error) {
    await pack.abandon();
    throw error;
  }
}

async function addClip(pack: SummedPack, data: DockData, clip: ClipId): Promise<void> {
  const { vault } = data;
  const { note, manifest } = await readSigned(data, clip);
  const folder = `clips/${clip}`;
  await pack.addText(`${folder}/${MANIFEST_NAME}`, note);
  for (const { index, fileBytes, sha256 } of manifest.segments) {
    const path = `${folder}/${segmentName(index)}`;
    const found = await pack.add(path, fileBytes, piecesOf(data, clip, index));
    if (found !== sha256) throw notSealed(path);
  }
  const path = `${folder}/${DETAILS_NAME}`;
  const found = await pack.addBytes(path, await vault.readDetails(clip));
  if (found !== manifest.details.sha256) throw notSealed(path);
  const receipt = await vault.readReceipt(clip);
  if (receipt !== undefined) await pack.addText(`${folder}/${RECEIPT_NAME}`, receipt);
}

/** SIGNATURE_INVALID or MANIFEST_INVALID unless it is the manifest that the log vouches for. */
async function readSigned(
  { vault, custody }: DockData,
  clip: ClipId,
): Promise<{ readonly note: string; readonly manifest: Manifest }> {
  const { dock, manifestKey } = custody.opened;
  const note = await vault.readManifest(clip);
  const { ok, text } = verifyNote(note, [ed25519Key(`${dock}/manifest`, manifestKey)], crypto);
  if (!ok || text === undefined) {
    throw new DockError('SIGNATURE_INVALID', `the manifest of clip ${clip} does not verify`);
  }
  const manifest = parseManifest(text);
  const commitment = custody.state.clips.get(clip)?.commitment ?? '';
  const isVouched = commitment === commitmentOf(note, manifest.salt, crypto.sha256);
  if (manifest.clip !== clip || (commitment !== '' && !isVouched)) {
    throw new DockError('MANIFEST_INVALID', `the log vouches for another manifest of ${clip}`);
  }
  return { note, manifest };
}

async function* piecesOf(
  { vault }: DockData,
  clip: ClipId,
  index: number,
): AsyncGenerator<Uint8Array> {
  const file = await vault.openSegment(clip, index);
  try {
    let at = 0;
    for (;;) {
      const piece = await readPiece(file.fd, at);
      if (piece.length === 0) return;
      at += piece.length;
      yield piece;
    }
  } finally {
    await vault.closeSegment(file);
  }
}

/** The first entry, which names the dock's keys, and every entry about these clips, each with its proof. */
async function addEntries(
  pack: SummedPack,
  data: DockData,
  clips: readonly ClipId[],
): Promise<void> {
  const { leaves, checkpoint: newest } = await readCustody(join(data.dataDir, 'custody'));
  const wanted: number[] = [];
  for (const [index, leaf] of leaves.entries()) {
    // Ids are random and long: an entry that has one in its text is about that clip, orders too.
    const isAbout = clips.some((clip) => Buffer.from(leaf).includes(clip));
    if (index === 0 || isAbout) wanted.push(index);
  }
  const sizeMin = (wanted.at(-1) ?? 0) + 1;
  const checkpoint = await chooseCheckpoint(data, newest ?? '', sizeMin);
  for (const index of wanted) {
    const name = `log/${String(index).padStart(10, '0')}`;
    const hashes = data.custody.tree.inclusionProof(index, checkpoint.treeSize);
    await pack.addBytes(`${name}.entry`, leaves[index] ?? new Uint8Array(0));
    await pack.addText(
      `${name}.proof`,
      formatLogProof({ index, hashes, checkpoint: checkpoint.note }),
    );
  }
}

/** The cosigned checkpoint if it covers every entry of the pack, because it proves more; else the newest. */
async function chooseCheckpoint(
  data: DockData,
  newest: string,
  sizeMin: number,
): Promise<PackCheckpoint> {
  const cosigned = await readIfThere(join(data.dataDir, 'custody', COSIGNED));
  for (const note of [cosigned, newest]) {
    const checkpoint = note === undefined ? undefined : believedCheckpoint(data, note);
    if (note !== undefined && checkpoint !== undefined && checkpoint.treeSize >= sizeMin) {
      return { note, treeSize: checkpoint.treeSize };
    }
  }
  throw new DockError('CUSTODY_CORRUPT', `no checkpoint covers the first ${sizeMin} entries`, {
    action: 'Start the dock once: it signs what a power cut left unsigned.',
  });
}

function believedCheckpoint({ custody, logKey }: DockData, note: string): Checkpoint | undefined {
  const { checkpoint } = verifyCheckpoint(note, [logKey], crypto);
  if (checkpoint === undefined || checkpoint.treeSize > custody.tree.size) return undefined;
  const root = custody.tree.root(checkpoint.treeSize);
  return formatHex(root) === formatHex(checkpoint.root) ? checkpoint : undefined;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function readPiece(fd: number, at: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(PIECE_BYTES);
  const { bytesRead } = await readFd(fd, bytes, 0, PIECE_BYTES, at);
  return bytes.subarray(0, bytesRead);
}

function notSealed(path: string): DockError {
  return new DockError('SEGMENT_DIGEST_MISMATCH', `${path} is not what was sealed`, {
    action: 'Keep the data folder as it is, and verify a copy of it with docket-verify.',
  });
}

/** A pack that ends with the digests of all that is in it, as `sha256sum` writes them. */
class SummedPack {
  readonly #file: PackFile;
  readonly #sums: string[] = [];

  constructor(file: PackFile) {
    this.#file = file;
  }

  /** Returns the digest, lower-case hex. */
  async add(path: string, sizeBytes: number, pieces: AsyncIterable<Uint8Array>): Promise<string> {
    const hash = createHash('sha256');
    async function* summed(): AsyncGenerator<Uint8Array> {
      for await (const piece of pieces) {
        hash.update(piece);
        yield piece;
      }
    }
    await this.#file.add(path, sizeBytes, summed());
    return this.#keep(path, hash.digest('hex'));
  }

  async addBytes(path: string, bytes: Uint8Array): Promise<string> {
    await this.#file.addBytes(path, bytes);
    return this.#keep(path, formatHex(crypto.sha256(bytes)));
  }

  async addText(path: string, text: string): Promise<void> {
    await this.addBytes(path, utf8(text));
  }

  /** Returns the size of the whole. */
  async finish(): Promise<number> {
    await this.#file.addBytes('SHA256SUMS', utf8(this.#sums.join('')));
    await this.#file.finish();
    return this.#file.sizeBytes;
  }

  async abandon(): Promise<void> {
    await this.#file.abandon();
  }

  #keep(path: string, sum: string): string {
    this.#sums.push(`${sum}  ${path}\n`);
    return sum;
  }
}

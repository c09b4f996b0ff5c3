import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readCustody } from '../adapters/fs/custody-store.ts';
import { KEYS_FOLDER } from '../adapters/fs/key-files.ts';
import { FsVault } from '../adapters/fs/vault.ts';
import { sha256, verifyEd25519 } from '../adapters/nacl/ed25519.ts';
import { type CheckedCustody, checkCustody } from '../app/read-custody.ts';
import {
  ed25519Key,
  parseVerifierKey,
  type VerifierKey,
  verifyNote,
} from '../core/custody/note.ts';
import type { ClipStatus } from '../core/dock/clip-table.ts';
import { DockError, isDockError } from '../core/errors.ts';
import type { ClipId } from '../core/evidence/clip.ts';
import { type Manifest, parseManifest } from '../core/evidence/manifest.ts';
import { VERIFY_POLICY } from './council-keys.ts';

export const crypto = { sha256, verify: verifyEd25519 };

/** A dock's data folder, open for reading: takes no lock, changes nothing. */
export interface DockData {
  readonly dataDir: string;
  readonly vault: FsVault;
  readonly custody: CheckedCustody;
  /** Whose signature on a checkpoint is believed. */
  readonly logKey: VerifierKey;
  /** Where the log's key came from: a policy that someone brought, or the folder's own word. */
  readonly keySource: string;
}

export interface ReadDataOptions {
  readonly data: string;
  readonly policy?: string | undefined;
  /** A policy beside this file is used when none is given. */
  readonly identity?: string | undefined;
}

/** ARGUMENT_INVALID when it is no data folder, CUSTODY_CORRUPT when its log cannot be read. */
export async function readData(options: ReadDataOptions): Promise<DockData> {
  const dataDir = resolve(options.data);
  const contents = await readCustody(join(dataDir, 'custody'));
  if (contents.leaves.length === 0) {
    throw new DockError('ARGUMENT_INVALID', `${dataDir} has no custody log`, {
      action: 'Give --data the folder that the dock writes to.',
    });
  }
  const { key, source } = await findLogKey(dataDir, options);
  const custody = checkCustody(contents, key, crypto);
  const vault = new FsVault({ dataDir, reserveBytes: 0 });
  return { dataDir, vault, custody, logKey: key, keySource: source };
}

export interface ListedClip {
  readonly status: ClipStatus;
  /** Undefined for a clip whose manifest cannot be believed. */
  readonly manifest: Manifest | undefined;
}

export async function listClips({ vault, custody }: DockData): Promise<readonly ListedClip[]> {
  const listed: ListedClip[] = [];
  for (const status of custody.state.clips.values()) {
    listed.push({ status, manifest: await readManifest(vault, custody, status.clip) });
  }
  return listed.sort((a, b) => a.status.entryIndex - b.status.entryIndex);
}

async function readManifest(
  vault: FsVault,
  custody: CheckedCustody,
  clip: ClipId,
): Promise<Manifest | undefined> {
  try {
    const note = await vault.readManifest(clip);
    const key = ed25519Key(`${custody.opened.dock}/manifest`, custody.opened.manifestKey);
    const { ok, text } = verifyNote(note, [key], crypto);
    return ok && text !== undefined ? parseManifest(text) : undefined;
  } catch (error) {
    if (!isDockError(error)) throw error;
    return undefined;
  }
}

async function findLogKey(
  dataDir: string,
  { policy, identity }: ReadDataOptions,
): Promise<{ key: VerifierKey; source: string }> {
  const beside = identity === undefined ? undefined : join(dirname(identity), VERIFY_POLICY);
  const path = policy ?? (beside !== undefined && (await isFile(beside)) ? beside : undefined);
  const own = await readOwnKey(dataDir);
  if (path === undefined) return { key: own, source: `${KEYS_FOLDER}/log.pub of the data folder` };
  const logs = parsePolicyLogs(await readFile(path, 'utf8'));
  if (logs.length === 0 && policy === undefined) {
    return { key: own, source: `${KEYS_FOLDER}/log.pub of the data folder` };
  }
  const key = logs.find(({ name }) => name === own.name);
  if (key === undefined) {
    throw new DockError('KEY_INVALID', `${path} does not know the log ${own.name}`, {
      action: "Add the dock's log key to the policy, after comparing it on the dock itself.",
    });
  }
  return { key, source: path };
}

/** C2SP tlog-policy: the `log` lines; witnesses and quorum are the verifier's business. */
function parsePolicyLogs(text: string): readonly VerifierKey[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([word]) => word === 'log')
    .map(([, key = '']) => parseVerifierKey(key, sha256));
}

async function readOwnKey(dataDir: string): Promise<VerifierKey> {
  const path = join(dataDir, KEYS_FOLDER, 'log.pub');
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new DockError('ARGUMENT_INVALID', `${path} cannot be read`, {
      cause: error,
      action: 'Give --data the folder that the dock writes to.',
    });
  });
  return parseVerifierKey(text.trimEnd(), sha256);
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { utf8 } from '../../core/bytes.ts';
import { ED25519_TYPE, formatVerifierKey } from '../../core/custody/note.ts';
import type { Sha256 } from '../../core/custody/primitives.ts';
import { formatPrivateKey, parsePrivateKey } from '../../core/custody/private-key.ts';
import { asDockError, DockError } from '../../core/errors.ts';
import type { Random } from '../../ports/random.ts';
import type { Signer } from '../../ports/signer.ts';
import { createDirectory, createFile } from './durable-file.ts';

export interface KeyFileDeps {
  readonly random: Random;
  readonly sha256: Sha256;
  readonly makeSigner: (name: string, seed: Uint8Array) => Signer;
}

export const KEYS_FOLDER = 'keys';

export interface KeyPlace {
  readonly folder: string;
  readonly file: string;
  readonly name: string;
  /** What the public half is published as (C2SP signed-note); Ed25519 when left out. */
  readonly type?: number;
}

/**
 * The signing key `<file>.key` of a folder, made durable (mode 0600) where there is none yet. KEY_INVALID for one that is not its own, is damaged,
 * can be read by others, or is gone while its public half is still there.
 */
export async function loadOrCreateSigner(place: KeyPlace, deps: KeyFileDeps): Promise<Signer> {
  const path = join(place.folder, `${place.file}.key`);
  const text = await readIfThere(path, true);
  if (text !== undefined) return await loadSigner(place, text, deps);
  if ((await readIfThere(join(place.folder, `${place.file}.pub`), false)) === undefined) {
    return await createSigner(place, deps);
  }
  throw new DockError('KEY_INVALID', `${path} is gone, and its public half is there`, {
    action: 'Restore the key file from its backup; a new key could not go on with this log.',
  });
}

/** Power may have gone between the two files of a key: the public half can be made again. */
async function loadSigner(
  { folder, file, name, type }: KeyPlace,
  text: string,
  { sha256, makeSigner }: KeyFileDeps,
): Promise<Signer> {
  const path = join(folder, `${file}.key`);
  const key = parsePrivateKey(text);
  if (key.name !== name) {
    throw new DockError('KEY_INVALID', `${path} is the key of ${key.name}, not of ${name}`, {
      action: 'Start the dock with the site and dock names that the data folder was made with.',
    });
  }
  const signer = makeSigner(name, key.seed);
  if (formatPrivateKey(key, signer.publicKey, sha256).trimEnd() !== text.trimEnd()) {
    throw new DockError('KEY_INVALID', `${path} is damaged: its key id is of another key`, {
      action: 'Restore the key file from its backup; do not make a new one over it.',
    });
  }
  const publicPath = join(folder, `${file}.pub`);
  if ((await readIfThere(publicPath, false)) === undefined) {
    await createFile(publicPath, publicText(signer, sha256, type));
  }
  return signer;
}

/** VAULT_EXISTS when the key file is there already: a key is never replaced. */
export async function createSigner(
  { folder, file, name, type }: KeyPlace,
  { random, sha256, makeSigner }: KeyFileDeps,
): Promise<Signer> {
  const seed = random.bytes(32);
  const signer = makeSigner(name, seed);
  await createDirectory(folder);
  const secret = utf8(formatPrivateKey({ name, seed }, signer.publicKey, sha256));
  await createFile(join(folder, `${file}.key`), secret);
  await createFile(join(folder, `${file}.pub`), publicText(signer, sha256, type));
  return signer;
}

function publicText({ name, publicKey }: Signer, sha256: Sha256, type = ED25519_TYPE): Uint8Array {
  return utf8(`${formatVerifierKey({ name, type, publicKey }, sha256)}\n`);
}

async function readIfThere(path: string, isSecret: boolean): Promise<string | undefined> {
  try {
    const { mode } = await stat(path);
    if (isSecret && (mode & 0o077) !== 0) {
      throw new DockError('KEY_INVALID', `${path} can be read by others`, {
        action: `chmod 600 ${path}, and make a new key if somebody may have read it`,
      });
    }
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw asDockError(error, 'KEY_INVALID', `${path} cannot be read`);
  }
}

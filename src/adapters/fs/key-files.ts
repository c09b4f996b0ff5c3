import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { utf8 } from '../../core/bytes.ts';
import { ed25519Key, formatVerifierKey } from '../../core/custody/note.ts';
import type { Sha256 } from '../../core/custody/primitives.ts';
import { formatPrivateKey, parsePrivateKey } from '../../core/custody/private-key.ts';
import { DockError } from '../../core/errors.ts';
import type { Random } from '../../ports/random.ts';
import type { Signer } from '../../ports/signer.ts';
import { createDirectory, createFile } from './durable-file.ts';

export interface KeyFileDeps {
  readonly random: Random;
  readonly sha256: Sha256;
  readonly makeSigner: (name: string, seed: Uint8Array) => Signer;
}

export const KEYS_FOLDER = 'keys';

/** The signing key `<file>.key` of a folder, made durable (mode 0600) where there is none yet. KEY_INVALID for one that is not its own. */
export async function loadOrCreateSigner(
  { folder, file, name }: { readonly folder: string; readonly file: string; readonly name: string },
  deps: KeyFileDeps,
): Promise<Signer> {
  const path = join(folder, `${file}.key`);
  const text = await readKey(path);
  if (text === undefined) return await createSigner({ folder, file, name }, deps);
  const key = parsePrivateKey(text);
  if (key.name !== name) {
    throw new DockError('KEY_INVALID', `${path} is the key of ${key.name}, not of ${name}`, {
      action: 'Start the dock with the site and dock names that the data folder was made with.',
    });
  }
  return deps.makeSigner(name, key.seed);
}

/** VAULT_EXISTS when the key file is there already: a key is never replaced. */
export async function createSigner(
  { folder, file, name }: { readonly folder: string; readonly file: string; readonly name: string },
  { random, sha256, makeSigner }: KeyFileDeps,
): Promise<Signer> {
  const seed = random.bytes(32);
  const signer = makeSigner(name, seed);
  await createDirectory(folder);
  const secret = utf8(formatPrivateKey({ name, seed }, signer.publicKey, sha256));
  await createFile(join(folder, `${file}.key`), secret);
  const verifierKey = formatVerifierKey(ed25519Key(name, signer.publicKey), sha256);
  await createFile(join(folder, `${file}.pub`), utf8(`${verifierKey}\n`));
  return signer;
}

async function readKey(path: string): Promise<string | undefined> {
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) {
      throw new DockError('KEY_INVALID', `${path} can be read by others`, {
        action: `chmod 600 ${path}, and make a new key if somebody may have read it`,
      });
    }
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

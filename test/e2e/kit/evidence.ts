import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Decrypter } from 'age-encryption';
import { readCustody } from '../../../src/adapters/fs/custody-store.ts';

/** A clip as its folder in the vault tells of it, read without the dock's own parsers. */
export interface VaultClip {
  readonly id: string;
  readonly folder: string;
  readonly camera: string;
  readonly counter: number;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly cameraAuth: string;
  readonly segments: readonly { readonly path: string; readonly sha256: string }[];
}

export type EntryFields = Readonly<Record<string, string>>;

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export async function sha256OfFile(path: string): Promise<string> {
  return sha256Of(await readFile(path));
}

export async function readVault(dataDir: string): Promise<VaultClip[]> {
  const names = await readdir(join(dataDir, 'vault'));
  const ids = names.filter((name) => /^[0-9a-f]{32}$/.test(name));
  return await Promise.all(ids.map((id) => readVaultClip(join(dataDir, 'vault', id), id)));
}

async function readVaultClip(folder: string, id: string): Promise<VaultClip> {
  const note = await readFile(join(folder, 'manifest.note'), 'utf8');
  const lines = note.slice(0, note.indexOf('\n\n')).split('\n').slice(1);
  const fields = fieldsOf(lines);
  const segments = lines
    .filter((line) => line.startsWith('segment '))
    .map((line) => line.split(' '))
    .map(([, index = '', , , sha256 = '']) => {
      return { path: join(folder, `${index.padStart(4, '0')}.age`), sha256 };
    });
  return {
    ...{ id, folder, segments },
    camera: fields.camera ?? '',
    counter: Number(fields.counter),
    sizeBytes: Number(fields.size),
    sha256: fields.sha256 ?? '',
    cameraAuth: fields['camera-auth'] ?? '',
  };
}

/** The text of each entry, which is what the tree is made of. */
export async function readLeaves(dataDir: string): Promise<string[]> {
  const { leaves } = await readCustody(join(dataDir, 'custody'));
  return leaves.map((leaf) => Buffer.from(leaf).toString('utf8'));
}

export async function readEntries(dataDir: string): Promise<EntryFields[]> {
  return (await readLeaves(dataDir)).map((leaf) => fieldsOf(leaf.trimEnd().split('\n').slice(1)));
}

export async function entriesOf(dataDir: string, kind: string): Promise<EntryFields[]> {
  return (await readEntries(dataDir)).filter((entry) => entry.kind === kind);
}

/** The clip as npm `age-encryption`, which shares no code with the dock, opens it. */
export async function openWithAge(clip: VaultClip, identity: string): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (const { path } of clip.segments) {
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    parts.push(await decrypter.decrypt(await readFile(path)));
  }
  return Buffer.concat(parts);
}

export async function readIdentity(path: string): Promise<string> {
  const text = await readFile(path, 'utf8');
  return /^AGE-SECRET-KEY-1\S+$/m.exec(text)?.[0] ?? '';
}

function fieldsOf(lines: readonly string[]): EntryFields {
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(' ');
      return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

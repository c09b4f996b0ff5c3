import { dirname, join } from 'node:path';
import { concatBytes, equalBytes } from '../../core/bytes.ts';
import { leafHash, MerkleTree } from '../../core/custody/merkle.ts';
import type { Sha256 } from '../../core/custody/primitives.ts';
import { createDirectory, readIfPresent, replaceFile } from './durable-file.ts';
import { encodeBundle } from './journal.ts';

const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;

/** C2SP tlog-tiles: `x001/x234/067` for 1,234,067. */
export function tilePath(level: number | 'entries', index: number): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0');
  const groups = digits.match(/.../g) ?? [];
  const names = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group));
  return ['tile', String(level), ...names].join('/');
}

/**
 * Writes the full tiles of a growing log, for other programs to read; this one reads none of them. Partial tiles are not written:
 * their entries are in the journal.
 */
export class TileWriter {
  readonly #directory: string;
  readonly #sha256: Sha256;
  /** Entries of the tile that is not full yet. */
  #entries: Uint8Array[] = [];
  /** For each level the hashes of its tile that is not full yet. */
  readonly #pending: Uint8Array[][] = [];
  readonly #tileCounts: number[] = [];

  constructor(directory: string, sha256: Sha256) {
    this.#directory = directory;
    this.#sha256 = sha256;
  }

  /** Every tile that fills is durable when it returns; one that is there with the same bytes is left alone. */
  async add(entries: readonly Uint8Array[]): Promise<void> {
    for (const entry of entries) {
      this.#entries.push(entry);
      if (this.#entries.length === TILE_WIDTH) {
        await this.#put('entries', this.#tileCounts[0] ?? 0, encodeBundle(this.#entries));
        this.#entries = [];
      }
      await this.#push(0, leafHash(entry, this.#sha256));
    }
  }

  async #push(level: number, hash: Uint8Array): Promise<void> {
    const hashes = this.#pending[level] ?? [];
    hashes.push(hash);
    this.#pending[level] = hashes;
    if (hashes.length < TILE_WIDTH) return;
    const index = this.#tileCounts[level] ?? 0;
    await this.#put(level, index, concatBytes(...hashes));
    this.#tileCounts[level] = index + 1;
    this.#pending[level] = [];
    const subtree = new MerkleTree(this.#sha256);
    for (const leaf of hashes) subtree.appendHash(leaf);
    await this.#push(level + 1, subtree.subtree(TILE_HEIGHT, 0));
  }

  async #put(level: number | 'entries', index: number, bytes: Uint8Array): Promise<void> {
    const path = join(this.#directory, tilePath(level, index));
    const present = await readIfPresent(path);
    if (present !== undefined && equalBytes(present, bytes)) return;
    await createDirectory(dirname(path));
    await replaceFile(path, bytes);
  }
}

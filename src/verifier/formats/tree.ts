import { type Crypto, Malformed } from '../report.ts';
import { parseSignedText, type SignedText } from './notes.ts';
import { joinBytes, parseBase64Bytes, parseCount, readUtf8, sha256, utf8 } from './text.ts';

const HASH_SIZE = 32;
const LEAF_MARK = Uint8Array.of(0x00);
const NODE_MARK = Uint8Array.of(0x01);

/** RFC 6962 2.1. */
export function hashLeaf(leaf: Uint8Array, crypto: Crypto): Uint8Array {
  return sha256(crypto, LEAF_MARK, leaf);
}

export function hashNode(left: Uint8Array, right: Uint8Array, crypto: Crypto): Uint8Array {
  return sha256(crypto, NODE_MARK, left, right);
}

/** The entries of a log as hashes: 64 bytes an entry, and the root of any of its sizes in a few steps. */
export class Tree {
  readonly #crypto: Crypto;
  /** For each level the hashes of its complete subtrees, side by side. */
  readonly #levels: { bytes: Uint8Array; count: number }[] = [];

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  get size(): number {
    return this.#levels[0]?.count ?? 0;
  }

  append(leafHash: Uint8Array): void {
    let hash = leafHash;
    for (let level = 0; ; level++) {
      const count = this.#push(level, hash);
      if (count % 2 === 1) return;
      hash = hashNode(this.node(level, count - 2), hash, this.#crypto);
    }
  }

  /** Hash of the complete subtree number `index` of a level; level 0 holds the leaves. */
  node(level: number, index: number): Uint8Array {
    const row = this.#levels[level];
    if (row === undefined || index >= row.count) throw new Malformed('the tree is smaller');
    return row.bytes.slice(index * HASH_SIZE, (index + 1) * HASH_SIZE);
  }

  /** Root of the first `size` entries. */
  rootOf(size: number): Uint8Array {
    if (size === 0) return sha256(this.#crypto);
    // RFC 6962 2.1: complete subtrees from the right, the smallest first.
    let rest = size;
    let root: Uint8Array | undefined;
    for (let level = 0; rest > 0; level++) {
      if (rest % 2 === 1) {
        const node = this.node(level, rest - 1);
        root = root === undefined ? node : hashNode(node, root, this.#crypto);
      }
      rest = Math.floor(rest / 2);
    }
    return root ?? sha256(this.#crypto);
  }

  #push(level: number, hash: Uint8Array): number {
    const row = this.#levels[level] ?? { bytes: new Uint8Array(HASH_SIZE * 4), count: 0 };
    this.#levels[level] = row;
    if (row.count * HASH_SIZE === row.bytes.length) {
      row.bytes = joinBytes(row.bytes, new Uint8Array(row.bytes.length));
    }
    row.bytes.set(hash, row.count * HASH_SIZE);
    row.count += 1;
    return row.count;
  }
}

/** RFC 9162 2.1.3.2: the root to which a proof leads; undefined when it is too short or too long for its place. */
export function rootByInclusion(
  claim: {
    readonly leafHash: Uint8Array;
    readonly index: number;
    readonly size: number;
    readonly proof: readonly Uint8Array[];
  },
  crypto: Crypto,
): Uint8Array | undefined {
  if (claim.index >= claim.size) return undefined;
  let place = claim.index;
  let last = claim.size - 1;
  let hash = claim.leafHash;
  const siblings = [...claim.proof];
  while (last > 0) {
    // A node without a sibling is its own parent.
    if (place % 2 === 1 || place < last) {
      const sibling = siblings.shift();
      if (sibling === undefined) return undefined;
      hash = place % 2 === 1 ? hashNode(sibling, hash, crypto) : hashNode(hash, sibling, crypto);
    }
    place = Math.floor(place / 2);
    last = Math.floor(last / 2);
  }
  return siblings.length === 0 ? hash : undefined;
}

export interface SignedRoot {
  readonly note: SignedText;
  /** The name of the log. */
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

/** C2SP tlog-checkpoint, without extension lines. */
export function parseSignedRoot(bytes: Uint8Array): SignedRoot {
  const note = parseSignedText(bytes);
  const [origin = '', sizeText = '', rootText = '', end, ...more] = note.text.split('\n');
  const size = parseCount(sizeText);
  const root = parseBase64Bytes(rootText, '=');
  if (size === undefined || root?.length !== HASH_SIZE || end !== '' || more.length > 0) {
    throw new Malformed('it is not an origin, a size and a root');
  }
  return { note, origin, size, root };
}

export interface EntryProof {
  readonly index: number;
  readonly proof: readonly Uint8Array[];
  readonly checkpoint: SignedRoot;
}

/** C2SP tlog-proof, without an extra line. */
export function parseEntryProof(bytes: Uint8Array): EntryProof {
  const text = readUtf8(bytes);
  const end = text.indexOf('\n\n');
  const [type, ...lines] = text.slice(0, Math.max(0, end)).split('\n');
  const index = parseCount(/^index (\d+)$/.exec(lines.shift() ?? '')?.[1] ?? '');
  const proof = lines.map((line) => parseBase64Bytes(line, '='));
  if (type !== 'c2sp.org/tlog-proof@v1' || index === undefined || proof.length > 63) {
    throw new Malformed('it is not a proof with an index');
  }
  const hashes = proof.filter((hash) => hash?.length === HASH_SIZE) as Uint8Array[];
  if (hashes.length < proof.length) throw new Malformed('a hash is not base64 of 32 bytes');
  return { index, proof: hashes, checkpoint: parseSignedRoot(utf8(text.slice(end + 2))) };
}

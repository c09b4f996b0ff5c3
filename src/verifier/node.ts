import { createHash, createPublicKey, verify } from 'node:crypto';
import { constants, promises } from 'node:fs';
import { join } from 'node:path';
import { createInflateRaw } from 'node:zlib';
import { checkDock } from './dock.ts';
import type { Policy } from './formats/policy.ts';
import { type Inflate, openZip, type Storage } from './formats/zip.ts';
import { checkPack, PACK_MARK } from './pack.ts';
import { type Crypto, Malformed, Report, type Source, type SourceEntry } from './report.ts';

const PIECE_SIZE = 1_048_576;
const ENTRIES_MAX = 4_000_000;
/** No link is followed, and a FIFO that somebody left does not make us wait. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** SPKI of an Ed25519 key, but for the key. */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

export const nodeCrypto: Crypto = {
  newSha256() {
    const hash = createHash('sha256');
    return {
      update: (bytes) => void hash.update(bytes),
      digest: () => Uint8Array.from(hash.digest()),
    };
  },
  verifyEd25519(publicKey, message, signature) {
    if (publicKey.length !== 32 || signature.length !== 64) return false;
    const key = Buffer.concat([SPKI, publicKey]);
    return verify(null, message, createPublicKey({ key, format: 'der', type: 'spki' }), signature);
  },
};

/** Bad packed bytes are a finding, and not an end of the program. */
export const nodeInflate: Inflate = async function* inflate(pieces) {
  const stream = createInflateRaw();
  const feed = async () => {
    for await (const piece of pieces) {
      if (!stream.write(piece)) await new Promise((done) => stream.once('drain', done));
    }
    stream.end();
  };
  const fed = feed().catch((error: Error) => void stream.destroy(error));
  try {
    yield* stream;
    await fed;
  } catch (error) {
    throw new Malformed(`it cannot be unpacked (${error instanceof Error ? error.message : ''})`);
  }
};

/** Verifies what stands at a path. */
export async function verifyPath(path: string, policy: Policy): Promise<Report> {
  const stat = await promises.stat(path);
  if (!stat.isDirectory()) return await verifyZip(path, policy);
  const source = openFolder(path);
  const isPack = await promises.stat(join(path, PACK_MARK)).then(
    (found) => found.isFile(),
    () => false,
  );
  return await (isPack ? checkPack : checkDock)(source, policy, nodeCrypto);
}

async function verifyZip(path: string, policy: Policy): Promise<Report> {
  const storage = await openStorage(path);
  try {
    return await checkPack(await openZip(storage, nodeInflate), policy, nodeCrypto);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    const report = new Report('pack');
    report.find('PACK_ZIP', '', error.message);
    return report;
  } finally {
    await storage.close();
  }
}

/** A folder on the disk, which is only read. */
export function openFolder(root: string): Source {
  return {
    list: () => listBelow(root),
    async read(path, bytesMax) {
      const parts: Uint8Array[] = [];
      let size = 0;
      for await (const piece of piecesOf(join(root, path))) {
        size += piece.length;
        if (size > bytesMax) throw new Malformed('it is longer than it can be');
        parts.push(piece);
      }
      return Uint8Array.from(Buffer.concat(parts));
    },
    pieces: (path) => piecesOf(join(root, path)),
  };
}

/** A file as a place to read from; `close` ends it. */
export async function openStorage(path: string): Promise<Storage & { close(): Promise<void> }> {
  const handle = await promises.open(path, constants.O_RDONLY);
  const { size: sizeBytes } = await handle.stat();
  return {
    sizeBytes,
    async read(at, size) {
      const bytes = new Uint8Array(size);
      let done = 0;
      while (done < size) {
        const { bytesRead } = await handle.read(bytes, done, size - done, at + done);
        if (bytesRead === 0) throw new Malformed('it ends too early');
        done += bytesRead;
      }
      return bytes;
    },
    close: () => handle.close(),
  };
}

async function listBelow(root: string): Promise<SourceEntry[]> {
  const found: SourceEntry[] = [];
  const waiting = [''];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    for (const entry of await promises.readdir(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (found.length >= ENTRIES_MAX) throw new Malformed('it has too many files');
      const kind = entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : 'other';
      const sizeBytes = kind === 'file' ? (await promises.lstat(join(root, path))).size : 0;
      found.push({ path, sizeBytes, kind });
      if (kind === 'folder') waiting.push(path);
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function* piecesOf(path: string): AsyncGenerator<Uint8Array> {
  const handle = await readable(promises.open(path, FLAGS));
  try {
    if (!(await handle.stat()).isFile()) throw new Malformed('it is not a plain file');
    for (;;) {
      const bytes = new Uint8Array(PIECE_SIZE);
      const { bytesRead } = await readable(handle.read(bytes, 0, PIECE_SIZE));
      if (bytesRead === 0) return;
      yield bytes.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** What the disk refuses is said of that file, and does not end the verification. */
async function readable<T>(act: Promise<T>): Promise<T> {
  try {
    return await act;
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new Malformed(`it cannot be read (${error.code})`);
  }
}

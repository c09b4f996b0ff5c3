import { sha256Hex } from './kit.ts';
import { zipOf } from './zips.ts';

export type PackFiles = ReadonlyMap<string, Uint8Array>;

export interface DamagedPack {
  readonly what: string;
  readonly bytes: Uint8Array;
  /** Findings that must be among those reported. */
  readonly names: readonly string[];
}

/** Packs that were spoiled on their way, and packs that somebody who knows the format has spoiled. */
export function damagedPacks(files: PackFiles): readonly DamagedPack[] {
  const [clip = '', other = ''] = clipsOf(files);
  const first = pathLike(files, new RegExp(`^clips/${clip}/0000\\.age$`));
  const manifest = `clips/${clip}/manifest.note`;
  const receipt = `clips/${clip}/receipt.note`;
  const entry = pathLike(files, /^log\/(?!0{10})\d+\.entry$/);
  const proof = entry.replace('.entry', '.proof');
  const changed = (path: string, at: number) => flip(files.get(path), at);
  const forged = (what: string, names: string[], changes: readonly Change[]): DamagedPack => {
    return { what, names, bytes: repack(files, changes) };
  };
  return [
    forged('a bit of a segment', ['SEGMENT_DIGEST'], [[first, changed(first, -20)]]),
    forged(
      'the signature of a manifest',
      ['MANIFEST_SIGNATURE', 'MANIFEST_COMMITMENT'],
      [[manifest, otherLetter(files.get(manifest), -10)]],
    ),
    forged('the text of a manifest', ['MANIFEST_SIGNATURE'], [[manifest, changed(manifest, 60)]]),
    forged(
      'the receipt of another clip',
      ['RECEIPT_OTHER_CLIP', 'RECEIPT_PROOF'],
      [[receipt, files.get(`clips/${other}/receipt.note`)]],
    ),
    forged('an entry of the log', ['PROOF_WRONG'], [[entry, changed(entry, 30)]]),
    forged('a hash of a proof', ['PROOF_WRONG'], [[proof, otherLetter(files.get(proof), 50)]]),
    forged(
      'a checkpoint that the log has not signed',
      ['CHECKPOINT_SIGNATURE'],
      [[proof, unsigned(files.get(proof))]],
    ),
    forged('a segment that is left out', ['SEGMENT_MISSING'], [[first, undefined]]),
    forged('a proof that is left out', ['PROOF_MALFORMED'], [[proof, undefined]]),
    forged('a file that nobody expects', ['UNEXPECTED_FILE'], [['movie.mp4', Buffer.from('x')]]),
    forged(
      'two clips in the place of each other',
      ['MANIFEST_OTHER_CLIP'],
      [
        ...[...files.keys()].flatMap((path): Change[] => {
          const [, id, name] = /^clips\/(\w+)\/(.+)$/.exec(path) ?? [];
          if (id !== clip && id !== other) return [];
          return [[path, files.get(`clips/${id === clip ? other : clip}/${name}`)]];
        }),
      ],
    ),
    { what: 'a bit of the readme', names: ['PACK_SUM'], bytes: stale(files, 'README.txt') },
    { what: 'a cut end', names: ['PACK_ZIP'], bytes: repack(files, []).slice(0, -1) },
    { what: 'no zip file', names: ['PACK_ZIP'], bytes: Uint8Array.from(Buffer.alloc(1000, 'x')) },
    { what: 'a path that leaves the pack', names: ['PACK_ZIP'], bytes: escaping(files) },
  ];
}

type Change = readonly [path: string, bytes: Uint8Array | undefined];

/** With sums that fit what was changed: sums are no proof. */
export function repack(files: PackFiles, changes: readonly Change[]): Uint8Array {
  const next = new Map(files);
  for (const [path, bytes] of changes) {
    if (bytes === undefined) next.delete(path);
    else next.set(path, bytes);
  }
  next.delete('SHA256SUMS');
  const sums = [...next].map(([path, bytes]) => `${sha256Hex(bytes)}  ${path}\n`).join('');
  return pack(next.set('SHA256SUMS', Buffer.from(sums)));
}

export function clipsOf(files: PackFiles): string[] {
  const found = [...files.keys()].map((path) => /^clips\/(\w+)\//.exec(path)?.[1] ?? '');
  return [...new Set(found)].filter((clip) => clip !== '');
}

function stale(files: PackFiles, path: string): Uint8Array {
  return pack(new Map(files).set(path, flip(files.get(path), 5)));
}

function escaping(files: PackFiles): Uint8Array {
  return pack(new Map(files).set('../../etc/cron.d/evil', Buffer.from('x')));
}

function pack(files: PackFiles): Uint8Array {
  return zipOf([...files].map(([path, bytes]) => ({ path, bytes, deflate: bytes.length > 500 })));
}

function pathLike(files: PackFiles, pattern: RegExp): string {
  return [...files.keys()].find((path) => pattern.test(path)) ?? '';
}

function unsigned(proof: Uint8Array | undefined): Uint8Array {
  const text = Buffer.from(proof ?? []).toString();
  return Uint8Array.from(Buffer.from(text.replace(/\u2014 \S+\/log .*\n/, '')));
}

/** Base64 stays base64. */
function otherLetter(bytes: Uint8Array | undefined, at: number): Uint8Array {
  const text = Buffer.from(bytes ?? []).toString('latin1');
  const place = at < 0 ? text.length + at : at;
  const letter = text[place] === 'A' ? 'B' : 'A';
  return Uint8Array.from(
    Buffer.from(`${text.slice(0, place)}${letter}${text.slice(place + 1)}`, 'latin1'),
  );
}

function flip(bytes: Uint8Array | undefined, at: number): Uint8Array {
  const changed = Uint8Array.from(bytes ?? []);
  const place = at < 0 ? changed.length + at : at;
  changed[place] = (changed[place] ?? 0) ^ 1;
  return changed;
}

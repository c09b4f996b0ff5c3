import * as fs from 'node:fs';
import { parseArgs } from 'node:util';
import { formatIdentity } from '../../src/adapters/nacl/age-keys.ts';
import { makeKit, openClip, random, sealClip } from '../native/kit.ts';

/** Seals a clip of each size into `--folder`, opens it again, and prints what a host can compare. */
export interface Sealed {
  readonly arch: string;
  readonly hasLanes: boolean;
  readonly identity: string;
  readonly clips: readonly {
    readonly files: readonly string[];
    readonly sizeBytes: number;
    readonly sha256: string;
    readonly openedSha256: string;
    readonly fileSha256: readonly string[];
  }[];
}

const { values } = parseArgs({
  options: { folder: { type: 'string' }, sizes: { type: 'string' } },
});
const kit = makeKit();
const clips = [];
for (const size of (values.sizes ?? '').split(',').map(Number)) {
  const options = {
    name: `clip-${size}`,
    segmentBytes: 1_500_000,
    writeBytes: [1_000_000, 70_000],
  };
  const sealed = await sealClip(kit, random.bytes(size), options);
  const opened = await openClip(kit, kit.opener, sealed.files);
  const files = sealed.files.map((file, index) => {
    const kept = `${values.folder}/clip-${size}-${index}.age`;
    fs.copyFileSync(file, kept);
    return kept;
  });
  const fileSha256 = sealed.segments.map((segment) => segment.sha256);
  const { sizeBytes, sha256 } = sealed;
  clips.push({ files, sizeBytes, sha256, openedSha256: opened.sha256, fileSha256 });
}
const identity = formatIdentity(kit.evidence.identity);
const { hasLanes } = kit.native;
console.log(JSON.stringify({ arch: process.arch, hasLanes, identity, clips } satisfies Sealed));
kit.remove();

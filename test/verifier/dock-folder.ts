import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeRecord } from '../../src/adapters/fs/journal.ts';
import type { Policy } from '../../src/verifier/formats/policy.ts';
import { newSite, type Site } from '../e2e/kit/site.ts';
import { cosigned, type Files, loadFiles, policyOf, WITNESS_VKEY } from './kit.ts';

export interface DockFolder {
  readonly site: Site;
  /** What the dock wrote, and a cosignature of its last checkpoint. */
  readonly files: Files;
  readonly policyLines: readonly string[];
  readonly policy: Policy;
  /** The names of the clips' folders. */
  readonly clips: readonly string[];
}

/** A dock with two cameras takes four clips, one of them in three segments, and stops. */
export async function makeDockFolder(): Promise<DockFolder> {
  const site = await newSite(2);
  const dock = await site.ingest([
    { clips: [2 * 1_048_576 + 5, 0], wearer: 'KX 4471' },
    { clips: [1000, 70_000], keyless: false },
  ]);
  await dock.kill('SIGTERM');
  const files = loadFiles(site.dataDir);
  const checkpoint = readFileSync(join(site.dataDir, 'custody/checkpoint'), 'utf8');
  const note = Uint8Array.from(Buffer.from(cosigned(checkpoint)));
  files.set('custody/cosigned', note);
  files.set('custody/cosignatures', encodeRecord(note));
  const key = readFileSync(join(site.dataDir, 'keys/log.pub'), 'utf8').trim();
  const policyLines = [`log ${key}`, `witness ${WITNESS_VKEY}`, 'quorum 1'];
  const clips = [...files.keys()].flatMap(
    (path) => /^vault\/([0-9a-f]{32})$/.exec(path)?.[1] ?? [],
  );
  return { site, files, policyLines, policy: policyOf(...policyLines), clips };
}

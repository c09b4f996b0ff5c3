/* What the addon is compiled from, and what says whether a prebuild was made from the same. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import path from 'node:path';

export const DIGEST_NAME = 'sources.sha256';

/** SHA-256 (hex) of binding.gyp and src/ below `folder`, names and contents. */
export function digestSources(folder) {
  const names = fs
    .readdirSync(path.join(folder, 'src'))
    .filter((name) => /\.[ch]$/.test(name))
    .sort()
    .map((name) => path.join('src', name));
  const digest = createHash('sha256');
  for (const name of ['binding.gyp', ...names]) {
    const bytes = fs.readFileSync(path.join(folder, name));
    digest.update(`${name} ${bytes.length}\n`).update(bytes);
  }
  return digest.digest('hex');
}

/** Whether the prebuilds below `folder` were made from the sources beside them. */
export function prebuildsMatch(folder) {
  const file = path.join(folder, 'prebuilds', DIGEST_NAME);
  return fs.existsSync(file) && fs.readFileSync(file, 'utf8').trim() === digestSources(folder);
}

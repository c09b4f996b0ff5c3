import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findPackageRoot } from './loader.ts';

/** The folder of package.json: beside the sources, or above what was compiled. */
export const packageRoot = findPackageRoot(fileURLToPath(import.meta.url));

export function packageVersion(): string {
  const text = readFileSync(join(packageRoot, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

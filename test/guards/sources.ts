import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** What .gitignore keeps out of the project. */
const UNTRACKED = /^(node_modules|dist|build|prebuilds|\.git|docket-\w+)$|\.(log|tmp|node|o|a)$/;

export interface Source {
  /** From the project's root, with forward slashes. */
  readonly name: string;
  readonly text: string;
}

function walk(folder: string): string[] {
  const absolute = path.join(ROOT, folder);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { withFileTypes: true }).flatMap((entry) => {
    if (UNTRACKED.test(entry.name)) return [];
    const name = path.posix.join(folder, entry.name);
    if (entry.isDirectory()) return walk(name);
    return entry.isFile() ? [name] : [];
  });
}

/** Every file of the project below the folders, with its text. */
export function readSources(folders: readonly string[], pattern: RegExp): Source[] {
  return folders
    .flatMap(walk)
    .filter((name) => pattern.test(name))
    .map((name) => ({ name, text: readFileSync(path.join(ROOT, name), 'utf8') }));
}

/** The code without its comments and without what stands between quotes. */
export function stripText(source: string): string {
  return source
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|[^:'"`])\/\/.*$/gm, '$1')
    .replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''");
}

/** The module of every static and dynamic import and re-export. */
export function importsOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const found = code.matchAll(
    /(?:^|[;\s])(?:import|export)\s*(?:type\s+)?(?:[\w*{}\s,$]+\sfrom\s*)?\(?\s*['"]([^'"\n]+)['"]/g,
  );
  const required = code.matchAll(/\brequire\(\s*['"]([^'"\n]+)['"]/g);
  return [...found, ...required].map((match) => match[1] ?? '');
}

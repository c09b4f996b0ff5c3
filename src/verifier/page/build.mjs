/*
 * Makes `verify.html`, one file with everything in it, of the compiled checks and the page beside this script. No bundler: the modules share no
 * name, so their text one behind the other, without imports and exports, is one module.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.resolve(HERE, '../../..');
const BUILT = path.join(ROOT, 'dist/src/verifier');
/** What needs no other comes first. */
const MODULES = [
  'report',
  ...['text', 'notes', 'policy', 'journal', 'tree', 'entries', 'manifest', 'zip'].map(
    (name) => `formats/${name}`,
  ),
  ...['clips', 'log', 'checkpoints', 'checked', 'pack', 'page/sha2', 'page/ed25519'],
];

/** The text of a module without its imports and exports. */
function bare(source) {
  return source
    .replace(/^import [^;]*;\n/gm, '')
    .replace(/^export (?=(async )?(const|class|function))/gm, '')
    .replace(/^\/\/# sourceMappingURL=.*$/gm, '');
}

function digestOf(text) {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

function scriptText() {
  const modules = MODULES.map((name) => fs.readFileSync(path.join(BUILT, `${name}.js`), 'utf8'));
  const page = fs.readFileSync(path.join(HERE, 'page.js'), 'utf8');
  const script = `\n${[...modules, page].map(bare).join('\n')}`;
  if (/^(import|export) /m.test(script) || /<\/script/i.test(script)) {
    throw new Error('verify.html: an import, an export or an end of script is left in the script');
  }
  // Two modules with one name would be a fault of syntax here, and one hiding the other in a script.
  const options = ['--input-type=module', '--check', '-'];
  const checked = spawnSync(process.execPath, options, { input: script, encoding: 'utf8' });
  if (checked.status !== 0) throw new Error(`verify.html: ${checked.stderr}`);
  return script;
}

export function buildPage(target = path.join(BUILT, 'verify.html')) {
  const script = scriptText();
  const style = `\n${fs.readFileSync(path.join(HERE, 'page.css'), 'utf8')}`;
  const page = fs.readFileSync(path.join(HERE, 'page.html'), 'utf8');
  const whole = page
    .replace('{{script-digest}}', () => digestOf(script))
    .replace('{{style-digest}}', () => digestOf(style))
    .replace('<style></style>', () => `<style>${style}</style>`)
    .replace('<script type="module"></script>', () => `<script type="module">${script}</script>`);
  fs.writeFileSync(target, whole);
  return target;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) buildPage();

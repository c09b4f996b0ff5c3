// timeout: 240
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT, readSources, stripText } from './sources.ts';
import { checkSource } from './verdict.ts';

const FILE_LINES_MAX = 300;
/** A file over the limit, and why it is one thing. Empty is best. */
const LONG_FILES: Readonly<Record<string, string>> = {};

const SIZED = ['src', 'native/src', 'firmware-bridge/src'];
const CODE = /\.(ts|js|mjs|c|h|css|html)$/;
const TEXT = /\.(ts|js|mjs|c|h|py|sh|css|html|md|json|gyp|gypi|txt|service|conf|run)$|\/run$/;
const DECLARED =
  /^(?:export )?(?:async )?(?:class (\w+)|interface (\w+)|type (\w+)[ <=]|function (\w+)|const (\w+))/gm;
/** STYLE 2, right column, where the word has no second meaning in code. */
const FOREIGN_WORDS =
  /[Ss]lot|footage|sidecar|purge|auditlog|(Manager|Helper|Helpers|Util|Utils|Impl)$|^I[A-Z][a-z]+[A-Z]/;
/** Spelled in pieces: this file is searched too. */
const PRIVATE_WORDS = new RegExp(
  ['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX\\b', '/wo' + 'rk/', '/tmp/br' + 'ief', '\\.\\./sha' + 'red']
    .map((word) => `(?<![\\w])${word}`)
    .concat('[\'"`\\s=:]/ro' + 'ot/\\w', 'registry\\.(npm' + 'js|yarn' + 'pkg)')
    .join('|'),
);

const house = suite('house');

house('no source file is longer than one sitting', () => {
  const found = readSources(SIZED, CODE)
    .filter((source) => LONG_FILES[source.name] === undefined)
    .map((source) => ({ name: source.name, lines: source.text.split('\n').length - 1 }))
    .filter((source) => source.lines > FILE_LINES_MAX)
    .map((source) => `${source.name}: ${source.lines} lines`);
  assert.equal(found, []);
});

house('every exception to the length is still needed', () => {
  const long = readSources(SIZED, CODE)
    .filter((source) => source.text.split('\n').length - 1 > FILE_LINES_MAX)
    .map((source) => source.name);
  assert.equal(
    Object.keys(LONG_FILES).filter((name) => !long.includes(name)),
    [],
  );
});

house('declared names use the words of the house', () => {
  const found = readSources(['src'], /\.(ts|js)$/).flatMap((source) =>
    [...stripText(source.text).matchAll(DECLARED)]
      .map((match) => match.slice(1).find((name) => name !== undefined) ?? '')
      .filter((name) => FOREIGN_WORDS.test(name))
      .map((name) => `${source.name}: ${name}`),
  );
  assert.equal(found, []);
});

house('file names are kebab-case and no drawer', () => {
  const found = readSources(['src', 'test'], /\.ts$/)
    .map((source) => source.name)
    .filter((name) => {
      const base = path.posix.basename(name);
      return (
        !/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/.test(base) || /^(utils?|index)\.ts$/.test(base)
      );
    });
  assert.equal(found, []);
});

house('the project speaks of itself alone', () => {
  const folders = ['.'];
  const found = readSources(folders, TEXT)
    .filter((source) => !/^(package-lock\.json|LICENSE)$/.test(source.name))
    .flatMap((source) =>
      source.text
        .split('\n')
        // The kernel for the User-Mode Linux tests may lie beside the clone.
        .filter((line) => !(source.name === '.ci/run' && line.includes('DOCKET_UML_KERNEL')))
        .map((line, index) => ({ line, index }))
        .filter(({ line }) => PRIVATE_WORDS.test(line))
        .map(({ line, index }) => `${source.name}:${index + 1}: ${line.trim()}`),
    );
  assert.equal(found, []);
});

house('every test file holds a suite that runs, with a test in it', () => {
  const found = readSources(['test'], /\.test\.ts$/).flatMap((source) => {
    const reasons = checkSource(source.text);
    const hasSuite = /\bsuite\b(<[^()]*>)?\(/.test(source.text);
    const runsContract =
      /from '\.{1,2}\/[^']*'/.test(source.text) && /Contract\(/.test(source.text);
    if (!hasSuite && !runsContract) reasons.push('no suite');
    return reasons.map((why) => `${source.name}: ${why}`);
  });
  assert.equal(found, []);
});

house('no test sleeps for a fixed time', () => {
  const nap = /await\s+(sleep|delay|setTimeout)\(\s*\d{3,}/;
  const found = readSources(['test'], /\.test\.ts$/)
    .filter((source) => nap.test(source.text))
    .map((source) => source.name);
  assert.equal(found, []);
});

house('the linter and the formatter have nothing to say', () => {
  const biome = path.join(ROOT, 'node_modules/.bin/biome');
  const ended = spawnSync(biome, ['check', '--error-on-warnings', '--colors=off', '.'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  assert.is(ended.status, 0, `${ended.stdout}${ended.stderr}${ended.error ?? ''}`);
});

house.run();

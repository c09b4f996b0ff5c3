import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { importsOf, readSources, type Source, stripText } from './sources.ts';

const SOURCES = readSources(['src'], /\.(ts|js|mjs)$/);
const IMPURE =
  /\b(Date\.now|new Date\(\)|Math\.random|process\.|Buffer\b|setTimeout|setInterval|setImmediate|performance\.|crypto\.(getRandom|random|subtle)|globalThis|fetch\()/;

/** `core`, `ports`, `app`, `adapters/mqtt`, `cli`... or the package's own name. */
function layerOf(name: string): string {
  const [, layer = '', folder = ''] = name.split('/');
  return layer === 'adapters' ? `adapters/${folder}` : layer;
}

function targetOf(source: Source, module: string): string {
  if (!module.startsWith('.')) return module;
  const target = path.posix.join(path.posix.dirname(source.name), module);
  return target.startsWith('src/') ? `src:${layerOf(target)}` : `outside:${target}`;
}

function violations(layer: RegExp, mayImport: (target: string, source: Source) => boolean) {
  return SOURCES.filter((source) => layer.test(layerOf(source.name))).flatMap((source) =>
    importsOf(source.text)
      .filter((module) => !mayImport(targetOf(source, module), source))
      .map((module) => `${source.name} imports ${module}`),
  );
}

const layers = suite('layers');

layers('core imports only core, and zod in core/config', () => {
  const found = violations(/^core$/, (target, source) => {
    const mayValidate = source.name.startsWith('src/core/config/');
    return target === 'src:core' || (mayValidate && target === 'zod');
  });
  assert.equal(found, []);
});

layers('ports know core and each other only', () => {
  assert.equal(
    violations(/^ports$/, (target) => target === 'src:core' || target === 'src:ports'),
    [],
  );
});

layers('ports hold no code that runs but constants', () => {
  const found = readSources(['src/ports'], /\.ts$/)
    .filter((source) => /\b(function|class)\s+\w|=>\s*\{/.test(stripText(source.text)))
    .map((source) => source.name);
  assert.equal(found, []);
});

layers('app sees core and ports only', () => {
  const allowed = ['src:core', 'src:ports', 'src:app'];
  assert.equal(
    violations(/^app$/, (target) => allowed.includes(target)),
    [],
  );
});

layers('an adapter never sees app, a composition root or another adapter', () => {
  const found = SOURCES.filter((source) => source.name.startsWith('src/adapters/')).flatMap(
    (source) =>
      importsOf(source.text)
        // STYLE 1.6: one module writes durably, whoever needs it.
        .filter((module) => module !== '../fs/durable-file.ts')
        .map((module) => targetOf(source, module))
        .filter((target) => target.startsWith('src:'))
        .filter((target) => !['src:core', 'src:ports'].includes(target))
        .filter((target) => target !== `src:${layerOf(source.name)}`)
        .map((target) => `${source.name} imports ${target}`),
  );
  assert.equal(found, []);
});

layers('only the composition roots import adapters', () => {
  const roots = /^src\/(main\.ts|cli\/|adapters\/)/;
  const found = SOURCES.filter((source) => !roots.test(source.name)).flatMap((source) =>
    importsOf(source.text)
      .filter((module) => targetOf(source, module).startsWith('src:adapters/'))
      .map((module) => `${source.name} imports ${module}`),
  );
  assert.equal(found, []);
});

layers('core holds no clock, no randomness, no process and no Buffer', () => {
  const found = SOURCES.filter((source) => source.name.startsWith('src/core/')).flatMap((source) =>
    stripText(source.text)
      .split('\n')
      .filter((line) => IMPURE.test(line))
      .map((line) => `${source.name}: ${line.trim()}`),
  );
  assert.equal(found, []);
});

layers('the guard itself sees every way to import', () => {
  const source = [
    "import a from 'one';",
    "import type { B } from 'two';",
    "export { c } from 'three';",
    "const d = await import('four');",
    "import 'five';",
    "import {\n  e,\n  f,\n} from 'six';",
    "const g = require('seven');",
  ].join('\n');
  assert.equal(importsOf(source), ['one', 'two', 'three', 'four', 'five', 'six', 'seven']);
});

layers.run();

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findPackageRoot } from '../../src/adapters/native/loader.ts';

const ROOT = findPackageRoot(fileURLToPath(import.meta.url));
const SOURCES = path.join(ROOT, 'native', 'sources.mjs');
const { DIGEST_NAME, digestSources, prebuildsMatch } = (await import(SOURCES)) as {
  readonly DIGEST_NAME: string;
  digestSources(folder: string): string;
  prebuildsMatch(folder: string): boolean;
};
const nodeGypBuild = createRequire(import.meta.url)('node-gyp-build') as {
  /** The addon of a folder: built here, or its prebuild. */
  resolve(folder: string): string;
};
const setup = suite('setup');

/** A clone whose packages are installed, and which has one TypeScript source. */
function makeClone(): string {
  const clone = fs.mkdtempSync(path.join(os.tmpdir(), 'docket-setup-'));
  const options = { recursive: true, preserveTimestamps: true };
  const files = ['package.json', 'package-lock.json', 'native/setup.mjs', 'native/sources.mjs'];
  for (const name of files) {
    fs.cpSync(path.join(ROOT, name), path.join(clone, name), options);
  }
  fs.cpSync(path.join(ROOT, 'native/src'), path.join(clone, 'native/src'), options);
  fs.cpSync(path.join(ROOT, 'native/binding.gyp'), path.join(clone, 'native/binding.gyp'));
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(clone, 'node_modules'));
  fs.mkdirSync(path.join(clone, 'src'));
  fs.writeFileSync(path.join(clone, 'src/a.ts'), 'export const a: number = 1;\n');
  const compilerOptions = { outDir: 'dist', rootDir: '.', types: [] };
  const config = JSON.stringify({ compilerOptions, include: ['src/**/*.ts'] });
  fs.writeFileSync(path.join(clone, 'tsconfig.json'), config);
  return clone;
}

function run(clone: string, environment: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, [path.join(clone, 'native/setup.mjs')], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
  });
}

function mtimeOf(file: string): number {
  return fs.statSync(file).mtimeMs;
}

setup('names the tools that are missing, and what to install', () => {
  const clone = makeClone();
  const { status, stderr, stdout } = run(clone, { PATH: '', CC: undefined });
  assert.is(status, 1);
  assert.match(stderr, /SETUP_TOOLS_MISSING: a C compiler, make, Python 3 .*apt-get install/);
  assert.is(stdout, '');
  fs.rmSync(clone, { recursive: true });
});

setup('builds what is missing, then does nothing, then builds what changed', () => {
  const clone = makeClone();
  const addon = path.join(clone, 'native/build/Release/docket_native.node');
  const compiled = path.join(clone, 'dist/src/a.js');
  const first = run(clone);
  assert.is(first.status, 0, first.stderr);
  assert.is(first.stdout, '');
  assert.ok(fs.existsSync(addon) && fs.existsSync(compiled));

  const builtAt = [mtimeOf(addon), mtimeOf(compiled)];
  const second = run(clone);
  assert.equal([second.status, second.stdout, second.stderr], [0, '', '']);
  assert.equal([mtimeOf(addon), mtimeOf(compiled)], builtAt);

  const later = new Date(Date.now() + 2000);
  fs.utimesSync(path.join(clone, 'src/a.ts'), later, later);
  const third = run(clone);
  assert.is(third.status, 0, third.stderr);
  assert.is(mtimeOf(addon), builtAt[0]);
  assert.is.not(mtimeOf(compiled), builtAt[1]);
  fs.rmSync(clone, { recursive: true });
});

setup('uses a prebuild of the same sources, and builds when the sources are others', () => {
  const clone = makeClone();
  const addon = path.join(clone, 'native/build/Release/docket_native.node');
  const prebuild = path.join(clone, `native/prebuilds/${process.platform}-${process.arch}`);
  fs.mkdirSync(prebuild, { recursive: true });
  const made = nodeGypBuild.resolve(path.join(ROOT, 'native'));
  fs.copyFileSync(made, path.join(prebuild, 'docket.napi.node'));
  const record = path.join(clone, 'native/prebuilds', DIGEST_NAME);
  fs.writeFileSync(record, `${digestSources(path.join(clone, 'native'))}\n`);
  const first = run(clone);
  assert.is(first.status, 0, first.stderr);
  assert.not(fs.existsSync(addon));

  const source = path.join(clone, 'native/src/suite.c');
  const long = new Date(0);
  fs.appendFileSync(source, '/* changed */\n');
  fs.utimesSync(source, long, long);
  const second = run(clone);
  assert.is(second.status, 0, second.stderr);
  assert.ok(fs.existsSync(addon));
  fs.rmSync(clone, { recursive: true });
});

setup('has prebuilds that were made from the sources beside them', () => {
  assert.ok(prebuildsMatch(path.join(ROOT, 'native')), 'run: npm run prebuilds');
});

setup('says so when TypeScript does not compile', () => {
  const clone = makeClone();
  fs.symlinkSync(path.join(ROOT, 'native/build'), path.join(clone, 'native/build'));
  fs.writeFileSync(path.join(clone, 'src/a.ts'), 'export const a: number = "text";\n');
  const { status, stderr } = run(clone);
  assert.is(status, 1);
  assert.match(stderr, /SETUP_COMPILE_FAILED/);
  assert.not(fs.existsSync(path.join(clone, 'dist/.built')));
  fs.rmSync(clone, { recursive: true });
});

setup.run();

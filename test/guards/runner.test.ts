import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSource } from './verdict.ts';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const TSX = import.meta.resolve('tsx');
// Spelled so that the runner does not read a suite of this file here.
const SUITE = 'suite';
const HEAD = `import { suite } from 'uvu';\nconst bad = ${SUITE}('bad');\n`;
const GOOD = "bad('a', () => {});\n";

interface Ended {
  readonly status: number | null;
  readonly lines: readonly string[];
  readonly junit: string;
}

function runFiles(files: Readonly<Record<string, string>>, ...args: string[]): Ended {
  const folder = mkdtempSync(path.join(tmpdir(), 'docket-runner-'));
  try {
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
    for (const [name, source] of Object.entries(files)) {
      writeFileSync(path.join(folder, `${name}.test.ts`), source);
    }
    const junit = path.join(folder, 'junit.xml');
    const runner = ['--import', TSX, path.join(ROOT, 'test/run.ts'), '--folder', folder];
    const ended = spawnSync(process.execPath, [...runner, '--junit', junit, ...args], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    const lines = ended.stdout.trimEnd().split('\n');
    return { status: ended.status, lines, junit: readFileSync(junit, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function assertRed(cases: Readonly<Record<string, readonly [string, RegExp]>>, ...args: string[]) {
  const files = Object.entries(cases).map(([name, [source]]) => [name, HEAD + source]);
  const ended = runFiles(Object.fromEntries(files), ...args);
  assert.is(ended.status, 1);
  assert.match(ended.lines.at(-1) ?? '', /^\d+ passed, [1-9]\d* failed$/);
  for (const [name, [, why]] of Object.entries(cases)) {
    const line = ended.lines.find((each) => each.startsWith(`FAIL ${name}.test.ts`)) ?? '';
    assert.match(line, why, name);
  }
}

const runner = suite('runner');

runner('passes what passes, and says so last', () => {
  const ended = runFiles({ one: `${HEAD}${GOOD}bad('b', () => {});\nbad.run();\n` });
  assert.is(ended.status, 0);
  assert.is(ended.lines.at(-1), '2 passed, 0 failed');
  assert.match(ended.junit, 'tests="2" failures="0"');
});

runner('counts failed tests one by one', () => {
  const fails = "bad('b', () => { throw new Error('no <way>'); });\n";
  const ended = runFiles({
    one: `${HEAD}${GOOD}${fails}${fails.replace("'b'", "'c'")}bad.run();\n`,
    two: `${HEAD}${GOOD}bad.run();\n`,
  });
  assert.is(ended.status, 1);
  assert.is(ended.lines.at(-1), '2 passed, 2 failed');
  assert.match(ended.junit, 'no &#60;way&#62;');
});

runner('fails a throwing hook that uvu lets pass', () => {
  const boom = "() => { throw new Error('boom'); }";
  assertRed({
    before: [`${GOOD}bad.before(${boom});\nbad.run();\n`, /hook threw/],
    each: [`${GOOD}bad.after.each(${boom});\nbad.run();\n`, /hook threw/],
    after: [`${GOOD}bad.after(${boom});\nbad.run();\n`, /exit code/],
  });
});

runner('fails a suite that never runs, holds no test, or has one after it ran', () => {
  assertRed({
    never: [GOOD, /never \.run\(\).*no test ran/],
    empty: ['bad.run();\n', /no test ran/],
    late: [`${GOOD}bad.run();\nbad('late', () => {});\n`, /after \.run\(\)/],
  });
});

runner('fails a stray only and a skip', () => {
  assertRed({
    only: [`${GOOD}bad.only('b', () => {});\nbad.run();\n`, /bad\.only.*1 skipped/],
    alone: [`bad.only('b', () => {});\nbad.run();\n`, /bad\.only/],
    skip: [`${GOOD}bad.skip('b', () => {});\nbad.run();\n`, /bad\.skip.*1 skipped/],
  });
});

runner('kills a test that hangs, with its whole process group', () => {
  const hang = `import { spawn } from 'node:child_process';
    bad('hangs', () => new Promise(() => {
      const child = spawn('sleep', ['600']);
      console.log('sleeper ' + child.pid + '.');
    }));\nbad.run();\n`;
  const ended = runFiles({ one: HEAD + hang }, '--timeout', '3');
  assert.is(ended.lines.at(-1), '0 passed, 1 failed');
  assert.match(ended.lines[0] ?? '', /killed after 3 s/);
  const sleeper = /sleeper (\d+)\./.exec(ended.lines.join('\n'))?.[1];
  assert.ok(sleeper !== undefined);
  const status = spawnSync('cat', [`/proc/${sleeper}/stat`], { encoding: 'utf8' }).stdout;
  assert.ok(status === '' || status.includes(') Z '), 'the child of the test is gone');
});

runner('fails a process that ends early, or badly after every test passed', () => {
  const late = "process.on('exit', () => { process.exitCode = 3; });\n";
  assertRed({
    waits: ["bad('waits', () => new Promise(() => {}));\nbad.run();\n", /exit code/],
    ends: [`bad('ends', () => process.exit(0));\nbad.run();\n`, /no test ran/],
    late: [`${GOOD}${late}bad.run();\n`, /exit code 3/],
  });
});

runner('fails when a filter matches no file', () => {
  const ended = runFiles({ one: `${HEAD}${GOOD}bad.run();\n` }, 'nothing-of-that-name');
  assert.is(ended.status, 1);
  assert.is(ended.lines.at(-1), '0 passed, 1 failed');
});

runner('lets a file ask for more time in its first lines', () => {
  const slow = "bad('slow', () => new Promise((done) => setTimeout(done, 2500)));\nbad.run();\n";
  const ended = runFiles({ one: `// timeout: 60\n${HEAD}${slow}` }, '--timeout', '1');
  assert.is(ended.lines.at(-1), '1 passed, 0 failed');
});

runner('sees suites of every spelling', () => {
  const missing = (name: string) => [`suite "${name}" is never .run()`];
  assert.equal(checkSource(`const a = ${SUITE}<{ x: number }>('a');`), missing('a'));
  assert.equal(checkSource(`let a = ${SUITE}('a');\na('x', f);\na.run();`), []);
  const imported = ['import { test } from', "'uvu';\ntest('x', f);\n"].join(' ');
  assert.equal(checkSource(imported), missing('test'));
});

runner.run();

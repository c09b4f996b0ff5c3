import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FINDINGS, NOTES } from '../../src/verifier/report.ts';
import { importsOf, ROOT, readSources } from '../guards/sources.ts';

const VERIFIER = readSources(['src/verifier'], /\.(ts|js)$/);
const NODE_MODULES = ['node:crypto', 'node:fs', 'node:path', 'node:zlib'];
/** The only ones that may know that they run in Node. */
const NODE_FILES = ['src/verifier/node.ts', 'src/verifier/docket-verify.ts'];

const independence = suite('docket-verify: independence');

independence('it shares no code with the runtime, and needs no package', () => {
  const found = VERIFIER.flatMap((source) =>
    importsOf(source.text)
      .filter((module) => {
        if (!module.startsWith('.')) {
          return !NODE_MODULES.includes(module) || !NODE_FILES.includes(source.name);
        }
        const target = path.posix.join(path.posix.dirname(source.name), module);
        return !target.startsWith('src/verifier/');
      })
      .map((module) => `${source.name} imports ${module}`),
  );
  assert.ok(VERIFIER.length > 15);
  assert.equal(found, []);
});

independence('the runtime uses nothing of it', () => {
  const found = readSources(['src'], /\.(ts|js)$/)
    .filter(({ name }) => !name.startsWith('src/verifier/'))
    .filter(({ text }) => importsOf(text).some((module) => module.includes('verifier/')))
    .map(({ name }) => name);
  assert.equal(found, []);
});

independence('only what is for Node names what is of Node', () => {
  const found = VERIFIER.filter(({ name }) => !NODE_FILES.includes(name))
    .filter(({ text }) => /\b(Buffer|process|require)\b[.(]/.test(text))
    .map(({ name }) => name);
  assert.equal(found, []);
});

independence('its README explains every finding and every note, and no other', () => {
  const readme = readFileSync(path.join(ROOT, 'src/verifier/README.md'), 'utf8');
  const rows = [...readme.matchAll(/^\| `([A-Z_]+)` \| (.+) \|$/gm)].map((match) => match.slice(1));
  const expected = Object.entries({ ...FINDINGS, ...NOTES });
  assert.equal(rows, expected);
});

independence('the page is one file that may load and send nothing', async () => {
  const { buildPage } = (await import('../../src/verifier/page/build.mjs' as string)) as {
    buildPage: (target: string) => string;
  };
  const folder = mkdtempSync(path.join(tmpdir(), 'docket-page-'));
  try {
    const page = readFileSync(buildPage(path.join(folder, 'verify.html')), 'utf8');
    const csp = /Content-Security-Policy"\s+content="([^"]+)"/.exec(page)?.[1] ?? '';
    assert.match(csp, /^default-src 'none'; script-src 'sha256-\S+'; style-src 'sha256-\S+';/);
    assert.not.match(page, /<(link|img|iframe|object|embed|base|form)\b|\ssrc=|@import|url\(/i);
    const addresses = [...page.matchAll(/https?:\/\/[^\s'"`]+/g)].map(([address]) => address);
    assert.equal(addresses, []);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

independence.run();

// timeout: 600
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT } from '../e2e/kit/programs.ts';

interface Context {
  readonly folder: string;
  readonly clone: string;
}

interface Ended {
  readonly status: number | null;
  readonly lastLine: string;
  readonly all: string;
}

/** Nothing of this shell but where programs are and how to reach the packages. */
function cleanEnvironment(folder: string): NodeJS.ProcessEnv {
  const { PATH } = process.env;
  const places = /^(https?_proxy|no_proxy|npm_config_(registry|cafile)|node_extra_ca_certs)$/i;
  const network = Object.entries(process.env).filter(([name]) => places.test(name));
  const home = { HOME: path.join(folder, 'home'), TMPDIR: path.join(folder, 'tmp') };
  return { ...Object.fromEntries(network), PATH, ...home };
}

function npm({ folder, clone }: Context, ...args: string[]): Ended {
  const env = cleanEnvironment(folder);
  const options = { cwd: clone, env, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const;
  const { status, stdout, stderr, error } = spawnSync('npm', args, options);
  if (error !== undefined) throw error;
  return { status, lastLine: stdout.trimEnd().split('\n').at(-1) ?? '', all: stdout + stderr };
}

const fresh = suite<Context>('fresh clone');

fresh.before(async (context) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'docket-fresh-'));
  const clone = path.join(folder, 'docket');
  Object.assign(context, { folder, clone });
  for (const name of ['home', 'tmp']) await mkdir(path.join(folder, name));
  const trust = ['-c', `safe.directory=${path.resolve(ROOT)}`];
  const git = spawnSync('git', [...trust, 'clone', '--quiet', ROOT, clone], { encoding: 'utf8' });
  assert.is(git.status, 0, git.stderr);
});

fresh.after(async ({ folder }) => {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

fresh('npm start -- --once vaults and releases every clip, and says so last', (context) => {
  assert.not(existsSync(path.join(context.clone, 'node_modules')));
  const args = ['--once', '--port', '0', '--mqtt-port', '0'];
  const { status, lastLine, all } = npm(context, 'start', '--', ...args);
  assert.is(status, 0, all);
  const summary = JSON.parse(lastLine) as Record<string, number | string>;
  const { clips, vaulted, released, quarantined, dataDir } = summary;
  assert.ok(typeof clips === 'number' && clips > 0);
  assert.equal([vaulted, released, quarantined], [clips, clips, 0]);
  assert.is(dataDir, path.join(context.clone, 'docket-demo/data'));
});

fresh('npm test passes', (context) => {
  const { status, lastLine, all } = npm(context, 'test', '--', 'core/custody');
  assert.is(status, 0, all);
  assert.match(lastLine, /^[1-9]\d* passed, 0 failed$/);
});

fresh('neither changes a file that is tracked', ({ clone }) => {
  const git = spawnSync('git', ['status', '--porcelain'], { cwd: clone, encoding: 'utf8' });
  assert.is(git.stdout, '');
});

fresh.run();

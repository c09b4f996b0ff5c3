// timeout: 900
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { docket, Program, ROOT } from '../e2e/kit/programs.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const SIZES = [
  0,
  1,
  ...[64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 128 * KIB],
  ...[64 * MIB, 64 * MIB + 1, 128 * MIB, 4 * GIB],
];
const RESIDENT_MB_MAX = 150;
const DEMO_MS_MAX = 600_000;

interface ListedClip {
  readonly id: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly segments: readonly string[];
  readonly state: string;
}

interface Context {
  readonly folder: string;
  readonly clips: readonly ListedClip[];
  readonly summary: Readonly<Record<string, unknown>>;
  readonly residentMib: number;
}

/** Holes between islands of random bytes, so that 4 GiB cost little disk and no two segments are alike. */
async function writeClip(path: string, sizeBytes: number): Promise<void> {
  const island = 64 * KIB;
  const file = await open(path, 'w');
  try {
    await file.truncate(sizeBytes);
    const last = Math.max(0, sizeBytes - island);
    for (let at = 0; at < sizeBytes; at += 16 * MIB) {
      await file.write(randomBytes(Math.min(island, sizeBytes - at)), 0, undefined, at);
    }
    await file.write(randomBytes(Math.min(island, sizeBytes)), 0, undefined, last);
  } finally {
    await file.close();
  }
}

/** The most memory that the process ever had resident; undefined when it is gone. */
function readPeakKib(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    return kib === undefined ? undefined : Number(kib);
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** What `npm start` gives to Node. */
function nodeOptions(): string {
  const text = readFileSync(join(ROOT, 'package.json'), 'utf8');
  const { scripts } = JSON.parse(text) as { scripts: Record<string, string> };
  return (scripts.start ?? '')
    .split(' ')
    .filter((word) => word.startsWith('--max-'))
    .join(' ');
}

async function runDemo(folder: string): Promise<{ summary: string; residentMib: number }> {
  const places = ['clips', 'data', 'keys'].map((name) => `--${name}=${join(folder, name)}`);
  const args = ['demo', '--once', '--port=0', '--mqtt-port=0', ...places];
  const demo = new Program(args, { NODE_OPTIONS: nodeOptions() });
  let peakKib = 0;
  const look = setInterval(() => {
    peakKib = readPeakKib(demo.pid) ?? peakKib;
  }, 100);
  const ended = await demo.end(DEMO_MS_MAX).finally(() => clearInterval(look));
  assert.is(ended.code, 0, `${ended.stdout}\n${ended.stderr}`);
  return { summary: demo.lines.at(-1) ?? '', residentMib: peakKib / 1024 };
}

/** The segments through `age -d`, one after the other, compared byte by byte with the camera's file. */
async function compare(clip: ListedClip, paths: Record<'data' | 'identity' | 'file', string>) {
  const script =
    'set -euo pipefail; cd "$1"; identity=$2; file=$3; shift 3;' +
    'for segment in "$@"; do age -d -i "$identity" "$segment"; done | cmp - "$file"';
  const { data, identity, file } = paths;
  const args = ['-c', script, 'compare', data, identity, file, ...clip.segments];
  const child = spawn('bash', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(child, 'exit');
  assert.is(code, 0, `${clip.sizeBytes} bytes: age gives the camera's bytes`);
}

function fileOf(folder: string, clip: ListedClip): string {
  return join(folder, 'clips', `${clip.sizeBytes}.mp4`);
}

const age = suite<Context>('age');

age.before(async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'docket-age-'));
  Object.assign(context, { folder });
  await mkdir(join(folder, 'clips'));
  for (const size of SIZES) await writeClip(join(folder, 'clips', `${size}.mp4`), size);
  const { summary, residentMib } = await runDemo(folder);
  const listed = await docket('list', '--json', '--data', join(folder, 'data'));
  assert.is(listed.code, 0, listed.stderr);
  const { clips } = JSON.parse(listed.stdout) as { clips: readonly ListedClip[] };
  Object.assign(context, { clips, residentMib, summary: JSON.parse(summary) });
});

age.after(async ({ folder }) => {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

age('every clip of every size is vaulted and released', ({ clips, summary }) => {
  const { clips: count, vaulted, released, quarantined } = summary;
  const all = SIZES.length;
  assert.equal([count, vaulted, released, quarantined], [all, all, all, 0]);
  const sizes = clips.map(({ sizeBytes }) => sizeBytes).sort((a, b) => a - b);
  assert.equal(sizes, SIZES);
  assert.ok(clips.every(({ state }) => state === 'released'));
});

age('segments are 64 MiB at most, and an empty clip has one', ({ clips }) => {
  const expected = SIZES.map((size) => Math.max(1, Math.ceil(size / (64 * MIB))));
  const bySize = [...clips].sort((a, b) => a.sizeBytes - b.sizeBytes);
  assert.equal(
    bySize.map(({ segments }) => segments.length),
    expected,
  );
});

age('sha256sum of each file is the digest in its manifest', ({ clips, folder }) => {
  for (const clip of clips) {
    const sum = spawnSync('sha256sum', [fileOf(folder, clip)], { encoding: 'utf8' });
    assert.is(sum.stdout.split(' ')[0], clip.sha256, `${clip.sizeBytes} bytes`);
  }
});

age('age opens every clip with the evidence identity', async ({ clips, folder }) => {
  const identity = join(folder, 'keys/evidence.identity.txt');
  for (const clip of clips) {
    const file = fileOf(folder, clip);
    await compare(clip, { data: join(folder, 'data'), identity, file });
  }
});

age('age opens clips of one and of several segments with the escrow identity', async (context) => {
  const { clips, folder } = context;
  const identity = join(folder, 'keys/escrow.identity.txt');
  for (const clip of clips.filter(({ sizeBytes }) => sizeBytes <= 128 * MIB)) {
    const file = fileOf(folder, clip);
    await compare(clip, { data: join(folder, 'data'), identity, file });
  }
});

age('the cameras have erased their copies', ({ folder }) => {
  const cameras = join(folder, 'data-cameras');
  assert.ok(existsSync(cameras));
  const names = readdirSync(cameras, { recursive: true, encoding: 'utf8' });
  assert.equal(
    names.filter((name) => name.endsWith('.clip')),
    [],
  );
});

age('the dock never had 150 MB in memory', ({ residentMib, summary }) => {
  console.log(`most resident: ${residentMib.toFixed(0)} MiB; ${JSON.stringify(summary)}`);
  assert.ok(residentMib > 0 && (residentMib * MIB) / 1e6 < RESIDENT_MB_MAX, `${residentMib} MiB`);
});

age.run();

// timeout: 240
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openZip } from '../../src/verifier/formats/zip.ts';
import { nodeInflate, openStorage, verifyPath } from '../../src/verifier/node.ts';
import { docket, ROOT } from '../e2e/kit/programs.ts';
import { endSites } from '../e2e/kit/site.ts';
import { damagedPacks, type PackFiles } from './damages.ts';
import { type DockFolder, makeDockFolder } from './dock-folder.ts';
import { namesOf, policyOf } from './kit.ts';

const pack = suite('docket-verify: pack');
let made: DockFolder;
let dataDir: string;
let policyPath: string;
let packPath: string;
let files: PackFiles;

pack.before(async () => {
  made = await makeDockFolder();
  dataDir = join(made.site.folder, 'cosigned-data');
  cpSync(made.site.dataDir, dataDir, { recursive: true });
  for (const name of ['custody/cosigned', 'custody/cosignatures']) {
    writeFileSync(join(dataDir, name), made.files.get(name) ?? '');
  }
  policyPath = join(made.site.folder, 'policy.txt');
  writeFileSync(policyPath, `${made.policyLines.join('\n')}\n`);
  packPath = await exportTo('pack.zip');
  files = await unzip(packPath);
});

pack.after(endSites);

async function exportTo(name: string, data = dataDir, clips = made.clips): Promise<string> {
  const out = join(made.site.folder, name);
  const options = ['--data', data, '--policy', policyPath, '--out', out];
  const ended = await docket('export', ...clips, ...options);
  assert.is(ended.code, 0, ended.stderr);
  return out;
}

async function unzip(path: string): Promise<PackFiles> {
  const storage = await openStorage(path);
  try {
    const source = await openZip(storage, nodeInflate);
    const found = new Map<string, Uint8Array>();
    for (const entry of await source.list()) {
      found.set(entry.path, await source.read(entry.path, 100_000_000));
    }
    return found;
  } finally {
    await storage.close();
  }
}

function run(...args: readonly string[]) {
  const program = join(ROOT, 'dist/src/verifier/docket-verify.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

pack('of four clips is verified, each entry by its proof', async () => {
  const report = await verifyPath(packPath, made.policy);
  assert.equal(report.findings, []);
  const { clips, segments, entries, cosignedEntries } = report.counts;
  assert.equal([clips, segments, entries, cosignedEntries], [4, 6, 9, 9]);
});

pack('is the same whenever it is made', async () => {
  const again = await exportTo('again.zip', dataDir, [...made.clips].reverse());
  assert.ok(readFileSync(again).equals(readFileSync(packPath)));
});

pack('holds what each file was on the dock, byte for byte', () => {
  for (const [path, bytes] of files) {
    if (!path.startsWith('clips/')) continue;
    const original = readFileSync(join(dataDir, path.replace('clips', 'vault')));
    assert.ok(original.equals(bytes), path);
  }
});

pack('is verified as a folder too, when somebody has unpacked it', async () => {
  const folder = join(made.site.folder, 'unpacked');
  for (const [path, bytes] of files) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  assert.equal((await verifyPath(folder, made.policy)).findings, []);
  writeFileSync(join(folder, 'pack.txt'), 'docket/pack/v1\n');
  assert.ok(namesOf(await verifyPath(folder, made.policy)).includes('PACK_MALFORMED'));
});

pack('of one clip says nothing about the others', async () => {
  const path = await exportTo('one.zip', dataDir, made.clips.slice(0, 1));
  const report = await verifyPath(path, made.policy);
  assert.equal(report.findings, []);
  assert.is(report.counts.clips, 1);
  const text = Buffer.concat([...(await unzip(path)).values()]).toString('latin1');
  for (const other of made.clips.slice(1)) assert.not.ok(text.includes(other));
});

pack('of a dock without a witness is not enough for a policy that demands one', async () => {
  const path = await exportTo('plain.zip', made.site.dataDir);
  assert.equal(namesOf(await verifyPath(path, made.policy)), ['COSIGNATURE_MISSING']);
  const [log = ''] = made.policyLines;
  assert.equal((await verifyPath(path, policyOf(log, 'quorum none'))).findings, []);
});

pack('names what is wrong with fifteen damaged packs', async () => {
  const damaged = damagedPacks(files);
  assert.is(damaged.length, 15);
  for (const { what, bytes, names } of damaged) {
    const path = join(made.site.folder, 'damaged.zip');
    writeFileSync(path, bytes);
    const found: readonly string[] = namesOf(await verifyPath(path, made.policy));
    for (const name of names) assert.ok(found.includes(name), `${what}: ${found}`);
  }
});

pack('is not made of a clip that was spoiled, and nothing is left behind', async () => {
  const spoiled = join(made.site.folder, 'spoiled');
  cpSync(dataDir, spoiled, { recursive: true });
  const [clip = ''] = made.clips;
  const path = join(spoiled, 'vault', clip, 'details.age');
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  spawnSync('chmod', ['600', path]);
  writeFileSync(path, bytes);
  const out = join(made.site.folder, 'spoiled.zip');
  const ended = await docket('export', clip, '--data', spoiled, '--out', out);
  assert.is(ended.code, 1);
  assert.match(ended.stderr, /SEGMENT_DIGEST_MISMATCH/);
  assert.not.ok(existsSync(out));
});

pack('never replaces a file', async () => {
  const before = readFileSync(packPath);
  const [clip = ''] = made.clips;
  const ended = await docket('export', clip, '--data', dataDir, '--out', packPath);
  assert.is(ended.code, 1);
  assert.match(ended.stderr, /already there/);
  assert.ok(before.equals(readFileSync(packPath)));
});

pack('the command ends with 0 and a report, with 1 and findings, with 2 for a wrong use', () => {
  const good = run(packPath, '--policy', policyPath);
  assert.is(good.status, 0, good.stdout + good.stderr);
  assert.match(good.stdout, /VERIFIED: 9 entries/);
  const dock = run(dataDir, '--policy', policyPath, '--json');
  assert.is(dock.status, 0, dock.stdout);
  const report = JSON.parse(dock.stdout) as { verdict: string; findings: unknown[]; kind: string };
  assert.equal([report.verdict, report.kind, report.findings.length], ['verified', 'dock', 0]);
  const path = join(made.site.folder, 'damaged.zip');
  writeFileSync(path, readFileSync(packPath).subarray(1));
  const bad = run(path, '--policy', policyPath);
  assert.is(bad.status, 1);
  assert.match(bad.stdout, /FINDING PACK_ZIP/);
  const wrong = [
    [],
    [packPath],
    [packPath, '--policy', join(made.site.folder, 'nowhere')],
    [packPath, '--policy', packPath],
    [packPath, packPath, '--policy', policyPath],
    [join(made.site.folder, 'nowhere'), '--policy', policyPath],
    [packPath, '--policy', policyPath, '--trust-me'],
  ];
  for (const args of wrong) {
    const ended = run(...args);
    assert.is(ended.status, 2, args.join(' '));
    assert.match(ended.stderr, /usage: docket-verify/);
  }
});

pack('the command does not follow a link out of the folder', () => {
  const linked = join(made.site.folder, 'linked');
  cpSync(dataDir, linked, { recursive: true });
  const [clip = ''] = made.clips;
  const path = join(linked, 'vault', clip, 'receipt.note');
  spawnSync('ln', ['-sf', join(dataDir, 'vault', clip, 'receipt.note'), path]);
  const ended = run(linked, '--policy', policyPath);
  assert.is(ended.status, 1);
  assert.match(ended.stdout, /FILE_UNREADABLE/);
});

pack.run();

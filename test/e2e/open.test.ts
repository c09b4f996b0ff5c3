// timeout: 120
import { chmod, cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeRecord, scanJournal } from '../../src/adapters/fs/journal.ts';
import { readVault, sha256Of, type VaultClip } from './kit/evidence.ts';
import { docket, type Ended } from './kit/programs.ts';
import { endSites, newSite, type Site } from './kit/site.ts';

const SEGMENT_BYTES = 1_048_576;
const open = suite('open');

let site: Site;
let clip: VaultClip;
let original: Uint8Array;
let copies = 0;

open.before(async () => {
  site = await newSite(1);
  const dock = await site.ingest([{ clips: [2 * SEGMENT_BYTES + 5, 1000], wearer: 'KX 4471' }]);
  await dock.kill('SIGTERM');
  const vault = await readVault(site.dataDir);
  const found = vault.find(({ counter }) => counter === 1);
  const bytes = site.cameras[0]?.clips.get(1);
  assert.ok(found && bytes);
  if (found === undefined || bytes === undefined) return;
  clip = found;
  original = bytes;
});

open.after(endSites);

async function copyData(): Promise<string> {
  copies += 1;
  const copy = join(site.folder, `copy-${copies}`);
  await cp(site.dataDir, copy, { recursive: true });
  return copy;
}

interface Opening {
  readonly identity?: string;
  readonly clip?: string;
  readonly policy?: string;
}

/** Opens it, and expects that whatever went wrong left nothing behind. */
async function openFrom(data: string, options: Opening = {}): Promise<Ended> {
  const folder = join(site.folder, `out-${copies}`);
  await cp(site.keysDir, folder, { recursive: true });
  const before = await readdir(folder);
  const out = join(folder, 'clip.mp4');
  const policy = options.policy === undefined ? [] : ['--policy', options.policy];
  const identity = options.identity ?? site.identityPath;
  const where = ['--data', data, '--identity', identity, '--out', out, ...policy];
  const ended = await docket('open', options.clip ?? clip.id, ...where);
  if (ended.code === 0) assert.ok((await readFile(out)).equals(original));
  else assert.equal(await readdir(folder), before, 'nothing is written');
  return ended;
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  const byte = bytes.at(at) ?? 0;
  bytes[at < 0 ? bytes.length + at : at] = byte ^ 1;
  await chmod(path, 0o600);
  await writeFile(path, bytes);
}

function checkReported(ended: Ended, name: RegExp): void {
  assert.is(ended.code, 1);
  assert.match(ended.stderr, name);
  assert.not.match(ended.stderr, /\n\s+at /, 'a finding, not a defect');
}

open('gives the bytes of the camera, and names the signature and the proof', async () => {
  const ended = await openFrom(site.dataDir);
  assert.is(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /manifest\.note is signed by leeds\/dock-1\/manifest/);
  assert.match(ended.stdout, /entry \d+ of the custody log vouches for it/);
  assert.match(ended.stdout, /receipt\.note is signed by leeds\/dock-1\/receipt/);
  assert.match(ended.stdout, new RegExp(sha256Of(original)));
  assert.match(ended.stdout, /KX 4471/);
});

open('gives the same bytes to the escrow identity', async () => {
  copies += 1;
  const identity = join(site.keysDir, 'escrow.identity.txt');
  assert.is((await openFrom(site.dataDir, { identity })).code, 0);
});

/** A byte of each file: where the flipped bit is, and what the report names. */
const FLIPS: readonly (readonly [what: string, file: string, at: number, name: RegExp])[] = [
  ['the payload of a segment', '0001.age', 70_000, /0001\.age/],
  ['the header of a segment', '0000.age', 60, /0000\.age/],
  ['the last byte of the last segment', '0002.age', -1, /0002\.age/],
  ['the details', 'details.age', -20, /details\.age/],
  ['the text of the manifest', 'manifest.note', 60, /manifest\.note/],
  ['the signature of the manifest', 'manifest.note', -10, /manifest\.note/],
  ['the text of the receipt', 'receipt.note', 60, /receipt\.note/],
  ['the signature of the receipt', 'receipt.note', -10, /receipt\.note/],
];

for (const [what, file, at, name] of FLIPS) {
  open(`reports a flipped bit in ${what} by name`, async () => {
    const data = await copyData();
    await flip(join(data, 'vault', clip.id, file), at);
    checkReported(await openFrom(data), name);
  });
}

const CUSTODY_FLIPS: readonly (readonly [what: string, file: string, at: number])[] = [
  ['a log entry', 'entries', 120],
  ['the last log entry', 'entries', -3],
  ['the text of the checkpoint', 'checkpoint', 20],
  ['the signature of the checkpoint', 'checkpoint', -10],
];

for (const [what, file, at] of CUSTODY_FLIPS) {
  open(`reports a flipped bit in ${what} by name`, async () => {
    const data = await copyData();
    await flip(join(data, 'custody', file), at);
    checkReported(await openFrom(data), new RegExp(`custody/${file}`));
  });
}

open('reports a log entry that was changed together with its checksum', async () => {
  const data = await copyData();
  const path = join(data, 'custody/entries');
  const { records } = scanJournal(await readFile(path));
  const payloads = records.map(({ payload }) => Buffer.from(payload));
  const target = payloads.find((payload) => payload.includes('kind clip-vaulted')) ?? payloads[0];
  assert.ok(target);
  const digit = (target?.indexOf('bytes ') ?? 0) + 'bytes '.length;
  if (target !== undefined) target[digit] = target[digit] === 0x37 ? 0x38 : 0x37;
  await writeFile(path, Buffer.concat(payloads.map((payload) => encodeRecord(payload))));
  checkReported(await openFrom(data), /custody\/entries/);
});

open('reports a log whose end was cut off', async () => {
  const data = await copyData();
  const path = join(data, 'custody/entries');
  const bytes = await readFile(path);
  const last = scanJournal(bytes).records.at(-1);
  await writeFile(path, bytes.subarray(0, last?.offset));
  checkReported(await openFrom(data), /custody\/entries/);
});

open('refuses an identity that is nobody the clip is sealed to', async () => {
  const other = join(site.folder, 'other-keys');
  assert.is((await docket('keygen', '--out', other)).code, 0);
  const identity = join(other, 'evidence.identity.txt');
  const policy = join(site.keysDir, 'verify-policy.txt');
  const ended = await openFrom(site.dataDir, { identity, policy });
  checkReported(ended, /not sealed to this identity/);
});

open('refuses a file that is not an identity, without repeating what is in it', async () => {
  const identity = join(site.folder, 'not-an-identity.txt');
  await writeFile(identity, 'AGE-SECRET-KEY-1QQQQ\n');
  const ended = await openFrom(site.dataDir, { identity });
  checkReported(ended, /IDENTITY_INVALID/);
  assert.not.match(ended.stderr, /1QQQQ/);
});

open('refuses a clip that is not there', async () => {
  checkReported(await openFrom(site.dataDir, { clip: 'f'.repeat(32) }), /f{32}/);
  checkReported(await openFrom(site.dataDir, { clip: 'ffff' }), /CLIP_NOT_FOUND/);
});

open('refuses a log that the policy does not know, or knows with another key', async () => {
  const policy = join(site.folder, 'policy.txt');
  const own = await readFile(join(site.dataDir, 'keys/log.pub'), 'utf8');
  const receiptKey = await readFile(join(site.dataDir, 'keys/receipt.pub'), 'utf8');
  await writeFile(policy, `log ${receiptKey}`);
  checkReported(await openFrom(site.dataDir, { policy }), /KEY_INVALID.*policy\.txt/);
  await writeFile(policy, `log ${own.slice(0, -3)}\n`);
  checkReported(await openFrom(site.dataDir, { policy }), /KEY_INVALID/);
  const stranger = join(site.folder, 'stranger');
  await cp(site.keysDir, stranger, { recursive: true });
  const otherLog = await otherKeyNamed('leeds/dock-1/log');
  await writeFile(policy, `log ${otherLog}\n`);
  checkReported(await openFrom(site.dataDir, { policy }), /custody\/checkpoint/);
});

open('never writes over a file', async () => {
  const out = join(site.folder, 'mine.txt');
  await writeFile(out, 'mine');
  const where = ['--data', site.dataDir, '--identity', site.identityPath, '--out', out];
  checkReported(await docket('open', clip.id, ...where), /mine\.txt is already there/);
  assert.is(await readFile(out, 'utf8'), 'mine');
});

/** Another dock of the same name. */
async function otherKeyNamed(name: string): Promise<string> {
  const twin = await newSite(1);
  const dock = await twin.startDock();
  await dock.kill('SIGTERM');
  const key = (await readFile(join(twin.dataDir, 'keys/log.pub'), 'utf8')).trim();
  assert.ok(key.startsWith(`${name}+`));
  return key;
}

open.run();

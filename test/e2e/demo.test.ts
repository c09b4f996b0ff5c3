// timeout: 240
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseIdentityFile } from '../../src/adapters/nacl/age-keys.ts';
import { NODE_KEY_SCHEDULE, unwrapFileKey } from '../../src/adapters/nacl/age-x25519.ts';
import { parseAgeHeader, verifyAgeHeaderMac } from '../../src/core/evidence/age-header.ts';
import { openWithAge, readIdentity, readVault, sha256Of } from './kit/evidence.ts';
import { filesBelow, findBytes, type Sought } from './kit/find-bytes.ts';
import { docket } from './kit/programs.ts';

const SEGMENT_BYTES = 67_108_864;
const SIZES = [0, 1, 65_535, 65_536, 65_537, 131_072, 3_000_001, SEGMENT_BYTES + 1];
const SAMPLE_BYTES = 64;
const SAMPLES_A_CLIP = 400;

const demo = suite('demo');

interface ListedClip {
  readonly id: string;
  readonly camera: string;
  readonly counter: number;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly segments: readonly string[];
}

let folder = '';
let data = '';
let keys = '';
const originals = new Map<string, Uint8Array>();
let listed: readonly ListedClip[] = [];

demo.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'docket-demo-'));
  data = join(folder, 'D');
  keys = join(folder, 'K');
  await mkdir(join(folder, 'clips'));
  for (const size of SIZES) {
    const bytes = randomBytes(size);
    originals.set(sha256Of(bytes), bytes);
    await writeFile(join(folder, 'clips', `high-street-${size}.mp4`), bytes);
  }
});

demo.after(() => rm(folder, { recursive: true, force: true }));

async function runDemo(clips: string) {
  const ports = ['--port', '0', '--mqtt-port', '0'];
  const args = ['demo', '--once', '--clips', clips, '--data', data, '--keys', keys, ...ports];
  const ended = await docket(...args);
  assert.is(ended.code, 0, ended.stdout + ended.stderr);
  return JSON.parse(ended.stdout.split('\n').at(-1) ?? '') as Record<string, unknown>;
}

async function listClips(): Promise<readonly ListedClip[]> {
  const ended = await docket('list', '--data', data, '--json');
  assert.is(ended.code, 0, ended.stderr);
  return (JSON.parse(ended.stdout) as { clips: readonly ListedClip[] }).clips;
}

demo('vaults and releases every clip, and its last line says so', async () => {
  const summary = await runDemo(join(folder, 'clips'));
  const { seconds, ...counts } = summary;
  assert.type(seconds, 'number');
  assert.equal(counts, {
    ...{ clips: SIZES.length, vaulted: SIZES.length, released: SIZES.length, quarantined: 0 },
    bytes: SIZES.reduce((sum, size) => sum + size, 0),
    ...{ dataDir: data, keysDir: keys },
  });
  listed = await listClips();
});

demo('leaves no clip on a camera', async () => {
  const files = await filesBelow(`${data}-cameras`);
  assert.equal(
    files.filter((path) => path.endsWith('.clip')),
    [],
  );
});

demo('lists each clip in the words of the contract', async () => {
  assert.is(listed.length, SIZES.length);
  for (const clip of listed) {
    assert.equal(Object.keys(clip), [
      ...['id', 'camera', 'counter', 'capturedAt', 'sizeBytes', 'sha256', 'segments', 'state'],
      ...['dueAt', 'held'],
    ]);
    const { id, sha256, sizeBytes, segments } = clip;
    assert.match(id, /^[0-9a-f]{32}$/);
    assert.is(originals.get(sha256)?.length, sizeBytes);
    const count = Math.max(1, Math.ceil(sizeBytes / SEGMENT_BYTES));
    const names = Array.from({ length: count }, (_, index) => `vault/${id}/000${index}.age`);
    assert.equal(segments, names);
    const { state, held, camera, capturedAt, dueAt } = clip as unknown as Record<string, unknown>;
    assert.is(state, 'released');
    assert.is(held, false);
    assert.match(String(camera), /^CAM-000[1-4]$/);
    for (const time of [capturedAt, dueAt]) {
      assert.is(new Date(String(time)).toISOString(), time);
    }
  }
  assert.is(new Set(listed.map(({ id }) => id)).size, SIZES.length);
  assert.is(new Set(listed.map(({ sha256 }) => sha256)).size, SIZES.length);
});

demo('`docket open` gives the bytes of every clip', async () => {
  for (const { id, sha256 } of listed) {
    const out = join(folder, `${id}.out`);
    const identity = join(keys, 'evidence.identity.txt');
    const ended = await docket('open', id, '--data', data, '--identity', identity, '--out', out);
    assert.is(ended.code, 0, ended.stderr);
    assert.ok((await readFile(out)).equals(originals.get(sha256) ?? Buffer.from('none')));
    await rm(out);
  }
});

for (const role of ['evidence', 'escrow']) {
  demo(`another implementation of age opens every clip with the ${role} identity`, async () => {
    const identity = await readIdentity(join(keys, `${role}.identity.txt`));
    const vault = await readVault(data);
    assert.is(vault.length, SIZES.length);
    for (const clip of vault) {
      const opened = await openWithAge(clip, identity);
      assert.ok(opened.equals(originals.get(clip.sha256) ?? Buffer.from('none')));
    }
  });
}

function samplesOf(bytes: Uint8Array, name: string): Sought[] {
  const last = bytes.length - SAMPLE_BYTES;
  if (last < 0) return [];
  const offsets = Array.from({ length: SAMPLES_A_CLIP }, (_, index) => {
    return Math.floor((last * index) / (SAMPLES_A_CLIP - 1));
  });
  return [...new Set(offsets)].map((offset) => ({
    name: `${name} at ${offset}`,
    bytes: bytes.subarray(offset, offset + SAMPLE_BYTES),
  }));
}

/** Every file key in the vault, in each form in which it could lie about. */
async function fileKeys(): Promise<Sought[]> {
  const [identity] = parseIdentityFile(await readFile(join(keys, 'escrow.identity.txt'), 'utf8'));
  assert.ok(identity);
  const sealed = (await filesBelow(join(data, 'vault'))).filter((path) => path.endsWith('.age'));
  const sought: Sought[] = [];
  for (const path of sealed) {
    const header = parseAgeHeader((await readFile(path)).subarray(0, 4096));
    const key = identity && unwrapFileKey(header.stanzas, identity);
    assert.ok(key && verifyAgeHeaderMac(header, key, NODE_KEY_SCHEDULE), path);
    const bytes = Buffer.from(key ?? []);
    sought.push({ name: 'a file key', bytes });
    for (const form of ['hex', 'base64'] as const) {
      const text = bytes.toString(form).replace(/=+$/, '');
      sought.push({ name: `a file key in ${form}`, bytes: Buffer.from(text) });
    }
  }
  assert.is(sealed.length, listed.flatMap(({ segments }) => segments).length + listed.length);
  return sought;
}

async function secrets(): Promise<Sought[]> {
  const identities = await Promise.all(
    ['evidence', 'escrow'].map((role) => readIdentity(join(keys, `${role}.identity.txt`))),
  );
  return [
    ...[...originals.values()].flatMap((bytes) => samplesOf(bytes, `clip of ${bytes.length}`)),
    ...(await fileKeys()),
    ...identities.map((text) => ({ name: 'an identity', bytes: Buffer.from(text) })),
    { name: 'the name of a clip', bytes: Buffer.from('high-street-') },
  ];
}

demo("nothing in the dock's data can be read: no sample of a clip, no key, no name", async () => {
  assert.equal(await findBytes(data, await secrets()), []);
});

demo('the search finds what is there to be found', async () => {
  const planted = join(data, 'planted');
  const sought = await secrets();
  for (const index of [0, Math.floor(sought.length / 2), sought.length - 1]) {
    const one = sought[index];
    assert.ok(one);
    await writeFile(planted, randomBytes(1_000_003));
    if (one !== undefined) await appendFile(planted, one.bytes);
    assert.equal(await findBytes(data, sought), [`planted has ${one?.name}`]);
  }
  await rm(planted);
});

demo('a second run with the same folders records anew, and keeps what is there', async () => {
  const few = join(folder, 'few');
  await mkdir(few);
  for (const name of ['a.mp4', 'b.mp4']) await writeFile(join(few, name), randomBytes(40_000));
  const summary = await runDemo(few);
  assert.is(summary.released, 2);
  assert.equal(await runDemo(few).then(({ clips, released }) => [clips, released]), [2, 2]);
  const now = await listClips();
  assert.is(now.length, SIZES.length + 4);
  assert.equal(
    now.slice(0, SIZES.length).map(({ id }) => id),
    listed.map(({ id }) => id),
  );
});

demo('keys inside the data are refused, and none are made', async () => {
  for (const name of ['X', 'X/keys', 'X/a/../keys', 'X/..keys']) {
    const inside = `${folder}/${name}`;
    const args = ['demo', '--once', '--data', join(folder, 'X'), '--keys', inside];
    const ended = await docket(...args);
    assert.is(ended.code, 1);
    assert.match(ended.stderr, /ARGUMENT_INVALID/);
    assert.is(existsSync(join(folder, 'X')), false);
  }
});

demo.run();

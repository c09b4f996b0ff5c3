import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createSigner, loadOrCreateSigner } from '../../../src/adapters/fs/key-files.ts';
import { NaclSigner, sha256, verifyEd25519 } from '../../../src/adapters/nacl/ed25519.ts';
import { NodeRandom } from '../../../src/adapters/node/node-random.ts';
import { parseVerifierKey } from '../../../src/core/custody/note.ts';
import { type ErrorCode, isDockError } from '../../../src/core/errors.ts';

const keys = suite('key files');
const NAME = 'site/dock/log';
const random = new NodeRandom();
const makeSigner = (name: string, seed: Uint8Array) => new NaclSigner(name, seed);
const deps = { random, sha256, makeSigner };

function promise(name: string, body: (folder: string) => Promise<void>): void {
  keys(name, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'docket-keys-'));
    try {
      await body(join(folder, 'keys'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

const load = (folder: string, name = NAME) =>
  loadOrCreateSigner({ folder, file: 'log', name }, deps);

async function rejectsWith(code: ErrorCode, work: Promise<unknown>, word: string): Promise<void> {
  const outcome = await work.then(
    () => new Error('it was not refused'),
    (error: unknown) => error,
  );
  assert.ok(isDockError(outcome, code), String(outcome));
  assert.ok(String(outcome).includes(word), String(outcome));
}

promise('makes a key once, for its owner alone, and loads it ever after', async (folder) => {
  const made = await load(folder);
  assert.is(statSync(join(folder, 'log.key')).mode & 0o777, 0o600);
  const text = readFileSync(join(folder, 'log.key'), 'utf8');
  const loaded = await load(folder);
  assert.equal(loaded.publicKey, made.publicKey);
  assert.is(readFileSync(join(folder, 'log.key'), 'utf8'), text);
  const message = new Uint8Array([1, 2, 3]);
  assert.ok(verifyEd25519(made.publicKey, message, loaded.sign(message)));
});

promise('writes the public half as a verifier reads it', async (folder) => {
  const { publicKey } = await load(folder);
  const key = parseVerifierKey(readFileSync(join(folder, 'log.pub'), 'utf8').trim(), sha256);
  assert.is(key.name, NAME);
  assert.equal(key.publicKey, publicKey);
});

promise('never replaces a key', async (folder) => {
  await load(folder);
  const place = { folder, file: 'log', name: NAME };
  await rejectsWith('VAULT_EXISTS', createSigner(place, deps), 'log.key');
});

promise('makes the public half again when power went before it was written', async (folder) => {
  const made = await load(folder);
  rmSync(join(folder, 'log.pub'));
  assert.equal((await load(folder)).publicKey, made.publicKey);
  assert.ok(existsSync(join(folder, 'log.pub')));
});

promise('makes no new key where one was lost', async (folder) => {
  await load(folder);
  rmSync(join(folder, 'log.key'));
  await rejectsWith('KEY_INVALID', load(folder), 'is gone');
  assert.not(existsSync(join(folder, 'log.key')));
});

promise('refuses a key that others can read', async (folder) => {
  await load(folder);
  chmodSync(join(folder, 'log.key'), 0o644);
  await rejectsWith('KEY_INVALID', load(folder), 'read by others');
});

promise('refuses the key of another dock', async (folder) => {
  await load(folder);
  await rejectsWith('KEY_INVALID', load(folder, 'site/other/log'), NAME);
});

promise(
  'refuses a key with a flipped letter, an empty one and one that is no file',
  async (folder) => {
    await load(folder);
    const path = join(folder, 'log.key');
    const text = readFileSync(path, 'utf8');
    const at = text.length - 12;
    writeFileSync(path, `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`);
    await rejectsWith('KEY_INVALID', load(folder), 'log.key is damaged');
    writeFileSync(path, '');
    await rejectsWith('KEY_INVALID', load(folder), 'PRIVATE+KEY');
    rmSync(path);
    mkdirSync(path, { mode: 0o700 });
    await rejectsWith('KEY_INVALID', load(folder), 'cannot be read');
  },
);

keys.run();

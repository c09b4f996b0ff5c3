/** Wycheproof's cases, put to the functions that the dock itself opens and verifies with. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import nacl from 'tweetnacl';
import { isLowOrder } from '../../src/adapters/nacl/age-keys.ts';
import { NODE_KEY_SCHEDULE, unwrapFileKey } from '../../src/adapters/nacl/age-x25519.ts';
import { verifyEd25519 } from '../../src/adapters/nacl/ed25519.ts';
import { importPoint, importSecret } from '../../src/adapters/nacl/x25519.ts';
import { loadNative } from '../../src/adapters/native/loader.ts';
import { formatBase64 } from '../../src/core/bytes.ts';
import { isDockError } from '../../src/core/errors.ts';
import { wrapFileKey } from './age-reference.ts';
import type { Tally } from './merkle.ts';

type Text = Readonly<Record<string, string>>;

interface Case {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  /** `acceptable`: may be refused; whoever accepts it must get the stated result. */
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

interface Group {
  readonly publicKey?: Text;
  readonly tests: readonly (Case & Text)[];
}

/** True when the case ends as it must. */
type Check = (it: Case & Text, group: Group) => boolean;

const native = loadNative();
const AEAD = 'chacha20-poly1305';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const FILE_KEY = new Uint8Array(16).fill(0x42);
const WRAP_INFO = 'age-encryption.org/v1/X25519';

function bytesOf(it: Text, field: string): Uint8Array {
  const text = it[field];
  if (text === undefined) throw new Error(`a case without ${field}`);
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Undefined when it throws. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    // That it was refused is the outcome.
    return undefined;
  }
}

function refusesWith(code: 'RECIPIENT_INVALID' | 'OPEN_FAILED', work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch (error) {
    return isDockError(error, code);
  }
}

/** age: a nonce of another size than 12 bytes never reaches the cipher. */
function sealAead(it: Text): Uint8Array | undefined {
  const nonce = bytesOf(it, 'iv');
  if (nonce.length !== NONCE_BYTES) return undefined;
  const options = { authTagLength: TAG_BYTES };
  const cipher = createCipheriv(AEAD, bytesOf(it, 'key'), nonce, options);
  const plain = bytesOf(it, 'msg');
  cipher.setAAD(bytesOf(it, 'aad'), { plaintextLength: plain.length });
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function openAead(it: Text): Uint8Array | undefined {
  const nonce = bytesOf(it, 'iv');
  if (nonce.length !== NONCE_BYTES) return undefined;
  return attempt(() => {
    const options = { authTagLength: TAG_BYTES };
    const decipher = createDecipheriv(AEAD, bytesOf(it, 'key'), nonce, options);
    const sealed = bytesOf(it, 'ct');
    decipher.setAAD(bytesOf(it, 'aad'), { plaintextLength: sealed.length });
    decipher.setAuthTag(bytesOf(it, 'tag'));
    return Buffer.concat([decipher.update(sealed), decipher.final()]);
  });
}

const checkAead: Check = (it) => {
  const opened = openAead(it);
  if (it.result === 'invalid') return opened === undefined;
  const sealed = sealAead(it);
  const expected = Buffer.concat([bytesOf(it, 'ct'), bytesOf(it, 'tag')]);
  return (
    opened !== undefined &&
    sealed !== undefined &&
    isEqual(opened, bytesOf(it, 'msg')) &&
    isEqual(sealed, expected)
  );
};

/** What an X25519 stanza must hold for this shared secret, by node:crypto alone. */
function expectedBody(shared: Uint8Array, salt: Uint8Array): Uint8Array {
  const key = new Uint8Array(hkdfSync('sha256', shared, salt, WRAP_INFO, KEY_BYTES));
  const options = { authTagLength: TAG_BYTES };
  const cipher = createCipheriv(AEAD, key, new Uint8Array(NONCE_BYTES), options);
  return Buffer.concat([cipher.update(FILE_KEY), cipher.final(), cipher.getAuthTag()]);
}

/** The case's point as a recipient that is wrapped to, and as a share that is unwrapped. */
const checkX25519: Check = (it) => {
  const point = bytesOf(it, 'public');
  const secret = bytesOf(it, 'private');
  const shared = bytesOf(it, 'shared');
  const own = nacl.scalarMult.base(secret);
  const keys = { ephemeral: importSecret(secret), recipient: importPoint(point) };
  const seal = () => native.sealHeader(point);
  const args = [formatBase64(point, false)];
  const body = expectedBody(shared, Buffer.concat([point, own]));
  const unwrap = () => unwrapFileKey([{ type: 'X25519', args, body }], secret);
  if (it.flags.includes('ZeroSharedSecret')) {
    const isRefused = attempt(seal) === undefined && refusesWith('OPEN_FAILED', unwrap);
    return isRefused && isLowOrder(point);
  }
  const opened = unwrap();
  return (
    !isLowOrder(point) &&
    attempt(seal) !== undefined &&
    isEqual(wrapFileKey(FILE_KEY, keys).body, expectedBody(shared, Buffer.concat([own, point]))) &&
    opened !== undefined &&
    isEqual(opened, FILE_KEY)
  );
};

const checkEd25519: Check = (it, { publicKey = {} }) =>
  verifyEd25519(bytesOf(publicKey, 'pk'), bytesOf(it, 'msg'), bytesOf(it, 'sig')) ===
  (it.result === 'valid');

/** The key schedule takes 32 bytes, which are the first of any longer output; the rest is asked of the same primitive. */
const checkHkdf: Check = (it) => {
  const [ikm, salt, info] = [bytesOf(it, 'ikm'), bytesOf(it, 'salt'), bytesOf(it, 'info')];
  const sizeBytes = Number(it.size);
  const whole = attempt(() => new Uint8Array(hkdfSync('sha256', ikm, salt, info, sizeBytes)));
  if (it.result === 'invalid') return whole === undefined;
  // age's infos are texts; these are bytes, which the same call takes as they are.
  const key = NODE_KEY_SCHEDULE.hkdfSha256(ikm, salt, info as unknown as string);
  const expected = bytesOf(it, 'okm');
  return (
    whole !== undefined &&
    isEqual(whole, expected) &&
    isEqual(key.subarray(0, expected.length), expected.subarray(0, KEY_BYTES))
  );
};

const checkHmac: Check = (it) => {
  const tag = bytesOf(it, 'tag');
  const [key, message] = [bytesOf(it, 'key'), bytesOf(it, 'msg')];
  const mac = NODE_KEY_SCHEDULE.hmacSha256(key, message);
  const isSame = isEqual(mac.subarray(0, tag.length), tag);
  const reference = createHmac('sha256', key).update(message).digest();
  return isEqual(mac, reference) && isSame === (it.result === 'valid');
};

const FILES: Readonly<Record<string, Check>> = {
  'chacha20_poly1305_test.json': checkAead,
  'x25519_test.json': checkX25519,
  'ed25519_test.json': checkEd25519,
  'hkdf_sha256_test.json': checkHkdf,
  'hmac_sha256_test.json': checkHmac,
};

/** Every case of the five files in the folder; a file that is missing, or holds other than it says, is a failure. */
export function runWycheproof(folder: string): Tally {
  let passed = 0;
  const failed: string[] = [];
  for (const [name, check] of Object.entries(FILES)) {
    const { numberOfTests, testGroups } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
      readonly numberOfTests: number;
      readonly testGroups: readonly Group[];
    };
    let count = 0;
    for (const group of testGroups) {
      for (const it of group.tests) {
        count += 1;
        if (attempt(() => check(it, group)) === true) passed += 1;
        else failed.push(`${name}: case ${it.tcId} (${it.result}) ${it.comment}`);
      }
    }
    if (count !== numberOfTests) failed.push(`${name}: ${count} cases of ${numberOfTests}`);
  }
  return { passed, failed };
}

import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import path from 'node:path';
import { inflateSync } from 'node:zlib';
import * as vectors from 'cctv-age';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ageHeaderOpener } from '../../src/adapters/nacl/age-file.ts';
import { parseIdentity } from '../../src/adapters/nacl/age-keys.ts';
import { NativeOpener } from '../../src/adapters/native/native-opener.ts';
import { isDockError } from '../../src/core/errors.ts';
import { makeKit, random } from './kit.ts';

type Expectation =
  | 'success'
  | 'header failure'
  | 'HMAC failure'
  | 'payload failure'
  | 'no match'
  | 'armor failure';

interface Vector {
  readonly name: string;
  readonly expect: Expectation;
  readonly payload: string | undefined;
  readonly identities: readonly string[];
  readonly isSupported: boolean;
  readonly file: Uint8Array;
}

interface Outcome {
  readonly result: Expectation | string;
  /** SHA-256 of all that was released. */
  readonly released: string;
}

const REASONS: readonly (readonly [string, Expectation])[] = [
  ['age header refused', 'header failure'],
  ['age header MAC', 'HMAC failure'],
  ['not sealed to this identity', 'no match'],
  ['age payload refused', 'payload failure'],
];

function parseVector(name: string, bytes: Uint8Array): Vector {
  const buffer = Buffer.from(bytes);
  const end = buffer.indexOf('\n\n');
  const lines = buffer.subarray(0, end).toString('utf8').split('\n');
  const valuesOf = (key: string) =>
    lines.filter((line) => line.startsWith(`${key}: `)).map((line) => line.slice(key.length + 2));
  const identities = valuesOf('identity');
  const body = buffer.subarray(end + 2);
  const isPlainX25519 =
    valuesOf('passphrase').length === 0 &&
    valuesOf('armored').length === 0 &&
    identities.every((identity) => identity.startsWith('AGE-SECRET-KEY-1'));
  return {
    name,
    expect: valuesOf('expect')[0] as Expectation,
    payload: valuesOf('payload')[0],
    identities,
    isSupported: isPlainX25519,
    file: new Uint8Array(valuesOf('compressed').length > 0 ? inflateSync(body) : body),
  };
}

const kit = makeKit();

function identitiesOf(vector: Vector): readonly Uint8Array[] {
  const known = vector.identities.filter((text) => /^AGE-SECRET-KEY-1[0-9A-Z]+$/.test(text));
  return known.length > 0 ? known.map(parseIdentity) : [kit.evidence.identity];
}

async function open(vector: Vector): Promise<Outcome> {
  const input = path.join(kit.folder, `in-${random.bytes(6).join('')}`);
  const output = `${input}.out`;
  fs.writeFileSync(input, vector.file);
  const fdIn = fs.openSync(input, 'r');
  const fdOut = fs.openSync(output, 'wx');
  const openHeader = ageHeaderOpener(identitiesOf(vector));
  const opening = new NativeOpener({ native: kit.native, openHeader }).begin();
  let result = 'success';
  try {
    await opening.openSegment({ fdIn, fdOut });
  } catch (error) {
    if (!isDockError(error, 'OPEN_FAILED')) throw error;
    const { message } = error;
    result = REASONS.find(([text]) => message.includes(text))?.[1] ?? message;
  }
  fs.closeSync(fdIn);
  fs.closeSync(fdOut);
  const released = createHash('sha256')
    .update(new Uint8Array(fs.readFileSync(output)))
    .digest('hex');
  return { result, released };
}

const NOTHING = createHash('sha256').digest('hex');
const all = Object.entries(vectors).map(([name, bytes]) => parseVector(name, bytes as Uint8Array));
const age = suite('age vectors');

age('are the 143 of which 67 are X25519, header and STREAM', () => {
  assert.is(all.length, 143);
  assert.is(all.filter((vector) => vector.isSupported).length, 67);
});

for (const vector of all.filter((each) => each.isSupported)) {
  age(`${vector.name} ends in ${vector.expect} with exactly the plaintext it states`, async () => {
    const outcome = await open(vector);
    assert.is(outcome.result, vector.expect);
    assert.is(outcome.released, vector.payload ?? NOTHING);
  });
}

for (const vector of all.filter((each) => !each.isSupported)) {
  age(`${vector.name} is not supported and fails closed`, async () => {
    const outcome = await open(vector);
    assert.is.not(outcome.result, 'success');
    assert.is(outcome.released, NOTHING);
  });
}

age.after(() => kit.remove());
age.run();

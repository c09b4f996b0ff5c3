import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NaclSigner, sha256, verifyEd25519 } from '../../../src/adapters/nacl/ed25519.ts';
import { formatHex, parseHex, utf8 } from '../../../src/core/bytes.ts';
import { isDockError } from '../../../src/core/errors.ts';
import { FakeRandom } from '../../fakes/fake-random.ts';

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const ed25519 = suite('ed25519');
const random = new FakeRandom(9);
const signer = new NaclSigner('north/dock-1/log', random.bytes(32));

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

ed25519('signs as RFC 8032 test 2 says', () => {
  const seed = parseHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', 32);
  const rfc = new NaclSigner('rfc', seed ?? new Uint8Array(0));
  const expected =
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
    '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';
  assert.is(
    formatHex(rfc.publicKey),
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  );
  assert.is(formatHex(rfc.sign(Uint8Array.of(0x72))), expected);
});

ed25519('verifies what it signed and nothing that was altered', () => {
  const message = utf8('a message');
  const signature = signer.sign(message);
  assert.ok(verifyEd25519(signer.publicKey, message, signature));
  for (let at = 0; at < 64; at += 7) {
    const bad = signature.slice();
    bad[at] = (bad[at] ?? 0) ^ 1;
    assert.not(verifyEd25519(signer.publicKey, message, bad));
  }
  assert.not(verifyEd25519(signer.publicKey, utf8('another'), signature));
  assert.not(verifyEd25519(random.bytes(32), message, signature));
});

ed25519('refuses another spelling of a good signature', () => {
  const message = utf8('malleable');
  const signature = signer.sign(message);
  const larger = littleEndian(signature.subarray(32)) + ORDER;
  const malleated = signature.map((byte, index) =>
    index < 32 ? byte : Number((larger >> BigInt(8 * (index - 32))) & 0xffn),
  );
  assert.not(verifyEd25519(signer.publicKey, message, malleated));
});

ed25519('says no to keys and signatures of a wrong size instead of throwing', () => {
  const signature = signer.sign(utf8('x'));
  assert.not(verifyEd25519(new Uint8Array(31), utf8('x'), signature));
  assert.not(verifyEd25519(signer.publicKey, utf8('x'), signature.subarray(1)));
  assert.not(verifyEd25519(new Uint8Array(32).fill(255), utf8('x'), signature));
});

ed25519('refuses a seed of a wrong size', () => {
  assert.throws(
    () => new NaclSigner('x', new Uint8Array(31)),
    (error: unknown) => isDockError(error, 'KEY_INVALID'),
  );
});

ed25519('hashes with SHA-256', () => {
  const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  assert.is(formatHex(sha256(utf8('abc'))), expected);
});

ed25519.run();

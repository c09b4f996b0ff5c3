import { createHash, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MerkleTree } from '../../src/core/custody/merkle.ts';
import { countStanzas } from '../../src/verifier/formats/manifest.ts';
import { parseSignedText } from '../../src/verifier/formats/notes.ts';
import { parsePolicy } from '../../src/verifier/formats/policy.ts';
import { parseBase64Bytes, parseCount, parseTime } from '../../src/verifier/formats/text.ts';
import { rootByInclusion, Tree } from '../../src/verifier/formats/tree.ts';
import { nodeCrypto } from '../../src/verifier/node.ts';
import { ownCrypto } from '../../src/verifier/page/ed25519.ts';
import { Malformed } from '../../src/verifier/report.ts';
import { sha256 } from '../core/custody/keys.ts';
import { numbersFrom, policyOf, vkeyOf, WITNESS, WITNESS_VKEY } from './kit.ts';
import { LOG_VKEY } from './logs.ts';

const formats = suite('docket-verify: formats');
const random = numbersFrom(11);

function refuses(act: () => unknown): boolean {
  try {
    act();
    return false;
  } catch (error) {
    if (error instanceof Malformed) return true;
    throw error;
  }
}

formats('its own SHA-256 is that of Node, whatever the pieces', () => {
  for (let size = 0; size < 400; size += 1 + random(5)) {
    const bytes = randomBytes(size);
    const digest = ownCrypto.newSha256();
    for (let at = 0; at < size; ) {
      const next = at + 1 + random(90);
      digest.update(bytes.subarray(at, next));
      at = next;
    }
    const expected = createHash('sha256').update(bytes).digest();
    assert.ok(expected.equals(digest.digest()), `${size} bytes`);
  }
});

formats('its own Ed25519 accepts what Node accepts, and nothing else', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(12);
  for (let turn = 0; turn < 12; turn++) {
    const message = randomBytes(turn * 19);
    const signature = sign(null, message, privateKey);
    assert.ok(ownCrypto.verifyEd25519(raw, message, signature));
    const spoiled = Uint8Array.from(signature);
    spoiled[random(64)] = (spoiled[random(64)] ?? 0) ^ (1 << random(8));
    const holds = verify(null, message, publicKey, spoiled);
    assert.is(ownCrypto.verifyEd25519(raw, message, spoiled), holds);
    assert.not.ok(ownCrypto.verifyEd25519(raw, Buffer.concat([message, Buffer.of(1)]), signature));
  }
});

formats(
  'both kinds of Ed25519 refuse a signature in another spelling, and what is no point',
  () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(12);
    const message = Buffer.from('a checkpoint\n');
    const signature = sign(null, message, privateKey);
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order;
    const other = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse();
    const malleated = Buffer.concat([signature.subarray(0, 32), other]);
    const noPoint = Buffer.alloc(32, 0xff);
    for (const crypto of [ownCrypto, nodeCrypto]) {
      assert.ok(crypto.verifyEd25519(raw, message, signature));
      assert.not.ok(crypto.verifyEd25519(raw, message, malleated));
      assert.not.ok(crypto.verifyEd25519(noPoint, message, signature));
      assert.not.ok(crypto.verifyEd25519(raw, message, signature.subarray(1)));
      assert.not.ok(crypto.verifyEd25519(raw.subarray(1), message, signature));
    }
  },
);

formats('roots and proofs are those of the dock, for every size up to 70', () => {
  const mine = new Tree(nodeCrypto);
  const dock = new MerkleTree(sha256);
  for (let size = 0; size < 70; size++) {
    assert.equal(mine.rootOf(size), dock.root(size));
    const leafHash = randomBytes(32);
    mine.append(leafHash);
    dock.appendHash(leafHash);
  }
  for (let size = 1; size <= 70; size++) {
    const root = dock.root(size);
    for (let index = 0; index < size; index++) {
      const claim = { leafHash: dock.subtree(0, index), index, size };
      const proof = dock.inclusionProof(index, size);
      assert.equal(rootByInclusion({ ...claim, proof }, nodeCrypto), root);
      const longer = [...proof, randomBytes(32)];
      assert.is(rootByInclusion({ ...claim, proof: longer }, nodeCrypto), undefined);
      if (proof.length === 0) continue;
      const shorter = proof.slice(1);
      assert.is(rootByInclusion({ ...claim, proof: shorter }, nodeCrypto), undefined);
    }
  }
});

formats('numbers, times and base64 have one spelling', () => {
  for (const text of ['', '01', '+1', '-1', '1e3', ' 1', '9007199254740992']) {
    assert.is(parseCount(text), undefined, text);
  }
  assert.is(parseCount('9007199254740991'), 2 ** 53 - 1);
  for (const text of ['2026-02-30T00:00:00.000Z', '2026-01-01', '2026-01-01T00:00:00Z']) {
    assert.is(parseTime(text), undefined, text);
  }
  for (const text of ['QQ', 'QR==', 'QQ=', 'Q', 'QQ==\n', '=']) {
    assert.is(parseBase64Bytes(text, '='), undefined, text);
  }
  assert.is(parseBase64Bytes('QR', ''), undefined);
  assert.equal(parseBase64Bytes('QQ', ''), Uint8Array.of(0x41));
});

formats('a note that is not exactly a note is refused', () => {
  const good = `text\n\n\u2014 name ${Buffer.alloc(68).toString('base64')}\n`;
  assert.is(parseSignedText(Buffer.from(good)).signatures.length, 1);
  const bad = [
    good.slice(0, -1),
    `${good}\n`,
    good.replace('\u2014', '-'),
    good.replace('text', 'te\u0007xt'),
    good.replace(' name', ' na+me'),
    good.replace('\n\n', '\n'),
    'text\n\n',
    `${good}${`${good.split('\n')[2]}\n`.repeat(16)}`,
  ];
  for (const text of bad)
    assert.ok(
      refuses(() => parseSignedText(Buffer.from(text))),
      text,
    );
  assert.ok(refuses(() => parseSignedText(Buffer.from([0xff, 10, 10]))));
});

formats('the header of an age file is counted, or refused', () => {
  const stanza = `-> X25519 abc\n${'A'.repeat(43)}\n`;
  const mac = `--- ${'A'.repeat(43)}\n`;
  const count = (text: string) => countStanzas(Buffer.from(text));
  const version = 'age-encryption.org/v1\n';
  assert.is(count(`${version}${stanza}${stanza}${mac}payload`), 2);
  const bad = ['', version, `${stanza}${mac}`, `age/v2\n${stanza}${mac}`, `${version}${stanza}`];
  for (const text of [...bad, `${version}${stanza}x\n${mac}`, `${version}${stanza}--- A\n`]) {
    assert.ok(
      refuses(() => count(text)),
      text,
    );
  }
});

formats('a policy says whom it believes, and how many', () => {
  const other = vkeyOf(
    'w/two',
    4,
    WITNESS.publicKey.map((byte) => byte ^ 1),
  );
  const [first, second] = policyOf(
    `log ${LOG_VKEY}`,
    `witness ${WITNESS_VKEY}`,
    `witness ${other}`,
    'quorum 2',
  ).witnesses;
  const cosigners = [first, second].filter((key) => key !== undefined);
  const cases: readonly (readonly [lines: string[], needed: readonly boolean[]])[] = [
    [['quorum none'], [true, true, true]],
    [['quorum 1'], [false, true, true]],
    [['quorum 2'], [false, false, true]],
    [['quorum w/two'], [false, false, true]],
    [
      ['group both all w/two council/witness', 'quorum both'],
      [false, false, true],
    ],
    [
      ['group one any w/two council/witness', 'quorum one'],
      [false, true, true],
    ],
    [
      ['group one 1 w/two council/witness', 'quorum one'],
      [false, true, true],
    ],
  ];
  for (const [lines, needed] of cases) {
    const policy = policyOf(
      '# a comment',
      `log ${LOG_VKEY}`,
      `witness ${WITNESS_VKEY}`,
      `\twitness  ${other}`,
      ...lines,
    );
    for (const [count, isEnough] of needed.entries()) {
      assert.is(policy.isQuorum(cosigners.slice(0, count)), isEnough, `${lines} of ${count}`);
    }
  }
});

formats('the same witness under two names counts once', () => {
  const twice = vkeyOf('w/again', 4, WITNESS.publicKey);
  const policy = policyOf(
    `log ${LOG_VKEY}`,
    `witness ${WITNESS_VKEY}`,
    `witness ${twice}`,
    'quorum 2',
  );
  assert.not.ok(policy.isQuorum(policy.witnesses));
});

formats('a policy that could mean something else is refused', () => {
  const bad = [
    [],
    ['quorum none'],
    [`log ${LOG_VKEY}`],
    [`log ${LOG_VKEY}`, 'quorum none', 'quorum none'],
    [`log ${LOG_VKEY}`, 'quorum somebody'],
    [`log ${LOG_VKEY}`, 'quorum'],
    [`log ${WITNESS_VKEY}`, 'quorum none'],
    [`log ${LOG_VKEY.slice(0, -4)}AAA=`, 'quorum none'],
    [`log ${LOG_VKEY}`, `witness a ${WITNESS_VKEY}`, 'group g 2 a', 'quorum g'],
    [`log ${LOG_VKEY}`, `witness none ${WITNESS_VKEY}`, 'quorum none'],
    [`log ${LOG_VKEY}`, 'trust everybody', 'quorum none'],
  ];
  for (const lines of bad) {
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    assert.ok(
      refuses(() => parsePolicy(bytes, nodeCrypto)),
      lines.join(', '),
    );
  }
});

formats.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatBase64 } from '../../../src/core/bytes.ts';
import { isDockError } from '../../../src/core/errors.ts';
import { rootWith } from '../../../src/core/witness/frontier.ts';
import {
  parseAnswer,
  parseRequest,
  requestBody,
  WITNESS_MESSAGE_BYTES_MAX,
} from '../../../src/core/witness/messages.ts';
import { sha256 } from '../custody/keys.ts';
import { leafOf, seeded, signed, treeOf } from './kit.ts';

const messages = suite('witness messages');
const encode = (value: unknown) =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const HASH = formatBase64(sha256(new Uint8Array(1)), true);
const TREE = treeOf(9);
const REQUEST = {
  note: signed(TREE),
  seq: 4,
  oldSize: 5,
  proof: TREE.consistencyProof(5),
  entries: { from: 5, leaves: [leafOf('main', 5)], proof: TREE.consistencyProof(6) },
};

messages('a request comes back as it was sent', () => {
  assert.equal(parseRequest(encode(requestBody(REQUEST))), REQUEST);
  const without = { ...REQUEST, entries: undefined };
  assert.equal(parseRequest(encode(requestBody(without))), without);
});

messages('a body with a note alone is no request', () => {
  assert.is(parseRequest(encode({ note: REQUEST.note })), undefined);
});

const HOSTILE: readonly unknown[] = [
  ...['', '[', '[]', '1', 'null', '"x"', '{"old":', '\uffff'],
  { old: 0 },
  { ...requestBody(REQUEST), old: -1 },
  { ...requestBody(REQUEST), old: 1.5 },
  { ...requestBody(REQUEST), old: 2 ** 53 },
  { ...requestBody(REQUEST), old: '5' },
  { ...requestBody(REQUEST), seq: null },
  { ...requestBody(REQUEST), note: 5 },
  { ...requestBody(REQUEST), proof: 'x' },
  { ...requestBody(REQUEST), proof: [HASH.slice(4)] },
  { ...requestBody(REQUEST), proof: Array(65).fill(HASH) },
  { ...requestBody(REQUEST), entries: [] },
  { ...requestBody(REQUEST), entries: { from: 5, leaves: [7], proof: [] } },
  { ...requestBody(REQUEST), entries: { from: 5, leaves: Array(4_097).fill(''), proof: [] } },
  'x'.repeat(WITNESS_MESSAGE_BYTES_MAX + 1),
];

messages('what is no request is refused as such, and nothing else is thrown', () => {
  for (const body of HOSTILE) {
    try {
      parseRequest(encode(body));
      assert.unreachable(JSON.stringify(body).slice(0, 80));
    } catch (error) {
      assert.ok(isDockError(error, 'NOTE_INVALID'), `${error}`);
    }
  }
  assert.throws(() => parseRequest(Uint8Array.of(0xff, 0xfe)));
});

messages('20,000 damaged messages are read or refused, and nothing else is thrown', () => {
  const random = seeded(3);
  const whole = encode(requestBody(REQUEST));
  for (let turn = 0; turn < 20_000; turn++) {
    const damaged = whole.slice(
      0,
      random() < 0.2 ? Math.floor(random() * whole.length) : undefined,
    );
    const at = Math.floor(random() * damaged.length);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    for (const parse of [parseRequest, parseAnswer]) {
      try {
        parse(damaged);
      } catch (error) {
        assert.ok(isDockError(error, 'NOTE_INVALID'), `${error}`);
      }
    }
  }
});

messages('the root with entries that are not added yet is the root that they give', () => {
  for (let size = 0; size < 40; size++) {
    for (let added = 0; added < 20; added++) {
      const leaves = Array.from({ length: added }, (_, n) => leafOf('main', size + n));
      const root = rootWith(treeOf(size), leaves, sha256);
      assert.equal(root, treeOf(size + added).root(), `${size} and ${added}`);
    }
  }
});

messages.run();

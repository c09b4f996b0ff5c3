import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { emptyRoot } from '../../../src/core/custody/merkle.ts';
import { type AddCheckpoint, decideAddCheckpoint } from '../../../src/core/witness/rules.ts';
import { sha256, testCrypto } from '../custody/keys.ts';
import { LOG, OTHER_LOG, signed, signedAs, treeOf, witnessed } from './kit.ts';

const rules = suite('witness rules');
const MAIN = treeOf(20);
const KNOWN = witnessed(MAIN, 12);

function decide(request: Partial<AddCheckpoint>, known = KNOWN) {
  const whole = {
    oldSize: 12,
    proof: MAIN.consistencyProof(12, 20),
    note: signed(MAIN),
    ...request,
  };
  const logOf = (origin: string) => (origin === LOG.name ? known : undefined);
  return decideAddCheckpoint(whole, logOf, testCrypto);
}

const flipped = MAIN.consistencyProof(12, 20).map((hash) => hash.map((byte) => byte ^ 1));
const NAMED = { origin: LOG.name, treeSize: 20 };
const ZERO = { oldSize: 0, proof: [] };
/** C2SP tlog-witness, `add-checkpoint`: each condition and its status. */
const TABLE: readonly [why: string, status: number, request: Partial<AddCheckpoint>][] = [
  ['a larger tree with its proof', 200, {}],
  ['the same tree again', 200, { proof: [], note: signed(MAIN, 12) }],
  ['a note that does not parse', 400, { note: 'x' }],
  ['a note that is no checkpoint', 400, { note: signed(MAIN).replace('\n20\n', '\n020\n') }],
  ['an old size above the checkpoint’s', 400, { note: signed(MAIN, 11) }],
  ['more hashes than a proof can have', 400, { proof: Array(64).fill(new Uint8Array(32)) }],
  ['the key of no log here', 404, { note: signed(MAIN, 20, OTHER_LOG) }],
  [
    'a name of a log under another key',
    403,
    { note: signedAs({ ...NAMED, root: MAIN.root() }, { ...OTHER_LOG, name: LOG.name }) },
  ],
  [
    'a text that was changed after it was signed',
    403,
    { note: signed(MAIN).replace('\n20\n', '\n21\n') },
  ],
  ['an old size below the witness’s', 409, { oldSize: 11, proof: MAIN.consistencyProof(11, 20) }],
  ['an old size above the witness’s', 409, { oldSize: 13, proof: MAIN.consistencyProof(13, 20) }],
  ['a log that begins again', 409, ZERO],
  ['a proof with a wrong hash', 422, { proof: flipped }],
  ['a proof that is too short', 422, { proof: MAIN.consistencyProof(12, 20).slice(1) }],
  [
    'a proof that is too long',
    422,
    { proof: [...MAIN.consistencyProof(12, 20), sha256(new Uint8Array(1))] },
  ],
  ['the same size with another root', 422, { proof: [], note: signed(treeOf(12, 'other')) }],
  [
    'the same size with a proof',
    422,
    { proof: [sha256(new Uint8Array(1))], note: signed(MAIN, 12) },
  ],
];

for (const [why, status, request] of TABLE) {
  rules(`answer ${status} to ${why}`, () => {
    assert.is(decide(request).status, status);
  });
}

rules('take any first checkpoint of an enrolled log, and no proof with it', () => {
  const fresh = { ...witnessed(MAIN, 0), rootAt: () => undefined };
  assert.is(decide(ZERO, fresh).status, 200);
  assert.is(decide({ oldSize: 0, proof: [sha256(new Uint8Array(1))] }, fresh).status, 422);
});

rules('take the empty tree only with the root of no entries', () => {
  const fresh = { ...witnessed(MAIN, 0), rootAt: () => undefined };
  const empty = { origin: LOG.name, treeSize: 0, root: emptyRoot(sha256) };
  assert.is(decide({ ...ZERO, note: signedAs(empty) }, fresh).status, 200);
  const wrong = signedAs({ ...empty, root: MAIN.root() });
  assert.is(decide({ ...ZERO, note: wrong }, fresh).status, 422);
});

rules('never take a tree that is smaller than or beside the cosigned one', () => {
  for (let size = 0; size <= 20; size++) {
    for (let fork = 0; fork < 12; fork++) {
      const tree = treeOf(size, 'other', fork);
      for (const oldSize of [0, 5, 12]) {
        const proof = oldSize <= size ? tree.consistencyProof(oldSize) : [];
        const { status } = decide({ oldSize, proof, note: signed(tree) });
        assert.is.not(status, 200, `size ${size}, fork ${fork}, old ${oldSize}`);
      }
    }
  }
});

rules('name a second history of the same size a proven fork', () => {
  const decision = decide({ proof: [], note: signed(treeOf(12, 'other', 11)) });
  assert.ok('finding' in decision);
  assert.equal('finding' in decision && decision.finding, {
    ...{ code: 'CUSTODY_FORK', treeSize: 12, isProven: true },
  });
});

rules('name a shorter tree of other entries a proven rollback, whatever it claims beside', () => {
  for (const oldSize of [0, 5, 9, 12]) {
    const decision = decide({ oldSize, proof: [], note: signed(treeOf(9, 'other', 8)) });
    assert.equal('finding' in decision && decision.finding, {
      ...{ code: 'CUSTODY_ROLLBACK', treeSize: 9, isProven: true },
    });
  }
});

rules('find nothing in an old checkpoint of the same history: a broker may repeat it', () => {
  for (let size = 0; size < 12; size++) {
    const decision = decide({ oldSize: 0, proof: [], note: signed(MAIN, size) });
    assert.is(decision.status, 409);
    assert.not.ok('finding' in decision && decision.finding);
  }
});

rules('doubt a larger tree that is not shown to continue the cosigned one', () => {
  const other = treeOf(20, 'other', 11);
  const decision = decide({ proof: other.consistencyProof(12), note: signed(other) });
  assert.equal('finding' in decision && decision.finding, {
    ...{ code: 'CUSTODY_FORK', treeSize: 20, isProven: false },
  });
});

rules('accuse no log for what another key has signed', () => {
  const forged = { ...OTHER_LOG, name: LOG.name };
  const decision = decide({ proof: [], note: signed(treeOf(12, 'other'), 12, forged) });
  assert.is(decision.status, 403);
  assert.not.ok('finding' in decision && decision.finding);
});

rules.run();

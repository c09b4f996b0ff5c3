import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MerkleTree } from '../../src/core/custody/merkle.ts';
import type { DockId } from '../../src/core/evidence/clip.ts';
import { type CosignatureAnswer, requestBody } from '../../src/core/witness/messages.ts';
import { verifyCosigned } from '../../src/core/witness/policy.ts';
import { testCrypto } from '../core/custody/keys.ts';
import { LOG, leafOf, OTHER_LOG, POLICY, signed, treeOf, WITNESS } from '../core/witness/kit.ts';
import { FakeCentre } from '../fakes/fake-centre.ts';

const DOCK = 'leeds/dock-1' as DockId;
const witness = suite('witness');

function newCentre(mirrors?: FakeCentre['mirrors']): FakeCentre {
  return new FakeCentre({ signer: WITNESS, logs: [LOG, OTHER_LOG] }, mirrors);
}

interface Asked {
  readonly old?: number;
  readonly from?: number;
  readonly to?: number;
  readonly branch?: string;
  readonly fork?: number;
}

function bodyOf(tree: MerkleTree, asked: Asked) {
  const { old: oldSize = 0, from = oldSize, to = tree.size, branch = 'main', fork = 0 } = asked;
  const leaves = Array.from({ length: to - from }, (_, n) =>
    leafOf(from + n < fork ? 'main' : branch, from + n),
  );
  return requestBody({
    ...{ note: signed(tree), seq: 1, oldSize },
    proof: oldSize <= tree.size ? tree.consistencyProof(oldSize) : [],
    entries: { from, leaves, proof: tree.consistencyProof(to) },
  });
}

async function ask(centre: FakeCentre, body: unknown, dock = DOCK): Promise<CosignatureAnswer> {
  centre.bus.put(dock, body);
  await centre.witness.idle();
  const said = centre.bus.said.filter(({ path }) => path === 'cosig').at(-1);
  return said?.body as unknown as CosignatureAnswer;
}

witness(
  'cosigns what it has mirrored, and what it has cosigned is on its disk by then',
  async () => {
    const centre = newCentre();
    let onDisk = 0;
    centre.bus.onSaid = () => {
      onDisk = centre.mirrors.disks.get(DOCK)?.checkpoints.length ?? 0;
    };
    const answer = await ask(centre, bodyOf(treeOf(5), {}));
    assert.is(answer.status, 200);
    assert.is(verifyCosigned(answer.note ?? '', POLICY, testCrypto).checkpoint?.treeSize, 5);
    assert.is(onDisk, 1);
    assert.is(centre.mirrors.disks.get(DOCK)?.leaves.length, 5);
  },
);

for (const fault of ['failCheckpoint', 'failAppend'] as const) {
  witness(`cosigns nothing that it could not keep: ${fault}`, async () => {
    const centre = newCentre();
    await ask(centre, bodyOf(treeOf(5), {}));
    const store = centre.mirrors.stores.get(DOCK);
    assert.ok(store);
    if (store !== undefined) store[fault] = true;
    const failed = await ask(centre, bodyOf(treeOf(9), { old: 5 }));
    assert.is(failed.status, 503);
    assert.is(failed.note, undefined);
    assert.is((await ask(centre, bodyOf(treeOf(9), { old: 5 }))).status, 200, 'later it can');
    assert.is(centre.mirrors.disks.get(DOCK)?.leaves.length, 9);
  });
}

witness('asks for the entries that it lacks, and takes them in pieces', async () => {
  const centre = newCentre();
  const tree = treeOf(10);
  assert.equal((await ask(centre, bodyOf(tree, { to: 3 }))).next, 3);
  assert.equal((await ask(centre, bodyOf(tree, { from: 7 }))).next, 3);
  assert.equal((await ask(centre, bodyOf(tree, { from: 3, to: 9 }))).next, 9);
  assert.is((await ask(centre, bodyOf(tree, { from: 9 }))).status, 200);
});

witness('mirrors no entry that is not under the signed checkpoint', async () => {
  const centre = newCentre();
  const answer = await ask(centre, { ...bodyOf(treeOf(5), { to: 3, branch: 'forged' }) });
  assert.is(answer.status, 422);
  assert.equal(centre.mirrors.disks.get(DOCK)?.leaves ?? [], []);
});

witness('tells a dock that is behind what was cosigned, with the proof of it', async () => {
  const centre = newCentre();
  const { note } = await ask(centre, bodyOf(treeOf(5), {}));
  const answer = await ask(centre, bodyOf(treeOf(9), { old: 2 }));
  assert.equal([answer.status, answer.treeSize, answer.note], [409, 5, note]);
});

witness('remembers over a restart what it cosigned', async () => {
  const before = newCentre();
  await ask(before, bodyOf(treeOf(5), {}));
  await before.witness.stop();
  const centre = newCentre(before.mirrors);
  assert.is((await ask(centre, bodyOf(treeOf(3), {}))).status, 409);
  assert.is((await ask(centre, bodyOf(treeOf(9), { old: 5 }))).status, 200);
});

witness('keeps a proven contradiction as evidence, and says so again after a restart', async () => {
  const before = newCentre();
  await ask(before, bodyOf(treeOf(9), {}));
  const forged = treeOf(6, 'forged', 4);
  await ask(before, bodyOf(forged, { branch: 'forged', fork: 4 }));
  assert.is(before.mirrors.conflicts.get(DOCK), signed(forged));
  assert.is(before.witness.findingCount, 1);
  await before.witness.stop();
  const centre = newCentre(before.mirrors);
  assert.is(
    (await ask(centre, bodyOf(treeOf(12), { old: 9 }))).status,
    200,
    'the true one goes on',
  );
  const said = centre.bus.said.find(({ path }) => path === 'witness/custody-rollback');
  assert.ok(said?.retain);
  assert.is((said?.body as { treeSize?: number } | null)?.treeSize, 6);
});

witness('takes back a doubt that the next cosignature answers', async () => {
  const centre = newCentre();
  await ask(centre, bodyOf(treeOf(5), {}));
  await ask(centre, { ...bodyOf(treeOf(9), { old: 5 }), proof: [] });
  const path = 'witness/custody-fork';
  assert.ok(centre.bus.said.some((said) => said.path === path && said.body !== null));
  assert.is((await ask(centre, bodyOf(treeOf(9), { old: 5 }))).status, 200);
  assert.is(centre.bus.said.filter((said) => said.path === path).at(-1)?.body, null);
});

witness('cosigns no log under the name of another dock', async () => {
  const centre = newCentre();
  const other = 'leeds/dock-2' as DockId;
  assert.is((await ask(centre, bodyOf(treeOf(5), {}), other)).status, 404);
  assert.is((await ask(centre, bodyOf(treeOf(5), {}), 'york/dock-1' as DockId)).status, 404);
});

witness('answers 400 to what is no request, and works on', async () => {
  const centre = newCentre();
  for (const body of ['', '{', '[]', { old: 'x' }, 'x'.repeat(70_000)]) {
    assert.is((await ask(centre, body)).status, 400);
  }
  assert.is((await ask(centre, bodyOf(treeOf(5), {}))).status, 200);
});

witness('works on the newest of many requests, one after the other', async () => {
  const centre = newCentre();
  for (let size = 1; size <= 50; size++) centre.bus.put(DOCK, bodyOf(treeOf(size), {}));
  await centre.witness.idle();
  const said = centre.bus.said.filter(({ path }) => path === 'cosig');
  assert.is(said.length, 2, 'the first and the last');
});

witness.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readCheckpointNote } from '../../src/core/custody/checkpoint.ts';
import { ed25519Key } from '../../src/core/custody/note.ts';
import { cosignatureKey } from '../../src/core/witness/cosignature.ts';
import { verifyCosigned } from '../../src/core/witness/policy.ts';
import { testCrypto, testSigner } from '../core/custody/keys.ts';
import { FakeCentre } from '../fakes/fake-centre.ts';
import { Bench, bytesOf, DOCK, KEYS, type Run, until } from './bench.ts';
import { watchedCamera } from './promise.ts';

const SIGNER = testSigner('council/witness', 9);
const WITNESS = cosignatureKey(SIGNER.name, SIGNER.publicKey);
const POLICY = {
  logs: [ed25519Key(KEYS.log.name, KEYS.log.publicKey)],
  witnesses: [WITNESS],
  quorum: 1,
};
const DAY_MS = 86_400_000;

const witnessed = suite('a dock with a witness');

interface Site {
  readonly bench: Bench;
  readonly centre: FakeCentre;
  start(): Promise<Run>;
}

function newSite(): Site {
  const bench = new Bench();
  bench.witness = WITNESS;
  const centre = new FakeCentre({ signer: SIGNER, logs: [KEYS.log] });
  return {
    bench,
    centre,
    async start() {
      const run = bench.compose();
      centre.clock.setWall(run.clock.nowMs());
      centre.join(DOCK, run.broker);
      await run.dock.start();
      return run;
    },
  };
}

function promise(name: string, test: (site: Site) => Promise<void>): void {
  witnessed(name, async () => {
    const site = newSite();
    try {
      await test(site);
    } finally {
      site.bench.dispose();
    }
  });
}

function cosignedSize(bench: Bench): number {
  const note = bench.custody.cosigned.at(-1);
  return note === undefined ? 0 : readCheckpointNote(note).treeSize;
}

const isCosigned = ({ bench }: Site) => cosignedSize(bench) === bench.custody.leaves.length;

promise('has every entry cosigned and mirrored, the last one too', async (site) => {
  const { bench, centre } = site;
  const run = await site.start();
  const clips = [1, 2, 3].map((seed) => ({ bytes: bytesOf(50_000, seed) }));
  const camera = watchedCamera(bench, clips);
  run.link.plug(1, camera);
  await until(run, () => camera.erased.length === 3);
  await until(run, () => isCosigned(site));
  await end(site, run);
  assert.is(bench.kinds.at(-1), 'dock-stopped');
  assert.ok(isCosigned(site));
  assert.equal(centre.mirrors.disks.get(DOCK)?.leaves, bench.custody.leaves);
  const note = bench.custody.cosigned.at(-1) ?? '';
  assert.is(
    verifyCosigned(note, POLICY, testCrypto).checkpoint?.treeSize,
    bench.custody.leaves.length,
  );
});

promise('shows in its state what the centre has, and how sure the time is', async (site) => {
  const run = await site.start();
  await until(run, () => isCosigned(site));
  await run.clock.advance(1_000);
  const state = run.broker.topics.get('state') as Record<string, Record<string, unknown>>;
  assert.is(state.cosigned?.treeSize, 2);
  assert.is(state.time?.quality, 'known');
  assert.is(state.time?.source, 'witness');
  await end(site, run);
});

promise(
  'goes on without a witness, says so after half an hour, and takes it back',
  async (site) => {
    const { bench, centre } = site;
    centre.isListening = false;
    const run = await site.start();
    const camera = watchedCamera(bench, [{ bytes: bytesOf(5_000) }]);
    run.link.plug(1, camera);
    await until(run, () => camera.erased.length === 1);
    await run.clock.advance(29 * 60_000);
    assert.not(run.broker.topics.has('alarm/witness-silent'));
    await run.clock.advance(2 * 60_000);
    assert.ok(run.broker.topics.has('alarm/witness-silent'));
    assert.is(cosignedSize(bench), 0);
    assert.is(run.evidence.time.now().kind, 'unknown');
    centre.isListening = true;
    await until(run, () => isCosigned(site));
    assert.not(run.broker.topics.has('alarm/witness-silent'));
    await end(site, run);
  },
);

promise('sends a long history in pieces', async (site) => {
  const { centre } = site;
  centre.isListening = false;
  const run = await site.start();
  const acts = Array.from(
    { length: 1_000 },
    () => ({ kind: 'bay-fault', bay: 1, reason: 'BAY_FAILED' }) as const,
  );
  await run.evidence.custody.append(acts);
  centre.isListening = true;
  await until(run, () => isCosigned(site));
  const pieces = centre.bus.said.filter(({ body }) => (body as { status: number }).status === 202);
  assert.ok(pieces.length >= 3, `${pieces.length} pieces`);
  assert.equal(centre.mirrors.disks.get(DOCK)?.leaves.length, 1_002);
  await end(site, run);
});

promise('has a fresh cosignature every ten minutes, and writes no entry for it', async (site) => {
  const { bench, centre } = site;
  const run = await site.start();
  await until(run, () => isCosigned(site));
  const before = run.evidence.time.now();
  for (let minute = 0; minute < 60; minute++) {
    centre.clock.setWall(centre.clock.nowMs() + 60_000);
    await run.clock.advance(60_000);
  }
  const now = run.evidence.time.now();
  assert.ok(now.kind === 'known' && before.kind === 'known');
  if (now.kind === 'known' && before.kind === 'known') {
    assert.ok(now.latestMs - now.earliestMs < 5 * 60_000);
    assert.ok(now.earliestMs - before.earliestMs >= 59 * 60_000);
  }
  assert.is(bench.custody.leaves.length, 2);
  assert.ok(centre.bus.said.length > 5 && centre.bus.said.length < 9);
  await end(site, run);
});

/** Stops the dock while time passes: it waits for its last cosignature. */
async function end({ bench }: Site, run: Run): Promise<void> {
  let isOver = false;
  const over = bench.stop(run).finally(() => {
    isOver = true;
  });
  await until(run, () => isOver, 'it stops');
  await over;
}

/** The disk as it is now, to be put back later. */
function image(bench: Bench): () => void {
  const { leaves, checkpoints, cosigned } = bench.custody;
  const kept = [leaves.slice(), checkpoints.slice(), cosigned.slice()] as const;
  return () => {
    bench.custody.leaves = kept[0].slice();
    bench.custody.checkpoints = kept[1].slice();
    bench.custody.cosigned = kept[2].slice();
  };
}

async function liveThrough(site: Site, runs: number): Promise<(() => void)[]> {
  const images: (() => void)[] = [];
  for (let count = 0; count < runs; count++) {
    const run = await site.start();
    await until(run, () => isCosigned(site));
    images.push(image(site.bench));
    await end(site, run);
    images.push(image(site.bench));
  }
  return images.slice(0, -1);
}

promise(
  'put back to any earlier moment stops, says so, and signs nothing after it',
  async (site) => {
    const { bench, centre } = site;
    const images = await liveThrough(site, 5);
    const newest = image(bench);
    for (const [index, putBack] of images.entries()) {
      putBack();
      bench.custody.isOpen = false;
      const run = await site.start();
      await until(run, () => run.dock.halted !== undefined, `image ${index} is found`);
      assert.is(run.dock.halted, 'CUSTODY_ROLLBACK');
      assert.ok(run.broker.topics.has('alarm/custody-rollback'));
      const camera = watchedCamera(bench, [{ bytes: bytesOf(5_000) }]);
      run.link.plug(1, camera);
      await until(run, () => run.board.lightOf(1) === 'steady-amber');
      const signed = bench.custody.checkpoints.length;
      await run.clock.advance(90_000);
      await end(site, run);
      assert.is(bench.custody.checkpoints.length, signed, 'nothing more was signed');
      assert.is(camera.erased.length, 0);
      const again = await site.start();
      assert.is(again.dock.halted, 'CUSTODY_ROLLBACK', 'the next start knows it by itself');
      await end(site, again);
      assert.is(bench.custody.checkpoints.length, signed, 'and signs nothing at all');
    }
    assert.ok(centre.witness.findingCount > 0, 'the witness found it too');
    assert.ok(centre.mirrors.conflicts.get(DOCK));
    newest();
    const run = await site.start();
    const mirror = centre.mirrors.disks.get(DOCK);
    await until(run, () => mirror?.leaves.length === bench.custody.leaves.length);
    assert.is(run.dock.halted, undefined, 'the newest disk goes on');
    await end(site, run);
  },
);

promise('put back while the centre is away goes on, and stops when it answers', async (site) => {
  const { bench, centre } = site;
  const [first] = await liveThrough(site, 3);
  first?.();
  centre.isListening = false;
  const run = bench.compose();
  run.broker.onPublish = () => undefined;
  await run.dock.start();
  await run.clock.advance(60_000);
  assert.is(run.dock.halted, undefined);
  centre.isListening = true;
  centre.join(DOCK, run.broker);
  await until(run, () => run.dock.halted === 'CUSTODY_ROLLBACK');
  await end(site, run);
});

promise('that outgrew the cosigned tree on another branch is found by both sides', async (site) => {
  const { bench, centre } = site;
  const [first] = await liveThrough(site, 3);
  first?.();
  const run = bench.compose();
  await run.dock.start();
  const acts = Array.from(
    { length: 50 },
    () => ({ kind: 'bay-fault', bay: 1, reason: 'BAY_FAILED' }) as const,
  );
  await run.evidence.custody.append(acts);
  centre.join(DOCK, run.broker);
  await until(run, () => run.dock.halted === 'CUSTODY_ROLLBACK');
  await until(run, () => centre.witness.findingCount > 0);
  const found = centre.bus.said.filter(({ path }) => path.startsWith('witness/'));
  assert.is(found[0]?.path, 'witness/custody-fork');
  await end(site, run);
});

promise('believes nothing that lacks the witness’s signature', async (site) => {
  const { bench, centre } = site;
  centre.isListening = false;
  const run = await site.start();
  await run.clock.advance(1_000);
  const note = bench.custody.checkpoints.at(-1) ?? '';
  const answers: unknown[] = [
    ...['', '{', 'x'.repeat(70_000)],
    { status: 200, seq: 1, treeSize: 2, note },
    { status: 200, seq: 1, treeSize: 99 },
    { status: 200, seq: 1, treeSize: 2, note: 'x' },
    { status: 409, seq: 1, treeSize: 1_000 },
    { status: 202, seq: 2, treeSize: 0, next: 1_000_000 },
  ];
  for (const answer of answers) {
    run.broker.say('cosig', answer as never);
    await run.clock.advance(1_000);
  }
  assert.is(run.dock.halted, undefined);
  assert.is(cosignedSize(bench), 0);
  assert.is(run.evidence.time.now().kind, 'unknown');
  centre.isListening = true;
  await until(run, () => isCosigned(site), 'it goes on all the same');
  await end(site, run);
});

promise('keeps no cosignature whose time it does not believe', async (site) => {
  const { bench, centre } = site;
  const run = await site.start();
  await until(run, () => isCosigned(site));
  const kept = bench.custody.cosigned.length;
  centre.clock.setWall(run.clock.nowMs() + 3_650 * DAY_MS);
  await run.evidence.custody.append([{ kind: 'bay-fault', bay: 1, reason: 'BAY_FAILED' }]);
  await until(run, () => run.broker.topics.has('alarm/time-doubtful'));
  const now = run.evidence.time.now();
  assert.ok(now.kind === 'known' && now.earliestMs < run.clock.nowMs() + DAY_MS);
  assert.is(bench.custody.cosigned.length, kept);
  await end(site, run);
  const next = await site.start();
  centre.clock.setWall(next.clock.nowMs());
  await until(next, () => next.evidence.time.now().kind === 'known');
  const later = next.evidence.time.now();
  assert.ok(later.kind === 'known' && later.earliestMs <= next.clock.nowMs());
  await end(site, next);
});

promise('says that the witness refuses it when it is not enrolled', async (site) => {
  const stranger = new FakeCentre({ signer: SIGNER, logs: [] });
  const run = site.bench.compose();
  stranger.join(DOCK, run.broker);
  await run.dock.start();
  await until(run, () => run.broker.topics.has('alarm/witness-refused'));
  stranger.join(DOCK, run.broker);
  site.centre.clock.setWall(run.clock.nowMs());
  site.centre.join(DOCK, run.broker);
  await until(run, () => isCosigned(site));
  assert.not(run.broker.topics.has('alarm/witness-refused'));
  await end(site, run);
});

witnessed.run();

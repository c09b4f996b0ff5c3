import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { IngestQueue, type IngestTurn } from '../../src/app/ingest-queue.ts';
import { CAP_PERIOD_MS } from '../../src/core/dock/ingest-cap.ts';
import { TURN_BYTES, type WaitingClip } from '../../src/core/dock/ingest-order.ts';
import { isDockError } from '../../src/core/errors.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { settle } from './bench.ts';

const queueing = suite('the queue of the ingests');

const PIECE_BYTES = TURN_BYTES / 4;

class Scene {
  readonly clock = new FakeClock();
  readonly queue: IngestQueue;
  /** The bay of each piece, in order. */
  readonly pieces: number[] = [];
  readonly abort = new AbortController();

  constructor(most: number, cores = 1) {
    this.queue = new IngestQueue(this.clock, { bays: 8, cores, most });
  }

  /** A clip of so many pieces; what it does in between is given. */
  ingest(bay: number, pieces: number, options: Options = {}): Promise<void> {
    const clip = (): WaitingClip => {
      const incident = options.isIncident?.() ?? false;
      return { bay, counter: 1, startedAtMs: options.startedAtMs ?? bay, incident };
    };
    const closed = options.closed ?? new Promise(() => undefined);
    this.queue.join(bay);
    const work = async (turn: IngestTurn) => {
      for (let piece = 0; piece < pieces; piece++) {
        await turn.seal(PIECE_BYTES, async () => {
          this.pieces.push(bay);
          await options.onPiece?.(piece);
        });
      }
    };
    const ended = this.queue.run({ clip, closed, signal: this.abort.signal }, work);
    return ended.finally(() => this.queue.leave(bay));
  }
}

interface Options {
  readonly startedAtMs?: number;
  readonly isIncident?: () => boolean;
  readonly closed?: Promise<void>;
  readonly onPiece?: (piece: number) => void | Promise<void>;
}

queueing('one bay alone never waits', async () => {
  const scene = new Scene(1);
  await scene.ingest(1, 40);
  assert.is(scene.pieces.length, 40);
});

queueing('with one place, clips under way take turns, and each moves on', async () => {
  const scene = new Scene(1);
  await Promise.all([1, 2, 3].map((bay) => scene.ingest(bay, 40)));
  const early = scene.pieces.slice(0, 60);
  for (const bay of [1, 2, 3]) {
    assert.ok(early.filter((other) => other === bay).length >= 10, `bay ${bay}: ${early}`);
  }
  const changes = scene.pieces.filter((bay, at) => at > 0 && bay !== scene.pieces[at - 1]).length;
  assert.ok(changes < 40, 'a turn is more than a piece');
});

queueing('an incident has the next place, though others wait longer and are older', async () => {
  const scene = new Scene(1);
  const plain = [1, 2, 3].map((bay) => scene.ingest(bay, 12));
  const incident = scene.ingest(4, 12, { startedAtMs: 99, isIncident: () => true });
  await Promise.all([...plain, incident]);
  const began = scene.pieces.indexOf(4);
  assert.ok(began <= 4, `it began after ${began} pieces`);
  assert.equal(new Set(scene.pieces.slice(began, began + 12)), new Set([4]), 'and keeps it');
});

queueing('a clip that becomes an incident while it waits goes first', async () => {
  const scene = new Scene(1);
  let isMarked = false;
  const onPiece = (piece: number) => {
    if (piece === 2) isMarked = true;
  };
  await Promise.all([
    scene.ingest(1, 12, { onPiece }),
    scene.ingest(2, 12),
    scene.ingest(3, 4, { isIncident: () => isMarked }),
  ]);
  assert.ok(scene.pieces.indexOf(3) < scene.pieces.indexOf(2));
});

queueing('a camera that is taken out while it waits ends its wait', async () => {
  const scene = new Scene(1);
  let take: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    take = resolve;
  });
  let goOn: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const first = scene.ingest(1, 8, { onPiece: () => gate });
  const second = scene.ingest(2, 8, { closed });
  take();
  await second.then(
    () => assert.unreachable(),
    (error: unknown) => assert.ok(isDockError(error, 'LINK_CLOSED')),
  );
  goOn();
  await first;
  assert.not(scene.pieces.includes(2));
});

queueing('a dock that stops ends every wait, and gives every place back', async () => {
  const scene = new Scene(1);
  const never = new Promise<void>(() => undefined);
  void scene.ingest(1, 8, { onPiece: () => never });
  const waiting = [2, 3].map((bay) => scene.ingest(bay, 8));
  scene.abort.abort(new Error('the dock stops'));
  const ends = await Promise.allSettled(waiting);
  assert.ok(ends.every(({ status }) => status === 'rejected'));
  await scene.ingest(4, 1).then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'the dock stops'),
  );
});

queueing('a clip that fails gives its place to the next', async () => {
  const scene = new Scene(1);
  const failing = scene.ingest(1, 8, {
    onPiece: () => {
      throw new Error('as ordered');
    },
  });
  const next = scene.ingest(2, 8);
  await failing.catch((error: Error) => assert.is(error.message, 'as ordered'));
  await next;
  assert.is(scene.pieces.filter((bay) => bay === 2).length, 8);
});

queueing('on slow lines all bays soon run at once, though it began with fewer', async () => {
  const scene = new Scene(8);
  assert.is(scene.queue.cap, 2);
  const lines: (() => void)[] = [];
  const all = [1, 2, 3, 4, 5, 6, 7, 8].map((bay) => {
    scene.queue.join(bay);
    const clip = () => ({ bay, counter: 1, startedAtMs: bay, incident: false });
    const wish = { clip, closed: new Promise<void>(() => undefined), signal: scene.abort.signal };
    return scene.queue.run(wish, async (turn) => {
      for (let piece = 0; piece < 40; piece++) {
        await new Promise<void>((resolve) => lines.push(resolve));
        await turn.seal(1_000, async () => void scene.pieces.push(bay));
      }
    });
  });
  for (let step = 0; step < 6; step++) {
    await settle();
    await scene.clock.advance(CAP_PERIOD_MS);
    for (const arrive of lines.splice(0)) arrive();
  }
  await settle();
  assert.is(scene.queue.cap, 8);
  assert.is(new Set(scene.pieces.slice(-8)).size, 8);
  scene.abort.abort(new Error('the test is over'));
  while (lines.length > 0) {
    for (const arrive of lines.splice(0)) arrive();
    await settle();
  }
  await Promise.allSettled(all);
});

queueing.run();

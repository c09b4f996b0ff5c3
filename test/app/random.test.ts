// timeout: 240
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeCamera } from '../fakes/fake-link.ts';
import { Bench, bytesOf, type Run, SEGMENT_BYTES, until } from './bench.ts';
import { checkClips, checkLog, openVault, stateOf, watchErasures } from './oracles.ts';

const random = suite('random');
const BAYS = [1, 2, 3];

type Act =
  | { readonly kind: 'plug'; readonly bay: number; readonly camera: number }
  | { readonly kind: 'unplug' | 'press'; readonly bay: number }
  | { readonly kind: 'record'; readonly camera: number; readonly sizeBytes: number }
  | { readonly kind: 'full'; readonly isFull: boolean }
  | { readonly kind: 'cut'; readonly afterEffects: number }
  | { readonly kind: 'vanish'; readonly camera: number; readonly afterBytes: number }
  | { readonly kind: 'lose-answer'; readonly camera: number }
  | { readonly kind: 'wait'; readonly ms: number };

interface Step {
  readonly act: Act;
  /** How far everything gets before the next act. */
  readonly turns: number;
}

const bay = fc.constantFrom(...BAYS);
const camera = fc.nat({ max: 1 });
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('plug' as const), bay, camera }) },
  fc.record({ kind: fc.constant('unplug' as const), bay }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('press' as const), bay }) },
  fc.record({
    kind: fc.constant('record' as const),
    camera,
    sizeBytes: fc.constantFrom(0, 1, 70_000, SEGMENT_BYTES, 2 * SEGMENT_BYTES + 1),
  }),
  fc.record({ kind: fc.constant('full' as const), isFull: fc.boolean() }),
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('cut' as const),
      afterEffects: fc.integer({ min: 1, max: 30 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('vanish' as const),
      camera,
      afterBytes: fc.nat({ max: 3 * SEGMENT_BYTES }),
    }),
  },
  fc.record({ kind: fc.constant('lose-answer' as const), camera }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(500, 10_000, 60_000) }),
);
const steps = fc.array(fc.record({ act, turns: fc.nat({ max: 120 }) }), {
  minLength: 12,
  maxLength: 30,
  size: 'max',
});

/** Two cameras, three bays, and hands that do not wait. */
class Story {
  readonly bench = new Bench();
  readonly cameras = [1, 2].map((seed) => {
    return new FakeCamera({
      serial: `CAM-000${seed}`,
      clips: [{ bytes: bytesOf(7, seed), incident: true }, { bytes: bytesOf(90_000 * seed, seed) }],
    });
  });
  readonly #places = new Map<number, FakeCamera>();
  #run: Run | undefined;

  async start(): Promise<void> {
    for (const one of this.cameras) one.onErased = () => this.run.power.effect('erase');
    watchErasures(this.bench, this.cameras);
    await this.#startDock();
  }

  get run(): Run {
    assert.ok(this.#run !== undefined, 'the dock was started');
    return this.#run as Run;
  }

  async play({ act, turns }: Step): Promise<void> {
    await this.#do(act);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (this.run.power.isOff) await this.#restart();
  }

  /** Everything is mended and put in: in the end all must be well. */
  async end(): Promise<void> {
    this.run.power.cutAfter(Number.POSITIVE_INFINITY);
    this.bench.vault.faults.full = false;
    for (const place of BAYS) this.#unplug(place);
    for (const [index, one] of this.cameras.entries()) {
      one.faults.loseReleased = undefined;
      one.faults.vanishAfterBytes = undefined;
      this.#plug(index + 1, one);
    }
    const isDone = () => [1, 2].every((place) => /green/.test(this.run.board.lightOf(place)));
    await until(this.run, isDone, 'both lights are green');
    await this.bench.stop(this.run);
  }

  check(): void {
    const all = new Map(
      this.cameras.map((one) => [one, Array.from({ length: one.lastCounter }, (_, i) => i + 1)]),
    );
    checkLog(this.bench);
    checkClips(this.bench, all);
  }

  checkEnd(): void {
    this.check();
    const total = this.cameras.reduce((sum, one) => sum + one.lastCounter, 0);
    assert.ok(this.cameras.every((one) => one.clips.size === 0));
    assert.is(openVault(this.bench.vault).length, total);
    assert.is(this.bench.vault.draftCount, 0);
    for (const { bytes, manifest } of openVault(this.bench.vault)) {
      assert.is(manifest.sizeBytes, bytes.length, 'a resumed clip is whole');
    }
    const { counts } = stateOf(this.bench);
    assert.equal([counts.released, counts.vaulted, counts.quarantined], [total, 0, 0]);
    assert.ok(counts.held >= 2, 'what was marked on a camera is held');
    assert.is(counts.held, counts.incidents);
    assert.is(this.bench.entriesOf('counter-gap').length, 0);
  }

  async #startDock(): Promise<void> {
    const run = this.bench.compose();
    this.#run = run;
    await run.dock.start();
    assert.is(run.dock.halted, undefined);
    for (const [place, one] of this.#places) run.link.plug(place, one);
  }

  async #restart(): Promise<void> {
    const { full } = this.bench.vault.faults;
    this.bench.crash(this.run);
    this.check();
    this.bench.vault.faults.full = full;
    await this.#startDock();
  }

  async #do(act: Act): Promise<void> {
    const { board, clock, power } = this.run;
    switch (act.kind) {
      case 'plug':
        return this.#plug(act.bay, this.#camera(act.camera));
      case 'unplug':
        return this.#unplug(act.bay);
      case 'press':
        return board.press(act.bay, 'long');
      case 'record':
        this.#record(this.#camera(act.camera), act.sizeBytes);
        return;
      case 'full':
        this.bench.vault.faults.full = act.isFull;
        return;
      case 'cut':
        return power.cutAfter(act.afterEffects);
      case 'vanish': {
        const one = this.#camera(act.camera);
        one.faults.vanishAfterBytes = one.sentBytes + act.afterBytes;
        return;
      }
      case 'lose-answer':
        this.#camera(act.camera).faults.loseReleased = true;
        return;
      case 'wait':
        return await clock.advance(act.ms);
    }
  }

  /** Cameras record in the street. */
  #record(one: FakeCamera, sizeBytes: number): void {
    if ([...this.#places.values()].includes(one)) return;
    one.recordClip({ bytes: bytesOf(sizeBytes, one.lastCounter) });
  }

  #camera(index: number): FakeCamera {
    return this.cameras[index] as FakeCamera;
  }

  #plug(place: number, one: FakeCamera): void {
    for (const [old, other] of this.#places) if (other === one) this.#unplug(old);
    this.#places.set(place, one);
    this.run.link.plug(place, one);
  }

  #unplug(place: number): void {
    this.#places.delete(place);
    this.run.link.unplug(place);
  }
}

random(
  'whatever hands, power and disk do, every clip is on its camera or proven, and all ends well',
  async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const story = new Story();
        try {
          await story.start();
          for (const step of script) await story.play(step);
          await story.end();
          story.checkEnd();
        } finally {
          story.bench.dispose();
        }
      }),
      { numRuns: 40 },
    );
  },
);

random.run();

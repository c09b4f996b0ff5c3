import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dueAtMs } from '../../../src/core/retention/due.ts';
import { CLOCK_AGREES_MS, isDue, trustedDueAtMs } from '../../../src/core/time/trusted-due.ts';
import {
  initialTime,
  observeTime,
  TIME_POLICY,
  type TimeObservation,
  trustedNow,
} from '../../../src/core/time/trusted-time.ts';
import { seeded } from '../witness/kit.ts';

const ATTACKS = 10_000;
const STEPS = 60;
const DAYS = 60;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const LIES_MS = [-3_650, -400, -61, -1, 30, 61, 400, 3_650].map((days) => days * DAY_MS);

const attacks = suite('clock attacks');

interface Clip {
  readonly capturedMs: number;
  readonly times: Parameters<typeof dueAtMs>[0];
  /** What the dock's clock said at the greeting and at the ingest. */
  readonly saidMs: readonly number[];
  cosignedAtMs: number | undefined;
  clockAgreed: boolean;
}

interface Cosigned extends TimeObservation {
  /** Clips that were in the tree. */
  readonly clipCount: number;
}

/** A dock, its witness and whoever tampers with their clocks. Only `realMs` is true. */
class World {
  realMs = Date.UTC(2030, 0, 1);
  monotonicMs = 0;
  isFrozen = false;
  systemErrorMs = 0;
  witnessErrorMs = 0;
  drift = 1;
  policy = TIME_POLICY;
  state = initialTime(undefined);
  floorMs: number | undefined;
  newestMs = 0;
  readonly clips: Clip[] = [];
  readonly heard: Cosigned[] = [];

  pass(ms: number): void {
    this.realMs += ms;
    if (!this.isFrozen) this.monotonicMs += ms * this.drift;
  }

  /** The power was off for so long: the monotonic clock begins again, and the disk keeps what was believed. */
  restart(offMs: number): void {
    this.realMs += offMs;
    this.monotonicMs = 0;
    this.isFrozen = false;
    this.heard.length = 0;
    this.state = initialTime(this.floorMs);
  }

  cosign(delayMs: number): void {
    const madeAtMonotonicMs = this.monotonicMs;
    const clipCount = this.clips.length;
    this.pass(delayMs);
    const saidMs = Math.floor((this.realMs + this.witnessErrorMs) / 1_000) * 1_000;
    this.pass(delayMs);
    this.hear({
      ...{ cosignedAtMs: saidMs, madeAtMonotonicMs, receivedAtMonotonicMs: this.monotonicMs },
      clipCount,
    });
  }

  /** The witness says a time that lies before all that it said, or further on than the cap. */
  lie(byMs: number): void {
    const { jumpMsMax } = TIME_POLICY;
    this.witnessErrorMs = byMs < 0 ? (this.floorMs ?? 0) - this.realMs + byMs : jumpMsMax + byMs;
    this.cosign(100);
    this.witnessErrorMs = 0;
  }

  replay(random: () => number): void {
    const old = this.heard[Math.floor(random() * this.heard.length)];
    if (old !== undefined) this.hear({ ...old, receivedAtMonotonicMs: this.monotonicMs });
  }

  hear(observation: Cosigned): void {
    this.heard.push(observation);
    const { state, verdict } = observeTime(this.state, observation, this.policy);
    this.state = state;
    if (verdict !== 'believed') return;
    this.floorMs = Math.max(this.floorMs ?? 0, observation.cosignedAtMs);
    this.newestMs = Math.max(this.newestMs, observation.cosignedAtMs);
    const covered = this.clips.slice(0, observation.clipCount);
    for (const clip of covered.filter(({ cosignedAtMs }) => cosignedAtMs === undefined)) {
      clip.cosignedAtMs = this.newestMs;
      clip.clockAgreed = clip.saidMs.every(
        (saidMs) => Math.abs(saidMs - this.newestMs) <= CLOCK_AGREES_MS,
      );
    }
  }

  /** `tamper` is what happens to the dock's clock between the greeting and the ingest. */
  ingest(ageMs: number, cameraErrorMs: number, tamper: () => void): void {
    const capturedMs = this.realMs - ageMs;
    const greetedMs = this.realMs + this.systemErrorMs;
    const cameraClockOffsetMs = cameraErrorMs - this.systemErrorMs;
    tamper();
    this.pass(MINUTE_MS);
    const ingestedAtMs = this.realMs + this.systemErrorMs;
    this.clips.push({
      capturedMs,
      times: {
        endedAtMs: capturedMs + cameraErrorMs,
        clockQuality: 'free-running',
        cameraClockOffsetMs,
        ingestedAtMs,
      },
      saidMs: [greetedMs, ingestedAtMs],
      cosignedAtMs: undefined,
      clockAgreed: false,
    });
  }

  due(clip: Clip): boolean {
    const dueMs = trustedDueAtMs(clip.times, DAYS, clip);
    return isDue(dueMs, trustedNow(this.state, this.monotonicMs, this.policy));
  }

  get isFooled(): boolean {
    const nowMs = this.realMs + this.systemErrorMs;
    return this.clips.some(
      ({ times, capturedMs }) =>
        dueAtMs(times, DAYS) <= nowMs && this.realMs < capturedMs + DAYS * DAY_MS,
    );
  }

  get early(): readonly Clip[] {
    return this.clips.filter(
      (clip) => this.due(clip) && this.realMs < clip.capturedMs + DAYS * DAY_MS,
    );
  }
}

interface Outcome {
  readonly world: World;
  readonly early: number;
  /** Whether the dock's own clock would have had a clip deleted early. */
  readonly isFooled: boolean;
}

function attack(seed: number): Outcome {
  const random = seeded(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const world = new World();
  world.drift = 1 + (random() - 0.5) * 3e-4;
  world.cosign(100);
  const lie = () => {
    world.systemErrorMs = pick([0, 0, MINUTE_MS, ...LIES_MS]);
  };
  const acts: readonly (() => void)[] = [
    () => world.cosign(random() * 2_000),
    () => world.cosign(random() * 2_000),
    () => world.cosign(random() * DAY_MS),
    () => world.replay(random),
    () => world.restart(random() * pick([0, 1, 20]) * DAY_MS),
    lie,
    () => {
      world.isFrozen = !world.isFrozen;
    },
    () => world.lie(pick(LIES_MS)),
    () =>
      world.ingest(random() * 3 * DAY_MS, pick([0, ...LIES_MS]), random() < 0.3 ? lie : () => {}),
  ];
  let early = 0;
  let isFooled = false;
  for (let step = 0; step < STEPS; step++) {
    pick(acts)();
    world.pass(random() * pick([MINUTE_MS, DAY_MS, 6 * DAY_MS]));
    early += world.early.length;
    isFooled ||= world.isFooled;
  }
  return { world, early: early + aftermath(world), isFooled };
}

/** The attacker goes, and people set the dock right: what was ingested becomes due now, and not a minute early. */
function aftermath(world: World): number {
  world.systemErrorMs = 0;
  world.policy = { ...TIME_POLICY, jumpMsMax: 3_650 * DAY_MS };
  world.restart(0);
  let early = 0;
  const dates = world.clips.map(({ capturedMs }) => capturedMs + DAYS * DAY_MS);
  for (const dateMs of dates.sort((a, b) => a - b)) {
    world.pass(Math.max(0, dateMs - MINUTE_MS - world.realMs));
    world.cosign(100);
    early += world.early.length;
  }
  world.pass(20 * DAY_MS);
  world.cosign(100);
  return early;
}

attacks(`${ATTACKS} attacks on the clocks, at start and in service: nothing is due early`, () => {
  let dueCount = 0;
  let clipCount = 0;
  for (let seed = 1; seed <= ATTACKS; seed++) {
    const { world, early } = attack(seed);
    assert.is(early, 0, `seed ${seed}`);
    dueCount += world.clips.filter((clip) => world.due(clip)).length;
    clipCount += world.clips.length;
  }
  assert.ok(dueCount > clipCount / 3, `${dueCount} of ${clipCount} became due in the end`);
});

attacks('the dock’s own clock would have had evidence deleted early in most of them', () => {
  let fooled = 0;
  for (let seed = 1; seed <= 300; seed++) {
    if (attack(seed).isFooled) fooled += 1;
  }
  assert.ok(fooled > 150, `${fooled} of 300`);
});

attacks('without an attack every clip is due within a day of its date', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seeded(seed);
    const world = new World();
    world.cosign(100);
    world.ingest(random() * 3 * DAY_MS, 0, () => undefined);
    world.cosign(100);
    const [clip] = world.clips;
    assert.ok(clip);
    if (clip === undefined) return;
    const dateMs = clip.capturedMs + DAYS * DAY_MS;
    for (; world.realMs < dateMs - DAY_MS; world.pass(6 * 3_600_000)) {
      world.cosign(100);
      assert.not.ok(world.due(clip));
      if (random() < 0.05) world.restart(random() * DAY_MS);
    }
    world.pass(dateMs + DAY_MS - world.realMs);
    world.cosign(100);
    assert.ok(world.due(clip), `seed ${seed}`);
  }
});

attacks('a clip that no witness knows of is never due', () => {
  const times = { endedAtMs: 0, clockQuality: 'dock', ingestedAtMs: 0 } as const;
  const ingest = { cosignedAtMs: undefined, clockAgreed: true };
  const now = { kind: 'known', earliestMs: 9e15, latestMs: 9e15, source: 'witness' } as const;
  assert.not.ok(isDue(trustedDueAtMs({ ...times, cameraClockOffsetMs: 0 }, DAYS, ingest), now));
});

attacks.run();

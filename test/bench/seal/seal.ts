import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { limitOfOneWorker, limitOfTwoWorkers, type PrimitiveRates } from '../measure/limit.ts';
import { Rounds, type Subject } from '../measure/rounds.ts';
import { median, pairedRatio, type Row, toRow } from '../measure/sample.ts';
import {
  DISK_AGE,
  DISK_CHAIN,
  DISK_READ_BACK,
  DISK_WRITTEN,
  diskSubjects,
  hasProgram,
  memorySubjects,
  opensslSpeed,
} from './commands.ts';
import type { PrimitiveJob, SealJob } from './lab.ts';
import { LabProcess } from './lab-process.ts';
import { findSodium, SODIUM_MISSING } from './packages.ts';
import { writeRandomFile } from './source.ts';
import type { Workshop } from './workshop.ts';

const MIB = 1024 * 1024;
/** Packages that need ten seconds and more a GiB. */
const PACKAGE_BYTES_MAX = 256 * MIB;
/** What a lab seals first, unmeasured. */
const WARM_UP_BYTES = 16 * MIB;
const BAY_COUNTS = [1, 2, 4, 8];
const SEAL = 'primitive: ChaCha20-Poly1305 (64 KiB, in-process)';
const HASH = 'primitive: SHA-256 (64 KiB, in-process)';
const MODULE_1 = 'bare module, one worker (in-process, memory)';
const MODULE_2 = 'bare module, two workers (in-process, memory)';
const SCRIPT = 'node:crypto in JavaScript (in-process, memory)';

export interface SealPlan {
  readonly sizes: readonly number[];
  readonly rounds: number;
  /** Of one clip, with several bays at once. */
  readonly bayBytes: number;
  readonly primitiveSeconds: number;
  readonly say: (line: string) => void;
}

export interface SealResult {
  readonly rows: readonly Row[];
  readonly ratios: Readonly<Record<string, number>>;
}

/** The labs of one run. */
class Labs {
  /** The primitives run where the module with one worker runs. */
  readonly one: LabProcess;
  readonly two: LabProcess;
  readonly script: LabProcess;
  readonly docket: LabProcess;
  readonly typage: LabProcess;
  readonly sodium: LabProcess | undefined;

  constructor({ recipients }: Workshop) {
    const lab = (workers = 1) => new LabProcess({ recipients, workers });
    this.one = lab(1);
    this.two = lab(2);
    this.script = lab();
    this.docket = lab();
    this.typage = lab();
    this.sodium = findSodium() === undefined ? undefined : lab();
  }

  async stop(): Promise<void> {
    const { one, two, script, docket, typage, sodium } = this;
    await Promise.all([one, two, script, docket, typage, sodium].map((lab) => lab?.stop()));
  }
}

/**
 * The event loop is watched in runs of their own, because the watch costs time: with several bays in every round, else once.
 */
function subject(name: string, lab: LabProcess, job: SealJob): Subject {
  return {
    name,
    run: async (round) => {
      const sample = await lab.run(job);
      if (round > 0 && job.kind !== 'bays') return sample;
      const { eventLoopP99Ms } = await lab.run({ ...job, watch: true });
      return eventLoopP99Ms === undefined ? sample : { ...sample, eventLoopP99Ms };
    },
  };
}

function primitive(name: string, lab: LabProcess, job: Omit<PrimitiveJob, 'kind'>): Subject {
  return { name, run: () => lab.run({ kind: 'primitive', ...job }) };
}

/** The limit and what is measured against it. */
function paired(labs: Labs, bytes: number, { primitiveSeconds: seconds }: SealPlan): Subject[] {
  return [
    primitive(SEAL, labs.one, { isDigest: false, seconds }),
    subject(MODULE_1, labs.one, { kind: 'bare', bytes }),
    subject(MODULE_2, labs.two, { kind: 'bare', bytes }),
    subject(SCRIPT, labs.script, { kind: 'script', bytes }),
    primitive(HASH, labs.one, { isDigest: true, seconds }),
  ];
}

function packages(labs: Labs, bytes: number): Subject[] {
  if (bytes > PACKAGE_BYTES_MAX) return [];
  const typage = 'npm age-encryption, digests by node:crypto (in-process, memory)';
  const sodium = 'sodium-native secretstream, SHA-256 (in-process, memory)';
  return [
    subject(typage, labs.typage, { kind: 'typage', bytes }),
    ...(labs.sodium === undefined ? [] : [subject(sodium, labs.sodium, { kind: 'sodium', bytes })]),
  ];
}

/** Full work inside one process: digests, fsync, read-back. */
function files(labs: Labs, input: string, given: { bytes: number; workshop: Workshop }): Subject[] {
  const { bytes, workshop } = given;
  const at = (place: string, folder: string) =>
    subject(`docket seal, fsync, read-back (in-process, ${place})`, labs.docket, {
      kind: 'file',
      ...{ bytes, input, folder },
    });
  return [at('tmpfs', workshop.memory), at('disk', workshop.disk)];
}

/** Each count in a lab of its own, so that the memory of one is not the peak of another. */
async function measureBays(rounds: Rounds, workshop: Workshop, plan: SealPlan): Promise<void> {
  const { recipients, disk: folder } = workshop;
  const labs: LabProcess[] = [];
  const subjects: Subject[] = [];
  try {
    for (const count of BAY_COUNTS) {
      const lab = new LabProcess({ recipients, workers: 1 });
      labs.push(lab);
      const job = { kind: 'bays', bays: count, folder } as const;
      await lab.run({ ...job, bytes: WARM_UP_BYTES });
      const name = `docket seal, fsync, read-back, ${count} bays at once (in-process, disk)`;
      subjects.push(subject(name, lab, { ...job, bytes: plan.bayBytes }));
    }
    await rounds.run(subjects, plan.rounds);
  } finally {
    await Promise.all(labs.map((lab) => lab.stop()));
  }
}

function primitivesOf(rounds: Rounds, rates: (name: string) => number[]): PrimitiveRates[] {
  const digests = rates(HASH);
  return rounds.has(HASH)
    ? rates(SEAL).map((chacha20Poly1305, round) => {
        return { chacha20Poly1305, sha256: digests[round] ?? Number.NaN };
      })
    : [];
}

/** The limits as if something had run at them. */
function limitRows(rounds: Rounds, bytes: number): Row[] {
  const limits = primitivesOf(rounds, (name) => rounds.rates(name));
  const row = (name: string, rates: readonly number[]): Row => {
    const seconds = bytes / median(rates);
    return toRow(name, [{ bytes, seconds, cpuSeconds: seconds, peakMiB: 0 }]);
  };
  return [
    row('limit of one worker, from the primitives', limits.map(limitOfOneWorker)),
    row('limit of two workers, from the primitives', limits.map(limitOfTwoWorkers)),
  ];
}

/** The disk ratios compare the same work: the peers make no read-back from the disk. The other two add Docket's. */
function ratiosOf(rounds: Rounds): Record<string, number> {
  const wall = (name: string) => rounds.rates(name);
  const cpu = (name: string) => rounds.cpuRates(name);
  const limits = primitivesOf(rounds, wall);
  const ratios = {
    module1OfLimit: pairedRatio(wall(MODULE_1), limits.map(limitOfOneWorker)),
    module2OfLimit: pairedRatio(wall(MODULE_2), limits.map(limitOfTwoWorkers)),
    module2VsJs: pairedRatio(wall(MODULE_2), wall(SCRIPT)),
    diskVsAge: pairedRatio(wall(DISK_WRITTEN), wall(DISK_AGE)),
    diskVsChain: pairedRatio(wall(DISK_WRITTEN), wall(DISK_CHAIN)),
    diskAndReadBackVsAge: pairedRatio(wall(DISK_READ_BACK), wall(DISK_AGE)),
    diskAndReadBackVsChain: pairedRatio(wall(DISK_READ_BACK), wall(DISK_CHAIN)),
    module1OfLimitByCpuTime: pairedRatio(
      cpu(MODULE_1),
      primitivesOf(rounds, cpu).map(limitOfOneWorker),
    ),
  };
  const known = Object.entries(ratios).filter(([, ratio]) => Number.isFinite(ratio));
  return Object.fromEntries(known.map(([name, ratio]) => [name, Number(ratio.toFixed(3))]));
}

/** 1 GiB where it is among the sizes, else the largest: start-up hides what small clips cost. */
function judgedSize(sizes: readonly number[]): number {
  return sizes.includes(1024 * MIB) ? 1024 * MIB : Math.max(...sizes);
}

async function measureSize(
  labs: Labs,
  workshop: Workshop,
  plan: SealPlan & { readonly bytes: number },
): Promise<Rounds> {
  const { bytes } = plan;
  const input = join(workshop.memory, 'input');
  writeRandomFile(input, bytes);
  const rounds = new Rounds();
  try {
    const inMemory = [...paired(labs, bytes, plan), ...packages(labs, bytes)];
    await rounds.run(inMemory, plan.rounds);
    await rounds.run(files(labs, input, { bytes, workshop }), plan.rounds);
    await rounds.run(memorySubjects({ workshop, input, bytes }), plan.rounds);
    await rounds.run(diskSubjects({ workshop, input, bytes }), plan.rounds);
  } finally {
    rmSync(input);
  }
  return rounds;
}

/** Sealing beside its peers. Every quotient is a median of quotients, both sides from the same round of the same run. */
export async function benchSeal(workshop: Workshop, plan: SealPlan): Promise<SealResult> {
  const labs = new Labs(workshop);
  const rows: Row[] = [];
  let ratios: Record<string, number> = {};
  if (labs.sodium === undefined) plan.say(SODIUM_MISSING);
  if (!hasProgram('age')) plan.say('age is not installed, so it is not measured');
  try {
    await labs.one.run({ kind: 'bare', bytes: WARM_UP_BYTES });
    await labs.two.run({ kind: 'bare', bytes: WARM_UP_BYTES });
    await labs.script.run({ kind: 'script', bytes: WARM_UP_BYTES });
    for (const bytes of plan.sizes) {
      plan.say(`sealing ${bytes / MIB} MiB, ${plan.rounds} rounds`);
      const rounds = await measureSize(labs, workshop, { ...plan, bytes });
      rows.push(...limitRows(rounds, bytes), ...rounds.rows);
      if (bytes === judgedSize(plan.sizes)) ratios = ratiosOf(rounds);
    }
    plan.say(`sealing in several bays at once, ${plan.bayBytes / MIB} MiB each`);
    const several = new Rounds();
    await measureBays(several, workshop, plan);
    const speeds = ['chacha20-poly1305', 'sha256'].map((name) => opensslSpeed(name, 1));
    if (hasProgram('openssl')) await several.run(speeds, plan.rounds);
    rows.push(...several.rows);
  } finally {
    await labs.stop();
  }
  return { rows, ratios };
}

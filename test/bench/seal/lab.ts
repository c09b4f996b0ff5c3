/** A process in which sealing is measured from inside. Its parent sends one job at a time and gets a sample for each. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gauge } from '../measure/gauge.ts';
import type { Sample } from '../measure/sample.ts';
import { loadPrimitives } from '../primitives/primitives.ts';
import { BareModule, makeSealer, openVault, sealIntoVault } from './docket.ts';
import { sealInScript } from './javascript.ts';
import { findSodium, sealWithSodium, sealWithTypage } from './packages.ts';
import { fileSource, memorySource, randomBlock, turnSource } from './source.ts';

const BLOCK_BYTES = 4 * 1024 * 1024;
/** What a peer works through before it lets the event loop turn. */
const TURN_BYTES = 1024 * 1024;
/** What the link hands over at a time on a fast line. */
const RANGE_BYTES = 1_048_576;

export interface LabSetting {
  readonly recipients: readonly string[];
  /** How many threads a bare module may use. */
  readonly workers: number;
}

interface Watched {
  readonly bytes: number;
  /** With a watch on the event loop. */
  readonly watch?: boolean;
}

interface BareJob extends Watched {
  readonly kind: 'bare';
}

interface PeerJob extends Watched {
  readonly kind: 'script' | 'typage' | 'sodium';
}

interface FileJob extends Watched {
  readonly kind: 'file';
  readonly input: string;
  readonly folder: string;
}

interface BaysJob extends Watched {
  readonly kind: 'bays';
  /** `bytes` is for each. */
  readonly bays: number;
  readonly folder: string;
}

export interface PrimitiveJob {
  readonly kind: 'primitive';
  readonly isDigest: boolean;
  readonly seconds: number;
}

export type SealJob = BareJob | PeerJob | FileJob | BaysJob;
export type LabJob = SealJob | PrimitiveJob;

export type LabAnswer =
  | { readonly kind: 'sample'; readonly sample: Sample }
  | { readonly kind: 'failed'; readonly message: string };

/** Runs one kind of job after another; what a kind needs is made once, before it is measured. */
class Lab {
  readonly #setting: LabSetting;
  #bare: BareModule | undefined;
  #block: Uint8Array | undefined;

  constructor(setting: LabSetting) {
    this.#setting = setting;
  }

  run(job: LabJob): Promise<Sample> {
    if (job.kind === 'primitive') return this.#primitive(job.isDigest, job.seconds);
    if (job.kind === 'bare') return this.#runBare(job);
    if (job.kind === 'file') return this.#runFile(job);
    if (job.kind === 'bays') return this.#runBays(job);
    return this.#runPeer(job);
  }

  async #primitive(isDigest: boolean, seconds: number): Promise<Sample> {
    return { ...loadPrimitives().measure(isDigest, seconds), peakMiB: 0 };
  }

  #runBare({ bytes, watch = false }: BareJob): Promise<Sample> {
    const { recipients, workers } = this.#setting;
    this.#bare ??= new BareModule(recipients, workers);
    const bare = this.#bare;
    return gauge({ bytes, watch }, () => bare.seal(bytes));
  }

  #runPeer({ kind, bytes, watch = false }: PeerJob): Promise<Sample> {
    const { recipients } = this.#setting;
    this.#block ??= randomBlock(TURN_BYTES);
    const source = turnSource(this.#block, bytes);
    const sodium = kind === 'sodium' ? findSodium() : undefined;
    return gauge({ bytes, watch }, async () => {
      if (sodium !== undefined) await sealWithSodium(sodium, source);
      else if (kind === 'typage') await sealWithTypage(recipients, source);
      else await sealInScript(recipients, source);
    });
  }

  #runFile({ bytes, input, folder, watch = false }: FileJob): Promise<Sample> {
    return inVault(folder, async (vault) => {
      const sealer = makeSealer(this.#setting.recipients);
      return gauge({ bytes, watch }, () => {
        const source = fileSource(input, BLOCK_BYTES);
        return sealIntoVault({ sealer, vault, source, readBack: true });
      });
    });
  }

  #runBays({ bytes, bays, folder, watch = false }: BaysJob): Promise<Sample> {
    this.#block ??= randomBlock(RANGE_BYTES);
    const block = this.#block;
    return inVault(folder, async (vault) => {
      const sealer = makeSealer(this.#setting.recipients);
      return gauge({ bytes: bytes * bays, watch }, async () => {
        const clips = Array.from({ length: bays }, () => {
          const source = memorySource(block, bytes);
          return sealIntoVault({ sealer, vault, source, readBack: true });
        });
        await Promise.all(clips);
      });
    });
  }
}

async function inVault(
  folder: string,
  measure: (vault: Awaited<ReturnType<typeof openVault>>) => Promise<Sample>,
): Promise<Sample> {
  await mkdir(folder, { recursive: true });
  const dataDir = await mkdtemp(join(folder, 'vault-'));
  const vault = await openVault(dataDir);
  try {
    return await measure(vault);
  } finally {
    await vault.stop();
    await rm(dataDir, { recursive: true });
  }
}

const lab = new Lab(JSON.parse(process.argv[2] ?? '') as LabSetting);
const answer = (message: LabAnswer) => process.send?.(message);
process.on('message', (job: LabJob) => {
  lab.run(job).then(
    (sample) => answer({ kind: 'sample', sample }),
    (error: Error) => answer({ kind: 'failed', message: error.stack ?? error.message }),
  );
});

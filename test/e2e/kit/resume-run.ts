import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import {
  provisionCamera,
  type StartedCamera,
  startCamera,
} from '../../../firmware-bridge/sim/provision.ts';
import { readBoardFile } from '../../../src/adapters/fs/config-file.ts';
import {
  formatIdentity,
  formatRecipient,
  generateKeyPair,
} from '../../../src/adapters/nacl/age-keys.ts';
import { NodeRandom } from '../../../src/adapters/node/node-random.ts';
import { SimulatedBoard } from '../../../src/adapters/simulated/simulated-board.ts';
import { formatHex } from '../../../src/core/bytes.ts';
import type { CameraSerial, DockId } from '../../../src/core/evidence/clip.ts';
import { type ComposedDock, composeDock } from '../../../src/main.ts';
import type { LogFields } from '../../../src/ports/logger.ts';
import { CutLine, WireLedger } from './cut-line.ts';
import { entriesOf, openWithAge, readVault, sha256Of } from './evidence.ts';
import { ROOT } from './programs.ts';
import { RandomBytes } from './random-bytes.ts';

const SERIAL = 'CAM-0001' as CameraSerial;
const DOCK = 'leeds/dock-1' as DockId;
const BAY_COUNT = 4;
const SEGMENT_BYTES = 262_144;
/** Of three clips. */
const SIZES = [1_000_003, 3 * SEGMENT_BYTES, 9_000_001];
const KEYS = [generateKeyPair(new NodeRandom()), generateKeyPair(new NodeRandom())] as const;

export interface ResumeTally {
  readonly cuts: number;
  readonly restarts: number;
  readonly resumed: number;
  readonly clipBytes: number;
  readonly askedBytes: number;
  readonly askedAgainBytes: number;
  /** Carried to the line, and taken back by the kernel when the line was gone. */
  readonly lostBytes: number;
}

export interface ResumePlan {
  readonly cuts: number;
  readonly seed: number;
  /** After so many cuts the dock is stopped and started; undefined: never. */
  readonly restartEvery?: number;
}

/** One camera that is taken out of bay after bay until its clips are in the vault. */
export class ResumeRun {
  readonly #plan: ResumePlan;
  readonly #random: RandomBytes;
  readonly #ledger = new WireLedger();
  readonly #logged: LogFields[] = [];
  readonly #tally = { cuts: 0, restarts: 0, lostBytes: 0, carriedBytes: 0 };
  #folder = '';
  #released = 0;
  #onAllReleased: () => void = () => undefined;
  readonly #allReleased = new Promise<void>((resolve) => {
    this.#onAllReleased = resolve;
  });

  constructor(plan: ResumePlan) {
    this.#plan = plan;
    this.#random = new RandomBytes(plan.seed);
  }

  async run(): Promise<ResumeTally> {
    this.#folder = await mkdtemp(join(tmpdir(), 'docket-resume-'));
    try {
      return await this.#runInFolder();
    } finally {
      await rm(this.#folder, { recursive: true, force: true });
    }
  }

  async #runInFolder(): Promise<ResumeTally> {
    const clips = SIZES.map((size) => this.#random.bytes(size));
    const publicKey = await this.#provision(clips);
    let dock = await this.#compose(publicKey);
    const camera = await this.#startCamera(dock);
    const line = new CutLine(this.#path('camera'), this.#ledger);
    try {
      await line.ready();
      await dock.dock.start();
      for (let cut = 1; cut <= this.#plan.cuts && this.#released < SIZES.length; cut++) {
        await this.#cut(line, camera);
        if (cut % (this.#plan.restartEvery ?? Number.POSITIVE_INFINITY) !== 0) continue;
        await this.#restart(dock);
        dock = await this.#compose(publicKey);
        await dock.dock.start();
      }
      await this.#takeRest(line);
    } finally {
      await dock.dock.stop();
      await line.stop();
      await camera.stop();
    }
    await this.#check(clips);
    const { carriedBytes: _, ...tally } = this.#tally;
    return {
      ...tally,
      resumed: this.#logged.filter(({ event }) => event === 'clip-resumed').length,
      clipBytes: SIZES.reduce((sum, size) => sum + size),
      askedBytes: this.#ledger.askedBytes,
      askedAgainBytes: this.#ledger.askedAgainBytes,
    };
  }

  /** In bays by turns and at random, so that some cuts are in the same one and some in another. */
  async #cut(line: CutLine, camera: StartedCamera): Promise<void> {
    const left = SIZES.reduce((sum, size) => sum + size) - this.#tally.carriedBytes;
    const cutsLeft = Math.max(1, this.#plan.cuts - this.#tally.cuts);
    const bytes = 1 + this.#random.below(Math.max(2_000, (2 * left) / cutsLeft));
    const closedBefore = this.#closed().length;
    const lost = camera.next('line-lost');
    const carried = await this.#plug(line, 1 + this.#random.below(BAY_COUNT), bytes);
    this.#tally.cuts += 1;
    this.#tally.carriedBytes += carried;
    await lost;
    await this.#until(() => this.#closed().length > closedBefore || carried === 0);
    const heard = Number(this.#closed().at(-1)?.heardBytes ?? 0);
    this.#tally.lostBytes += Math.max(0, carried - heard);
  }

  /** Only whole segments outlast the run. */
  async #restart({ dock }: ComposedDock): Promise<void> {
    await dock.stop();
    this.#tally.restarts += 1;
    for (const counter of this.#ledger.counters) {
      const whole = this.#ledger.wholeTo(counter);
      this.#ledger.forget(counter, whole - (whole % SEGMENT_BYTES));
    }
  }

  async #takeRest(line: CutLine): Promise<void> {
    if (this.#released < SIZES.length) await this.#plug(line, 1, Number.MAX_SAFE_INTEGER);
  }

  /** Until it has sent so many bytes, or has nothing more to send. */
  async #plug(line: CutLine, bay: number, bytes: number): Promise<number> {
    const out = line.plug(this.#bay(bay), bytes);
    void this.#allReleased.then(() => line.unplug());
    return await out;
  }

  async #check(clips: readonly Buffer[]): Promise<void> {
    const vaulted = await readVault(this.#path('data'));
    assert.is(vaulted.length, clips.length);
    for (const clip of vaulted) {
      const bytes = await openWithAge(clip, formatIdentity(KEYS[0].identity));
      assert.is(sha256Of(bytes), sha256Of(clips[clip.counter - 1] ?? Buffer.alloc(0)));
      assert.is(clip.sha256, sha256Of(bytes));
    }
    assert.equal(await entriesOf(this.#path('data'), 'draft-removed'), []);
    assert.equal(await entriesOf(this.#path('data'), 'clip-quarantined'), []);
    assert.equal(await readdir(this.#path('data/vault/.drafts')), []);
  }

  #closed(): readonly LogFields[] {
    return this.#logged.filter(({ event }) => event === 'link.closed');
  }

  async #provision(clips: readonly Buffer[]): Promise<Uint8Array> {
    const paths = clips.map((_, index) => this.#path(`clip-${index}.mp4`));
    for (const [index, path] of paths.entries()) await writeFile(path, clips[index] ?? '');
    const { publicKey } = await provisionCamera({
      ...{ store: this.#path('store'), serial: SERIAL, clips: paths },
    });
    if (publicKey === undefined) throw new Error('the camera has no key');
    return publicKey;
  }

  async #startCamera({ keys }: ComposedDock): Promise<StartedCamera> {
    const docks = this.#path('docks.json');
    const linkKey = formatHex(keys.link.publicKey);
    const receiptKey = formatHex(keys.receipt.publicKey);
    await writeFile(docks, JSON.stringify([{ dock: DOCK, linkKey, receiptKey }]));
    const link = this.#path('camera');
    const camera = startCamera({ link, store: this.#path('store'), serial: SERIAL, docks });
    await camera.next('ready');
    return camera;
  }

  async #compose(publicKey: Uint8Array): Promise<ComposedDock> {
    const board = await readBoardFile(`${ROOT}boards/simulated.json`);
    const [first] = board.bays;
    if (first === undefined) throw new Error('the simulated board has no bay');
    const numbers = Array.from({ length: BAY_COUNT }, (_, index) => index + 1);
    const bays = numbers.map((bay) => ({ ...first, bay, serial: this.#bay(bay) }));
    const log = (event: string, fields: LogFields = {}): void => {
      this.#logged.push({ ...fields, event });
    };
    const [evidence, escrow] = KEYS;
    return await composeDock(
      {
        ...{ site: 'leeds', dock: 'dock-1', dockId: DOCK, dataDir: this.#path('data') },
        ...{ board: { ...board, bays }, broker: undefined, logLevel: 'error' },
        ...{ segmentBytes: SEGMENT_BYTES, reserveBytes: 0, retentionDays: 60 },
        recipients: [
          { role: 'evidence', recipient: formatRecipient(evidence.recipient) },
          { role: 'escrow', recipient: formatRecipient(escrow.recipient) },
        ],
        cameras: [{ serial: SERIAL, publicKey }],
        allowKeylessCameras: false,
      },
      {
        board: new SimulatedBoard({ name: 'simulated', bays: numbers, onLight: () => undefined }),
        observer: { onEvent: (kind) => this.#onEvent(kind) },
        logger: { debug: log, info: log, warn: log, error: log },
      },
    );
  }

  #onEvent(kind: string): void {
    if (kind === 'clip-released' || kind === 'clip-release-confirmed') this.#released += 1;
    if (this.#released === SIZES.length) this.#onAllReleased();
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  #bay(bay: number): string {
    return this.#path(`bay-${bay}`);
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}

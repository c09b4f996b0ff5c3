/** A whole dock in a process of its own: says its keys, waits for the word, takes every clip of its cameras, and says what that cost. */
import { readBoardFile } from '../../../src/adapters/fs/config-file.ts';
import { packageRoot } from '../../../src/adapters/native/package-info.ts';
import { SimulatedBoard } from '../../../src/adapters/simulated/simulated-board.ts';
import { formatHex, parseHex } from '../../../src/core/bytes.ts';
import type { BayState, BayStatus } from '../../../src/core/dock/bay-state.ts';
import type { CameraSerial, DockId } from '../../../src/core/evidence/clip.ts';
import { MIB } from '../../../src/core/evidence/naming.ts';
import { composeDock } from '../../../src/main.ts';
import { gauge } from '../measure/gauge.ts';
import type { Sample } from '../measure/sample.ts';
import { BayShares } from './shares.ts';
import { Waits } from './waits.ts';

const SITE = { site: 'bench', dock: 'dock-1', dockId: 'bench/dock-1' as DockId };

export interface DockSetting {
  readonly dataDir: string;
  readonly recipients: readonly string[];
  readonly cameras: readonly DockCamera[];
  /** Of all clips, one on each camera. */
  readonly bytes: number;
  readonly watch: boolean;
}

export interface DockCamera {
  readonly bay: number;
  readonly serial: string;
  /** Lower-case hex. */
  readonly publicKey: string;
  readonly link: string;
}

export type DockMessage =
  | { readonly kind: 'keys'; readonly link: string; readonly receipt: string }
  | { readonly kind: 'sample'; readonly sample: Sample }
  | { readonly kind: 'failed'; readonly message: string };

/** Settles when so many clips were released; rejects when one is not taken as it should be. */
class Tally {
  readonly done: Promise<void>;
  readonly shares: BayShares;
  #left: number;
  #resolve: () => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor(clipCount: number, clipBytes: number) {
    this.#left = clipCount;
    this.shares = new BayShares(clipCount, clipBytes);
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  onEvent(kind: string): void {
    if (kind === 'clip-released') this.#left--;
    if (kind === 'clip-quarantined') this.#reject(new Error('a clip went into quarantine'));
    if (this.#left === 0) this.#resolve();
  }

  onBay({ bay, phase }: BayStatus): void {
    if (phase === 'working') this.shares.onBusy(bay);
  }

  onProgress(bay: number, { clips }: BayState): void {
    this.shares.onProgress(bay, clips[0]?.doneBytes ?? 0);
  }

  onAlarm(code: string, isRaised: boolean): void {
    if (isRaised && code !== 'BROKER_REFUSED') this.#reject(new Error(`alarm ${code}`));
  }
}

async function compose(setting: DockSetting, tally: Tally) {
  const silent = () => undefined;
  const board = await readBoardFile(`${packageRoot}/boards/simulated.json`);
  const [first] = board.bays;
  if (first === undefined) throw new Error('boards/simulated.json has no bay');
  const bays = setting.cameras.map(({ bay, link }) => ({ ...first, bay, serial: link }));
  const config = {
    ...SITE,
    dataDir: setting.dataDir,
    board: { ...board, bays },
    recipients: setting.recipients.map((recipient, index) => {
      return { role: index === 0 ? ('evidence' as const) : ('escrow' as const), recipient };
    }),
    cameras: setting.cameras.map(({ serial, publicKey }) => {
      return {
        serial: serial as CameraSerial,
        publicKey: parseHex(publicKey, 32) ?? new Uint8Array(),
      };
    }),
    allowKeylessCameras: false,
    broker: undefined,
    segmentBytes: 64 * MIB,
    reserveBytes: 0,
    retentionDays: 60,
    logLevel: 'error' as const,
  };
  return composeDock(config, {
    board: new SimulatedBoard({
      name: 'simulated',
      bays: bays.map(({ bay }) => bay),
      onLight: silent,
    }),
    observer: tally,
    logger: { debug: silent, info: silent, warn: silent, error: silent },
  });
}

function say(message: DockMessage): void {
  process.send?.(message);
}

async function main(setting: DockSetting): Promise<void> {
  const { cameras, bytes } = setting;
  const tally = new Tally(cameras.length, bytes / cameras.length);
  const { dock, keys, evidence } = await compose(setting, tally);
  const waits = new Waits(evidence);
  const told = new Promise((resolve) => process.once('message', resolve));
  const { link, receipt } = keys;
  say({
    kind: 'keys',
    link: formatHex(link.publicKey),
    receipt: formatHex(receipt.publicKey),
  });
  await told;
  const sample = await gauge(setting, async () => {
    await dock.start();
    await tally.done;
  });
  await dock.stop();
  const baySeconds = sample.seconds * cameras.length;
  const { smallest } = tally.shares;
  const smallestShare =
    smallest === undefined || cameras.length === 1 ? {} : { smallestShare: smallest };
  say({ kind: 'sample', sample: { ...sample, ...waits.shares(baySeconds), ...smallestShare } });
}

try {
  await main(JSON.parse(process.argv[2] ?? '') as DockSetting);
} catch (error) {
  say({ kind: 'failed', message: error instanceof Error ? String(error.stack) : String(error) });
  process.exitCode = 1;
} finally {
  if (process.connected) process.disconnect();
}

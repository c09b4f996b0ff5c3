import type { CameraAddon, CameraHandle, CameraOptions, PairedDock } from './addon.ts';
import type { CameraFaults } from './faults.ts';
import { CameraStore } from './store.ts';

/** The answer RELEASED of the last clip is still on its way when the clip is erased. */
const FAREWELL_MS = 2_000;

export type Ending = 'stopped' | 'released' | 'power-loss';

export type LineRates = Pick<CameraOptions, 'rates' | 'strictRate' | 'deadRate'>;

export interface RunningCameraOptions {
  readonly link: string;
  /** The link is a terminal that is there already, such as /dev/ttyGS0. */
  readonly isDevice: boolean;
  readonly folder: string;
  readonly serial: string;
  readonly keyless: boolean;
  readonly wearer: string;
  readonly faults: CameraFaults;
  readonly seed: number;
  readonly line: LineRates;
  /** The text of the docks file; read again whenever a dock proves itself, because docks are paired later. */
  readonly readDocks: () => string;
  readonly say: (event: Readonly<Record<string, unknown>>) => void;
}

/** A camera from its store to its line, and again after a power loss. */
export class RunningCamera {
  readonly #addon: CameraAddon;
  readonly #options: RunningCameraOptions;
  #store: CameraStore;
  #faults: CameraFaults;
  #handle: CameraHandle | undefined;
  #isStopping = false;
  #endWhenReleased = false;
  #end: (ending: Ending) => void = () => undefined;
  readonly #ended: Promise<Ending>;

  constructor(addon: CameraAddon, options: RunningCameraOptions) {
    this.#addon = addon;
    this.#options = options;
    this.#faults = options.faults;
    this.#store = new CameraStore(addon, options);
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  async start(clips: readonly string[]): Promise<void> {
    for (const clip of clips) {
      if (!this.#isStopping) await this.#store.add(clip, this.#faults);
    }
    if (!this.#isStopping) this.#switchOn();
  }

  ended(whenReleased: boolean): Promise<Ending> {
    this.#endWhenReleased = whenReleased;
    if (this.#isAllReleased()) this.#farewell();
    return this.#ended;
  }

  stop(): void {
    this.#isStopping = true;
    if (this.#handle) this.#addon.stop(this.#handle);
    else this.#end('stopped');
  }

  plug(isIn: boolean): void {
    if (this.#handle) this.#addon.plug(this.#handle, isIn);
  }

  /** Undefined: no faults from now on. */
  addFaults(faults: CameraFaults | undefined): void {
    this.#faults = faults === undefined ? {} : { ...this.#faults, ...faults };
    // Counted faults that have happened must not begin again with the next order.
    const { stallAfter, vanishAfter, powerAfter, noEraseAnswer, noRateAnswer, ...lasting } =
      this.#faults;
    if (this.#handle) this.#addon.fault(this.#handle, { ...lasting, ...faults });
  }

  async record(path: string): Promise<void> {
    const clip = await this.#store.add(path, this.#faults);
    if (clip === undefined) throw new Error(`already recorded: ${path}`);
    if (this.#handle) this.#addon.add(this.#handle, clip);
    this.#options.say({ event: 'recorded', counter: clip.counter });
  }

  #switchOn(): void {
    const { link, isDevice, serial, seed, say } = this.#options;
    const clips = this.#store.served(this.#faults);
    this.#handle = this.#addon.start(
      {
        link,
        isDevice,
        serial,
        seed,
        store: this.#store.folder,
        keySeed: this.#store.keySeed,
        lastCounter: this.#store.lastCounter,
        clips,
        faults: this.#faults,
        ...this.#options.line,
      },
      (name, number, text) => this.#onEvent(name, number, text),
    );
    say({ event: 'ready', link, serial, clips: clips.length });
  }

  #onEvent(
    name: string,
    number: number,
    text: string | undefined,
  ): PairedDock | boolean | undefined {
    const { say } = this.#options;
    if (name === 'find-dock') return this.#findDock(text ?? '');
    if (name === 'erase') return this.#erase(number);
    if (name === 'power-loss') this.#losePower();
    else if (name === 'stopped') this.#handleStopped();
    else if (name === 'docked') say({ event: name, dock: text });
    else if (name === 'refused') say({ event: name, code: number });
    else if (name === 'rate') say({ event: name, baud: number });
    else if (name === 'line-failed') say({ event: name, message: text });
    else say({ event: name });
    if (name === 'line-lost' && this.#isAllReleased()) this.#farewell();
    return undefined;
  }

  #handleStopped(): void {
    this.#handle = undefined;
    this.#end(this.#isStopping ? 'stopped' : 'released');
  }

  #erase(counter: number): boolean {
    const { say } = this.#options;
    try {
      this.#store.erase(counter);
    } catch (error) {
      say({ event: 'erase-failed', counter, message: (error as Error).message });
      return false;
    }
    say({ event: 'released', counter });
    if (this.#isAllReleased()) {
      say({ event: 'erased-all' });
      if (this.#endWhenReleased) setTimeout(() => this.#farewell(), FAREWELL_MS).unref();
    }
    return true;
  }

  #isAllReleased(): boolean {
    return this.#store.counters.length === 0;
  }

  #farewell(): void {
    if (this.#endWhenReleased && this.#handle && !this.#isStopping) this.#addon.stop(this.#handle);
  }

  #findDock(dockId: string): PairedDock | undefined {
    try {
      const docks = JSON.parse(this.#options.readDocks()) as Record<string, unknown>[];
      const found = docks.find((dock) => dock.dock === dockId);
      if (found === undefined) return undefined;
      return { linkKey: parseKey(found.linkKey), receiptKey: parseKey(found.receiptKey) };
    } catch (error) {
      const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!isMissing)
        this.#options.say({ event: 'docks-invalid', message: (error as Error).message });
      return undefined;
    }
  }

  /** Everything but the store is forgotten; with a time to come back, the camera starts from its store alone. */
  #losePower(): void {
    this.#handle = undefined;
    this.#options.say({ event: 'power-loss' });
    const { powerAfter, powerBackMs, ...others } = this.#faults;
    this.#faults = others;
    if (powerBackMs === undefined) {
      this.#end('power-loss');
      return;
    }
    setTimeout(() => {
      if (this.#isStopping) return;
      this.#store = new CameraStore(this.#addon, this.#options);
      this.#switchOn();
    }, powerBackMs);
  }
}

function parseKey(value: unknown): Uint8Array {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) {
    throw new Error('a key of the docks file is not 64 lower-case hex digits');
  }
  return Buffer.from(value, 'hex');
}

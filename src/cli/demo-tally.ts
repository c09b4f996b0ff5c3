import type { DockObserver } from '../app/dock-deps.ts';
import type { BayState, BayStatus } from '../core/dock/bay-state.ts';
import type { DemoCamera } from './demo-cameras.ts';
import type { DemoTerminal } from './demo-terminal.ts';

/** Nothing moved for this long: the demo has failed. */
const STALL_MS = 120_000;
const LOOK_MS = 250;

/** Counts what becomes of the clips that were on the cameras. */
export class DemoTally implements DockObserver {
  readonly #terminal: DemoTerminal;
  readonly #clipCount: number;
  readonly #startedMs = Date.now();
  readonly #vaulted = new Map<string, string>();
  readonly #released = new Set<string>();
  readonly #quarantined = new Set<string>();
  readonly #bytes = new Map<number, number>();
  #movedMs = Date.now();

  constructor(cameras: readonly DemoCamera[], terminal: DemoTerminal) {
    this.#terminal = terminal;
    this.#clipCount = cameras.reduce((count, camera) => count + camera.clipCount, 0);
  }

  get lastClip(): string | undefined {
    return [...this.#vaulted.values()].at(-1);
  }

  get isAllReleased(): boolean {
    return this.#released.size >= this.#clipCount;
  }

  /** Resolves when every clip met its end, when the dock halts, or when nothing moves any more. */
  async done(halted: () => string | undefined): Promise<void> {
    while (this.#released.size + this.#quarantined.size < this.#clipCount) {
      if (halted() !== undefined || Date.now() - this.#movedMs > STALL_MS) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  summary() {
    let bytes = 0;
    for (const value of this.#bytes.values()) bytes += value;
    return {
      clips: this.#clipCount,
      vaulted: this.#vaulted.size,
      released: this.#released.size,
      quarantined: this.#quarantined.size,
      bytes,
      seconds: Math.round((Date.now() - this.#startedMs) / 10) / 100,
    };
  }

  onBay(status: BayStatus): void {
    this.#movedMs = Date.now();
    this.#terminal.onBay(status);
  }

  onProgress(bay: number, state: BayState): void {
    this.#movedMs = Date.now();
    this.#bytes.set(
      bay,
      state.clips.reduce((sum, clip) => sum + clip.doneBytes, 0),
    );
    this.#terminal.onProgress(bay, state);
  }

  onEvent(kind: string, body: Readonly<Record<string, string | number>>): void {
    this.#movedMs = Date.now();
    const key = `${body.camera} ${body.counter}`;
    const isVaulted = kind === 'clip-vaulted' || kind === 'clip-released';
    if (isVaulted) this.#vaulted.set(key, String(body.clip));
    if (kind === 'clip-released') this.#released.add(key);
    if (kind === 'clip-quarantined') this.#quarantined.add(key);
    this.#terminal.onEvent(kind, body);
  }
}

import type { DockObserver } from '../app/dock-deps.ts';
import type { BayState, BayStatus } from '../core/dock/bay-state.ts';
import { bayProgress } from '../core/dock/bay-status.ts';
import { drawLamps } from '../core/dock/draw-lights.ts';
import { LIGHTS, type LightName, lampsAt } from '../core/dock/lights.ts';
import { formatBytes } from './output.ts';

const FRAME_MS = 100;
const BAR_WIDTH = 24;

interface BayLine {
  light: LightName;
  status: BayStatus | undefined;
  doneBytes: number;
  totalBytes: number;
}

/** Shows the bays: redrawn in place on a terminal, a line a change elsewhere. */
export class DemoTerminal implements DockObserver {
  readonly #bays = new Map<number, BayLine>();
  readonly #isLive: boolean;
  #timer: NodeJS.Timeout | undefined;
  #drawnLines = 0;

  constructor(bays: readonly number[], isLive: boolean) {
    this.#isLive = isLive;
    for (const bay of bays) {
      this.#bays.set(bay, { light: 'off', status: undefined, doneBytes: 0, totalBytes: 0 });
    }
  }

  start(): void {
    if (!this.#isLive) return;
    this.#timer = setInterval(() => this.#draw(), FRAME_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    if (this.#isLive) this.#draw();
    this.#timer = undefined;
    this.#drawnLines = 0;
  }

  /** A line above the bays. */
  say(text: string): void {
    this.#erase();
    process.stdout.write(`${text}\n`);
    if (this.#timer !== undefined) this.#draw();
  }

  onLight(bay: number, light: LightName): void {
    const line = this.#bays.get(bay);
    if (line === undefined) return;
    line.light = light;
    if (!this.#isLive) this.#writePlain(bay, line);
  }

  onBay(status: BayStatus): void {
    const line = this.#bays.get(status.bay);
    if (line !== undefined) line.status = status;
  }

  onProgress(bay: number, state: BayState): void {
    const line = this.#bays.get(bay);
    if (line !== undefined) Object.assign(line, bayProgress(state));
  }

  onEvent(kind: string, body: Readonly<Record<string, string | number>>): void {
    if (kind === 'clip-vaulted') return;
    const clip = body.clip === undefined ? '' : ` clip ${String(body.clip).slice(0, 8)}`;
    const camera = body.camera === undefined ? '' : ` of ${body.camera}`;
    this.say(`bay ${body.bay}: ${TOLD[kind] ?? kind}${clip}${camera}`);
  }

  #writePlain(bay: number, line: BayLine): void {
    const camera = line.status?.camera ?? '-';
    process.stdout.write(
      `bay ${bay}: light ${line.light} (${camera}): ${LIGHTS[line.light].meaning}\n`,
    );
  }

  #draw(): void {
    this.#erase();
    const nowMs = Date.now();
    const lines = [...this.#bays].map(([bay, line]) => drawBay(bay, line, nowMs));
    process.stdout.write(`${lines.join('\n')}\n`);
    this.#drawnLines = lines.length;
  }

  #erase(): void {
    if (this.#drawnLines > 0) process.stdout.write(`\u001b[${this.#drawnLines}A\u001b[J`);
    this.#drawnLines = 0;
  }
}

const TOLD: Readonly<Record<string, string>> = {
  'clip-released': 'vaulted, and released by the camera:',
  'clip-quarantined': 'in quarantine:',
  'camera-taken-early': 'camera taken out before its clips were safe',
};

function drawBay(bay: number, line: BayLine, nowMs: number): string {
  const { status, light } = line;
  const lamps = drawLamps(lampsAt(light, nowMs));
  const camera = (status?.camera ?? 'empty').padEnd(10);
  const isThere = status?.camera != null && line.totalBytes > 0;
  const share = isThere ? line.doneBytes / line.totalBytes : 0;
  const filled = Math.round(share * BAR_WIDTH);
  const bar = `${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}`;
  const bytes = isThere ? formatBytes(line.totalBytes) : '';
  return `  bay ${bay}  ${lamps}  ${light.padEnd(18)}  ${camera} ${bar} ${bytes}`;
}

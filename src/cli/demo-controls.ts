import type { StartedCamera } from '../../firmware-bridge/sim/provision.ts';
import type { SimulatedBoard } from '../adapters/simulated/simulated-board.ts';
import type { DemoTerminal } from './demo-terminal.ts';

const LONG_PRESS_KEYS = 'qwertyuiop';

/** Keys that stand for an officer's hands. Only on a terminal. */
export class DemoControls {
  readonly #cameras: readonly StartedCamera[];
  readonly #board: SimulatedBoard;
  readonly #terminal: DemoTerminal;
  readonly #taken = new Set<number>();
  readonly #onData = (data: Buffer): void => this.#onKeys(data.toString('latin1'));

  constructor(cameras: readonly StartedCamera[], board: SimulatedBoard, terminal: DemoTerminal) {
    this.#cameras = cameras;
    this.#board = board;
    this.#terminal = terminal;
  }

  get help(): string {
    if (process.stdin.isTTY !== true) return '';
    const last = Math.min(this.#cameras.length, 9);
    const keys = [...LONG_PRESS_KEYS.slice(0, last)].join(' ');
    return `Keys: 1-${last} take a camera out or put it back; ${keys} hold the button of bay 1-${last} (incident).`;
  }

  start(): void {
    if (process.stdin.isTTY !== true) return;
    process.stdin.setRawMode(true);
    process.stdin.resume();
    process.stdin.on('data', this.#onData);
  }

  stop(): void {
    if (process.stdin.isTTY !== true) return;
    process.stdin.off('data', this.#onData);
    process.stdin.setRawMode(false);
    process.stdin.pause();
  }

  #onKeys(keys: string): void {
    for (const key of keys) {
      if (key === '\u0003') process.kill(process.pid, 'SIGINT');
      const pressed = LONG_PRESS_KEYS.indexOf(key) + 1;
      if (pressed > 0) this.#board.press(pressed, 'long');
      if (/^[1-9]$/.test(key)) this.#toggle(Number(key));
    }
  }

  #toggle(bay: number): void {
    const camera = this.#cameras[bay - 1];
    if (camera === undefined) return;
    const isTaken = this.#taken.delete(bay);
    if (!isTaken) this.#taken.add(bay);
    camera.send(isTaken ? 'plug' : 'unplug');
    this.#terminal.say(`bay ${bay}: the camera is ${isTaken ? 'put back' : 'taken out'}`);
  }
}

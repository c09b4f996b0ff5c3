import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { DockError } from '../core/errors.ts';

const STOP_MS_MAX = 5_000;

/** `docket witness` in a process of its own, as it would run at the centre. Ends with this one, whatever happens to it. */
export class DemoWitness {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  /** Its output goes to `folder/witness.log`. */
  constructor(options: { broker: string; data: string; keys: string; folder: string }) {
    const program = process.argv[1];
    if (program === undefined) throw new DockError('ARGUMENT_INVALID', 'docket has no program');
    const log = openSync(join(options.folder, 'witness.log'), 'a', 0o600);
    const { broker, data, keys } = options;
    const args = ['witness', '--broker', broker, '--data', data, '--keys', keys];
    this.#child = spawn(process.execPath, [...process.execArgv, program, ...args], {
      stdio: ['ignore', log, log, 'ipc'],
      // Ctrl-C is for the demo: the dock has its last checkpoint cosigned before the witness ends.
      detached: true,
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => resolve());
      this.#child.once('error', () => resolve());
    });
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS_MAX);
    await this.#ended;
    clearTimeout(timer);
  }
}

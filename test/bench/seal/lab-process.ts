import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Sample } from '../measure/sample.ts';
import type { LabAnswer, LabJob, LabSetting } from './lab.ts';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const PROGRAM = fileURLToPath(new URL(`./lab.${extension}`, import.meta.url));

/** A lab in a process of its own, so that one subject's memory and threads are not another's. */
export class LabProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(setting: LabSetting) {
    this.#child = fork(PROGRAM, [JSON.stringify(setting)]);
    this.#ended = once(this.#child, 'exit');
  }

  async run(job: LabJob): Promise<Sample> {
    const answered = once(this.#child, 'message');
    this.#child.send(job);
    const message = await Promise.race([answered, this.#ended.then(() => undefined)]);
    if (message === undefined) throw new Error(`the lab ended during ${job.kind}`);
    const [answer] = message as [LabAnswer];
    if (answer.kind === 'failed') throw new Error(answer.message);
    return answer.sample;
  }

  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended;
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { until } from '../../e2e/kit/programs.ts';

export interface Heard {
  readonly isRetained: boolean;
  readonly topic: string;
  readonly text: string;
}

/** `mosquitto_sub` on `docket/#`: what anybody at the centre sees. */
export class Subscriber {
  readonly heard: Heard[] = [];
  readonly #child: ChildProcess;
  #words = '';

  constructor(port: number) {
    const format = ['-F', '%r %t %p'];
    const args = ['-h', '127.0.0.1', '-p', String(port), '-t', 'docket/#', '-q', '1', ...format];
    const child = spawn('mosquitto_sub', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.once('error', (error) => {
      this.#words += String(error);
    });
    child.stderr?.on('data', (text) => {
      this.#words += String(text);
    });
    if (child.stdout === null) throw new Error('mosquitto_sub has no output');
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, retained, topic = '', text = ''] = /^(\d) (\S+) ?(.*)$/.exec(line) ?? [];
      this.heard.push({ isRetained: retained === '1', topic, text });
    });
    this.#child = child;
  }

  /** The first message, from `from` on, that fits. */
  async until(
    what: string,
    fits: (message: Heard) => boolean,
    { from = 0, deadlineMs = 60_000 }: { from?: number; deadlineMs?: number } = {},
  ): Promise<Heard> {
    try {
      return await until(what, () => this.heard.slice(from).find(fits), deadlineMs);
    } catch (error) {
      const tail = this.heard.slice(-20).map(({ topic, text }) => `${topic} ${text}`);
      throw new Error([String(error), this.#words, ...tail].join('\n'));
    }
  }

  untilText(topic: string, text: string, from = 0): Promise<Heard> {
    const fits = (message: Heard) => message.topic === topic && message.text === text;
    return this.until(`${topic} ${text}`, fits, { from });
  }

  untilBody(
    topic: string,
    fits: (body: Readonly<Record<string, unknown>>) => boolean,
    from = 0,
  ): Promise<Heard> {
    const isIt = (message: Heard) => {
      return message.topic === topic && message.text !== '' && fits(JSON.parse(message.text));
    };
    return this.until(topic, isIt, { from });
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./cut-relay.py', import.meta.url));

/** Bytes of one clip, as the lowest and the first one that is above. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** What was asked for, and what reached the dock, of every clip: counted on the wire. */
export class WireLedger {
  askedBytes = 0;
  /** Asked for when they had reached the dock already. */
  askedAgainBytes = 0;
  readonly #came = new Map<number, Span[]>();

  asked(counter: number, from: number, to: number): void {
    this.askedBytes += to - from;
    for (const span of this.#came.get(counter) ?? []) {
      this.askedAgainBytes += Math.max(0, Math.min(to, span.to) - Math.max(from, span.from));
    }
  }

  came(counter: number, from: number, to: number): void {
    const spans = this.#came.get(counter) ?? [];
    const last = spans.at(-1);
    if (last?.to === from) spans[spans.length - 1] = { from: last.from, to };
    else spans.push({ from, to });
    this.#came.set(counter, spans);
  }

  /** The first byte that did not come. */
  wholeTo(counter: number): number {
    let end = 0;
    const spans = [...(this.#came.get(counter) ?? [])].sort((one, two) => one.from - two.from);
    for (const { from, to } of spans) if (from <= end) end = Math.max(end, to);
    return end;
  }

  /** What a dock that starts anew may ask for again. */
  forget(counter: number, from: number): void {
    const spans = this.#came.get(counter) ?? [];
    const kept = spans.flatMap((span) => {
      return span.from < from ? [{ from: span.from, to: Math.min(span.to, from) }] : [];
    });
    this.#came.set(counter, kept);
  }

  get counters(): readonly number[] {
    return [...this.#came.keys()];
  }
}

/** A camera's line between the camera and one bay after another. */
export class CutLine {
  readonly ledger: WireLedger;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #onOut: (bytes: number) => void = () => undefined;
  #onReady: () => void = () => undefined;

  constructor(cameraLine: string, ledger: WireLedger) {
    this.ledger = ledger;
    this.#child = spawn('python3', [PROGRAM, cameraLine], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#ended = once(this.#child, 'exit');
    if (this.#child.stdout === null) throw new Error('the relay has no output');
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#hear(line));
  }

  async ready(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onReady = resolve;
    });
  }

  /** Puts the camera into the bay on that path. Settles when it is out again, with the bytes that were carried to the dock. */
  async plug(bayLine: string, bytes: number): Promise<number> {
    const out = new Promise<number>((resolve, reject) => {
      this.#onOut = resolve;
      void this.#ended.then(() => reject(new Error('the relay ended')));
    });
    this.#child.stdin?.write(`plug ${bayLine} ${bytes}\n`);
    return await out;
  }

  unplug(): void {
    this.#child.stdin?.write('unplug\n');
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await this.#ended;
  }

  #hear(line: string): void {
    const [what, counter = 0, from = 0, to = 0] = JSON.parse(line) as [string, ...number[]];
    if (what === 'read') this.ledger.asked(counter, from, to);
    else if (what === 'data') this.ledger.came(counter, from, to);
    else if (what === 'out') this.#onOut(counter);
    else this.#onReady();
  }
}

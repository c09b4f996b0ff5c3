import {
  type DockedCamera,
  type HandshakeContext,
  type HandshakeInput,
  type HandshakeState,
  nextHandshake,
} from '../../core/link/session.ts';
import type { SerialLine } from './line.ts';

/** Runs the state machine of SPEC 4 on a line. The caller closes the line when this rejects. */
export class Handshake {
  private readonly line: SerialLine;
  private readonly context: HandshakeContext;
  private state: HandshakeState = { phase: 'idle' };
  private timer = new AbortController();
  private settle: {
    readonly resolve: (camera: DockedCamera) => void;
    readonly reject: (error: unknown) => void;
  } = { resolve: ignore, reject: ignore };

  constructor(line: SerialLine, context: HandshakeContext) {
    this.line = line;
    this.context = context;
  }

  async run(signal: AbortSignal): Promise<DockedCamera> {
    const { line } = this;
    const onAbort = () => this.settle.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    void line.closed.then(() => this.settle.reject(line.failure));
    try {
      return await new Promise<DockedCamera>((resolve, reject) => {
        this.settle = { resolve, reject };
        line.onOther = (frame) => {
          const before = this.state;
          this.feed({ kind: 'frame', frame, request: line.newRequest() });
          return this.state !== before;
        };
        this.feed({ kind: 'start', request: line.newRequest() });
      });
    } finally {
      signal.removeEventListener('abort', onAbort);
      line.onOther = () => false;
      this.timer.abort();
    }
  }

  private feed(input: HandshakeInput): void {
    const step = nextHandshake(this.state, input, this.context);
    this.state = step.state;
    for (const effect of step.effects) {
      if (effect.kind === 'send') this.line.send(effect.frame);
      else if (effect.kind === 'wait') this.wait(effect.timeoutMs);
      else if (effect.kind === 'ready') this.settle.resolve(effect.camera);
      else this.settle.reject(effect.error);
    }
  }

  private wait(timeoutMs: number): void {
    this.timer.abort();
    const timer = new AbortController();
    this.timer = timer;
    const onDeadline = () => {
      if (timer.signal.aborted) return;
      const heard = this.line.heardBytes > 0;
      this.feed({ kind: 'deadline', request: this.line.newRequest(), heard });
    };
    // An aborted delay is a wait that is over: only what the deadline itself does may fail.
    this.line.clock
      .delay(timeoutMs, timer.signal)
      .catch(ignore)
      .then(onDeadline)
      .catch((error: unknown) => this.settle.reject(error));
  }
}

function ignore(): undefined {
  return undefined;
}

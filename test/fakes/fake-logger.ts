import type { LogFields, Logger } from '../../src/ports/logger.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly event: string;
  readonly fields: LogFields;
}

/** Keeps its lines. */
export class FakeLogger implements Logger {
  readonly lines: LogLine[] = [];
  #onLine: (() => void)[] = [];

  debug(event: string, fields: LogFields = {}): void {
    this.#keep({ level: 'debug', event, fields });
  }

  info(event: string, fields: LogFields = {}): void {
    this.#keep({ level: 'info', event, fields });
  }

  warn(event: string, fields: LogFields = {}): void {
    this.#keep({ level: 'warn', event, fields });
  }

  error(event: string, fields: LogFields = {}): void {
    this.#keep({ level: 'error', event, fields });
  }

  /** The lines of one event, oldest first. */
  of(event: string): readonly LogLine[] {
    return this.lines.filter((line) => line.event === event);
  }

  /** The first line of the event, as soon as there is one. */
  async until(event: string): Promise<LogLine> {
    for (;;) {
      const line = this.of(event)[0];
      if (line !== undefined) return line;
      await new Promise<void>((resolve) => this.#onLine.push(resolve));
    }
  }

  #keep(line: LogLine): void {
    this.lines.push(line);
    for (const listener of this.#onLine.splice(0)) listener();
  }
}

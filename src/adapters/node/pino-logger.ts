import { type DestinationStream, destination, type Logger as Pino, pino } from 'pino';
import type { LogFields, Logger } from '../../ports/logger.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface PinoLoggerOptions {
  readonly level?: LogLevel;
  /** Standard error when left out, so that standard output stays the program's answer. */
  readonly stream?: DestinationStream;
}

/** One JSON object a line: `level`, `at` (ISO, UTC), `event` and the fields. */
export class PinoLogger implements Logger {
  readonly #pino: Pino;

  constructor(options: PinoLoggerOptions = {}) {
    this.#pino = pino(
      {
        level: options.level ?? 'info',
        base: null,
        messageKey: 'event',
        timestamp: () => `,"at":"${new Date().toISOString()}"`,
        formatters: { level: (level) => ({ level }) },
      },
      // Synchronous: the last line before a crash is the one that matters.
      options.stream ?? destination({ dest: 2, sync: true }),
    );
  }

  debug(event: string, fields: LogFields = {}): void {
    this.#pino.debug(fields, event);
  }

  info(event: string, fields: LogFields = {}): void {
    this.#pino.info(fields, event);
  }

  warn(event: string, fields: LogFields = {}): void {
    this.#pino.warn(fields, event);
  }

  error(event: string, fields: LogFields = {}): void {
    this.#pino.error(fields, event);
  }
}

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** For operators. Never clip content, keys, names of people or names of clips. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured logs: a constant message plus fields, so that they can be counted and filtered. */
export interface Logger {
  log(level: LogLevel, message: string, fields?: LogFields): void;
}

/**
 * One entry as a JSON line: the message first, and no field in its place.
 *
 * @example
 * toEntry('step failed', { code: 'TIMEOUT', message: 'late' }) // '{"message":"step failed","code":"TIMEOUT"}'
 */
export function toEntry(message: string, fields: LogFields = {}): string {
  const { message: _, ...others } = fields;
  return JSON.stringify({ message, ...others });
}

/** One JSON line an entry, for what happens outside of any invocation: the host passes it on. */
export const consoleLogger: Logger = {
  log: (level, message, fields) => console[level](toEntry(message, fields)),
};

export const silentLogger: Logger = { log: () => {} };

/** Adds fields (a correlation id, a run id) to every entry. */
export function withFields(logger: Logger, fields: LogFields): Logger {
  return { log: (level, message, more) => logger.log(level, message, { ...fields, ...more }) };
}

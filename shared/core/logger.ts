export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

/** Logs a constant message with fields, so that entries can be counted and filtered. */
export interface Logger {
  log(level: LogLevel, message: string, fields?: LogFields): void;
}

/**
 * Formats an entry as a JSON line. A field named `message` is dropped.
 *
 * @example
 * toEntry('step failed', { code: 'TIMEOUT', message: 'late' }) // '{"message":"step failed","code":"TIMEOUT"}'
 */
export function toEntry(message: string, fields: LogFields = {}): string {
  const { message: _, ...others } = fields;
  return JSON.stringify({ message, ...others });
}

/** Writes JSON lines to the console, for work outside of invocations; the host forwards them. */
export const consoleLogger: Logger = {
  log: (level, message, fields) => console[level](toEntry(message, fields)),
};

export const silentLogger: Logger = { log: () => {} };

/** Adds fields (a correlation id, a run id) to every entry. */
export function withFields(logger: Logger, fields: LogFields): Logger {
  return { log: (level, message, more) => logger.log(level, message, { ...fields, ...more }) };
}

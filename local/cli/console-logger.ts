import type { Logger, LogLevel } from '../../shared/core/logger.ts';

const ranks: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
const colours: Readonly<Record<LogLevel, string>> = { debug: '2', info: '36', warn: '33', error: '31' };

/** One line for each entry: time, level, message, then the fields. Coloured on a terminal. */
export function createConsoleLogger(output: NodeJS.WriteStream, least: LogLevel = 'info'): Logger {
  return {
    log(level, text, context = {}) {
      if (ranks[level] < ranks[least]) return;
      const { message, ...fields } = { ...context, ...readEntry(text) };
      const time = new Date().toISOString().slice(11, 23);
      const word = level.padEnd(5);
      const coloured = output.isTTY ? `\u001B[${colours[level]}m${word}\u001B[0m` : word;
      const rest = Object.entries(fields)
        .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
        .join(' ');
      output.write(`${time} ${coloured} ${message}${rest && ` ${rest}`}\n`);
    },
  };
}

/** What a function logs is often JSON itself, for Application Insights; a person reads it better unpacked. */
function readEntry(text: string): { readonly message: string; readonly [field: string]: unknown } {
  if (text.startsWith('{"message":')) {
    try {
      return JSON.parse(text) as { readonly message: string };
    } catch {
      // Not an entry after all: shown as it is.
    }
  }
  return { message: text };
}

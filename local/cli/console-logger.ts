import { inspect } from 'node:util';
import type { Logger, LogFields, LogLevel } from '../../shared/core/logger.ts';

const ranks: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
const colours: Readonly<Record<LogLevel, string>> = { debug: '2', info: '36', warn: '33', error: '31' };

/** The destination: `process.stderr`, or a substitute in tests. */
type Output = Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;

/** Logs one line per entry: time, level, message, fields. Coloured on a terminal. */
export function createConsoleLogger(output: Output, least: LogLevel = 'info'): Logger {
  const paint = (code: string, text: string): string =>
    output.isTTY && text !== '' ? `\u001B[${code}m${text}\u001B[0m` : text;
  return {
    log(level, text, context = {}) {
      if (ranks[level] < ranks[least]) return;
      const { message, fields } = readEntry(text, context);
      const time = new Date().toISOString().slice(11, 23);
      const parts = [
        paint('2', time),
        paint(colours[level], level.padEnd(5)),
        toLine(message),
        paint('2', renderFields(fields)),
      ];
      output.write(`${parts.filter(Boolean).join(' ')}\n`);
    },
  };
}

interface Entry {
  readonly message: string;
  readonly fields: LogFields;
}

/** Unpacks the entries that functions log as JSON for Application Insights. */
function readEntry(text: string, context: LogFields): Entry {
  if (text.startsWith('{"message":')) {
    try {
      const { message, ...fields } = JSON.parse(text) as LogFields;
      // Fields in both, such as the function's name, appear once.
      return { message: String(message), fields: { ...context, ...fields } };
    } catch {
      // Not an entry: shown unchanged.
    }
  }
  return { message: text, fields: context };
}

/** Renders `name=value`, quoted where needed. Omits invocation ids, which are noise on a terminal. */
function renderFields(fields: LogFields): string {
  return Object.entries(fields)
    .filter(([name, value]) => name !== 'invocationId' && value !== undefined)
    .map(([name, value]) => `${name}=${renderValue(value)}`)
    .join(' ');
}

function renderValue(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? toLine(value) : JSON.stringify(value);
  if (value instanceof Error) return JSON.stringify(value.message);
  return toLine(inspect(value, { depth: 4, breakLength: Number.POSITIVE_INFINITY }));
}

/** Replaces control characters, so that a text from outside cannot forge entries or send terminal commands. */
function toLine(text: string): string {
  return text.trim().replaceAll(/\p{Cc}+/gu, ' ');
}

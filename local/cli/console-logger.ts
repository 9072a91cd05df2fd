import { inspect } from 'node:util';
import type { Logger, LogFields, LogLevel } from '../../shared/core/logger.ts';

const ranks: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
const colours: Readonly<Record<LogLevel, string>> = { debug: '2', info: '36', warn: '33', error: '31' };

/** Where entries go: `process.stderr`, or what stands for it in a test. */
type Output = Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;

/** One line for each entry, whatever it holds: time, level, message, then the fields. Coloured on a terminal. */
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

/** What a function logs is often JSON itself, for Application Insights; a person reads it better unpacked. */
function readEntry(text: string, context: LogFields): Entry {
  if (text.startsWith('{"message":')) {
    try {
      const { message, ...fields } = JSON.parse(text) as LogFields;
      // A field that both know (the function's name) is said once.
      return { message: String(message), fields: { ...context, ...fields } };
    } catch {
      // Not an entry after all: shown as it is.
    }
  }
  return { message: text, fields: context };
}

/** `name=value`, quoted where a blank would make it two. Ids of single calls are for machines, and left out. */
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

/** Line ends and terminal commands in a text that came from outside must not forge entries. */
function toLine(text: string): string {
  return text.trim().replaceAll(/\p{Cc}+/gu, ' ');
}

import { AppError } from '../../core/errors.ts';
import type { TextShape } from './text-chunk.ts';
import { checkText, emptyFile, type TextKind } from './detect-format.ts';
import { type ByteReader } from './bytes/byte-reader.ts';
import type { TextLimits } from './limits.ts';
import { readHeader } from './read-header.ts';
import { nameColumns } from './name-columns.ts';
import { createWindow, type Window } from './bytes/window.ts';
import { findLineEnd, skipLineEnd } from './records/resync.ts';
import { sniffDelimiter } from './sniff-delimiter.ts';

export interface Head {
  readonly shape: TextShape;
  readonly notes: readonly string[];
  /** Starts at the first data record. */
  readonly window: Window;
}

export interface HeadOptions {
  readonly kind: TextKind;
  readonly limits: TextLimits;
  readonly windowBytes: number;
  readonly delimiter: string | undefined;
  readonly header: 'present' | readonly string[] | undefined;
}

/** Reads the first window of UTF-8 text, and detects the shape of its records. */
export async function readHead(reader: ByteReader, options: HeadOptions): Promise<Head> {
  const window = createWindow(options.windowBytes);
  await reader.fill(window, options.windowBytes);
  const { bytes, to, isLast } = window;
  checkText(bytes.subarray(0, Math.min(to, 64 * 1024)), options.kind);
  let start = skipBlankLines(bytes, 0, to);
  if (start === to && isLast) throw emptyFile();
  window.from = start;
  if (options.kind === 'jsonl') return { shape: { kind: 'jsonl' }, notes: [], window };
  const notes: string[] = [];
  const hint = readDelimiterHint(bytes, start, to);
  if (hint) start = skipBlankLines(bytes, hint.next, to);
  const chosen = options.delimiter ?? hint?.delimiter ?? (options.kind === 'tsv' ? '\t' : undefined);
  const guess = chosen === undefined ? sniffDelimiter(bytes, start, to) : { delimiter: chosen };
  checkDelimiter(guess.delimiter);
  if ('note' in guess && guess.note !== undefined) notes.push(guess.note);
  window.from = start;
  const header = options.header;
  if (header !== undefined && header !== 'present') {
    const { names } = nameColumns(header);
    return { shape: { kind: 'csv', delimiter: guess.delimiter, header: names }, notes, window };
  }
  const {
    names,
    notes: more,
    next,
  } = readHeader(window, guess.delimiter, options.limits.maxColumns, header === 'present');
  window.from = next;
  return {
    shape: { kind: 'csv', delimiter: guess.delimiter, header: names },
    notes: [...notes, ...more],
    window,
  };
}

function skipBlankLines(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && findLineEnd(bytes, at, at + 1) === at) at = skipLineEnd(bytes, at, to);
  return at;
}

/** Excel's `sep=;` in the first line. */
function readDelimiterHint(
  bytes: Buffer,
  from: number,
  to: number,
): { delimiter: string; next: number } | undefined {
  const line = bytes.toString('latin1', from, Math.min(to, from + 16));
  const match = /^sep=([^\r\n"])(?=[\r\n])/i.exec(line);
  return match ? { delimiter: match[1]!, next: skipLineEnd(bytes, from + match[0].length, to) } : undefined;
}

function checkDelimiter(delimiter: string): void {
  if (!/^[\t\x20-\x7e]$/.test(delimiter) || /["\w]/.test(delimiter)) {
    throw new AppError(
      'INVALID_ARGUMENT',
      `Invalid delimiter ${JSON.stringify(delimiter)}: use a single ASCII character other than a quote, a letter or a digit.`,
    );
  }
}

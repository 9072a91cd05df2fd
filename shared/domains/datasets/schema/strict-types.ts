import type { ColumnType } from './column.ts';
import type { ValueKind } from './survey.ts';

/**
 * The pattern of the texts that a type accepts. Each rule is a regular expression that RE2 (DuckDB) and JavaScript
 * interpret alike, plus a range. Nothing is rounded, trimmed or guessed.
 *
 * | type | accepted | not accepted |
 * |---|---|---|
 * | int64 | `0`, `-12`, in range | `007` (an identifier, which would lose its zeros), `+1`, `1_000`, `1e3`, `1.0`, `-0` |
 * | decimal(p,s) | `12`, `-0.50`, `.5`; at most s decimal places, trailing zeros aside | what it cannot hold exactly, exponents |
 * | double | numbers with a point or an exponent, whole numbers of up to 15 digits, `NaN`, `inf`, `-Infinity` | whole numbers that it would round, `1e400` |
 * | boolean | `true`, `false` in any case | `yes`, `0`, `t` |
 * | date | `2024-02-29` | `2024-2-29`, `29.02.2024`, `2023-02-29` |
 * | timestamp | `2024-02-29T12:30:00.123456Z`, with a space for the T, `+02:00`, `+0200`, `+02`; without an offset UTC, then also without seconds; a date alone is its midnight | more precise than a microsecond, `24:00`, `12:60` |
 *
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function patternOf(type: ColumnType): string | undefined {
  switch (type) {
    case 'int64':
      return patterns.int64;
    case 'double':
      return patterns.double;
    case 'boolean':
      return patterns.boolean;
    case 'date':
      return patterns.date;
    case 'timestamp':
      return patterns.timestamp;
    case 'string':
      return undefined;
    case 'binary':
      // Matches nothing: bytes have no text form here.
      return '[^\\s\\S]';
    default:
      return decimalPattern(parseDecimal(type).scale);
  }
}

const whole = '(?:0|[1-9][0-9]*)';
const exponent = '[eE][-+]?[0-9]+';
/** The calendar begins with year 1, in the text as well as in UTC. */
const year = '(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})';
const day = `${year}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])`;
const minute = '(?:[01][0-9]|2[0-3]):[0-5][0-9]';
const second = ':[0-5][0-9](?:\\.[0-9]{1,6}0{0,3})?';
const offset = '(?:Z|[-+](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)';
const nan = 'NaN|nan|NAN';
const infinite = '-?(?:inf|Inf|INF|Infinity|infinity)';

const patterns = {
  int64: '0|-?[1-9][0-9]*',
  double: `-?(?:${whole}?\\.[0-9]+(?:${exponent})?|${whole}${exponent}|0|[1-9][0-9]{0,14}0*)|${nan}|${infinite}`,
  boolean: '[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]',
  date: day,
  timestamp: `${day}(?:[T ]${minute}(?:${second}${offset}?)?)?`,
} as const;

function decimalPattern(scale: number): string {
  if (scale === 0) return `-?${whole}(?:\\.0+)?`;
  const fraction = `\\.[0-9]{1,${scale}}0*`;
  return `-?(?:${whole}(?:${fraction})?|${fraction})`;
}

/**
 * @example
 * parseDecimal('decimal(18,2)') // { precision: 18, scale: 2 }
 */
export function parseDecimal(type: string): { readonly precision: number; readonly scale: number } {
  const [, precision = '0', scale = '0'] = /^decimal\((\d+),(\d+)\)$/.exec(type) ?? [];
  return { precision: Number(precision), scale: Number(scale) };
}

/**
 * Texts that mean null in every column but one of strings: what R, pandas, SQL and spreadsheets write, and the quoted
 * empty text. `NaN` is a number in a column of doubles, and null in others.
 */
export const nullWords: ReadonlySet<string> = new Set([
  '',
  'NA',
  'N/A',
  'n/a',
  '#N/A',
  '<NA>',
  'NULL',
  'Null',
  'null',
  'None',
  'NaT',
  '\\N',
]);
const nanWords: ReadonlySet<string> = new Set(nan.split('|'));

export function nullWordsOf(type: ColumnType): readonly string[] {
  if (type === 'string') return [];
  return type === 'double' ? [...nullWords] : [...nullWords, ...nanWords];
}

const anchored = (pattern: string) => new RegExp(`^(?:${pattern})$`);
const exact = {
  int64: anchored(patterns.int64),
  double: anchored(patterns.double),
  boolean: anchored(patterns.boolean),
  date: anchored(patterns.date),
  timestamp: anchored(patterns.timestamp),
  infinite: anchored(infinite),
  zone: anchored(`.*${offset}`),
};
/** Amounts and rounded numbers have up to six decimal places; measurements have more, or an exponent. */
const exactDecimal = /^-?(0|[1-9][0-9]*)?\.([0-9]{1,6})$/;
const leadingZero = /^-?0[0-9]+(?:\.[0-9]+)?$/;
const dayMonth = /^([0-9]{1,2})([/.-])([0-9]{1,2})\2(?:[0-9]{4}|[0-9]{2})(?:[T ,].*)?$/;
const maxDigits = 38;

/**
 * The narrowest kind of a text.
 *
 * @example
 * classify('12') // 'integer'
 * classify('12.50') // 'decimal'
 * classify('0.30000000000000004') // 'double'
 * classify('007') // 'leadingZero'
 * classify('01/02/2024') // 'dayMonth'
 * classify('2024-02-30') // 'text'
 */
export function classify(text: string): ValueKind {
  // Only strings are longer: a text of megabytes is not searched.
  if (text.length > 400) return 'text';
  const first = text.charCodeAt(0);
  const isDigit = first >= 48 && first <= 57;
  if (isDigit || first === 45 || first === 46) return classifyNumeric(text);
  if (exact.boolean.test(text)) return 'boolean';
  if (nullWords.has(text)) return 'nullWord';
  if (nanWords.has(text)) return 'nan';
  if (exact.infinite.test(text)) return 'infinite';
  return classifyRest(text);
}

function classifyNumeric(text: string): ValueKind {
  if (exact.int64.test(text)) {
    const digits = countDigits(text);
    if (digits <= 15) return 'integer';
    if (isInt64(text, digits)) return 'longInteger';
    return digits <= maxDigits ? 'bigInteger' : 'text';
  }
  const decimal = exactDecimal.exec(text);
  if (decimal && (decimal[1] ?? '').length + decimal[2]!.length <= maxDigits) return 'decimal';
  if (exact.double.test(text)) {
    if (exact.infinite.test(text)) return 'infinite';
    return Number.isFinite(Number(text)) ? 'double' : 'text';
  }
  if (exact.date.test(text)) return isDay(text) ? 'date' : 'text';
  if (exact.timestamp.test(text)) {
    if (!isInstant(text)) return 'text';
    return exact.zone.test(text.slice(10)) ? 'timestamp' : 'local';
  }
  return classifyRest(text);
}

function classifyRest(text: string): ValueKind {
  if (leadingZero.test(text)) return 'leadingZero';
  if (dayMonth.test(text)) return 'dayMonth';
  const trimmed = text.trim();
  if (trimmed.length === text.length || trimmed === '') return 'text';
  const inner = classify(trimmed);
  return inner === 'text' || inner === 'padded' ? 'text' : 'padded';
}

/** Whether a text is a value of a type. */
export function fits(type: ColumnType, text: string): boolean {
  switch (type) {
    case 'string':
      return true;
    case 'binary':
      return false;
    case 'int64':
      return exact.int64.test(text) && isInt64(text, countDigits(text));
    case 'double':
      return exact.double.test(text) && (Math.abs(Number(text)) !== Infinity || exact.infinite.test(text));
    case 'boolean':
      return exact.boolean.test(text);
    case 'date':
      return exact.date.test(text) && isDay(text);
    case 'timestamp':
      return exact.timestamp.test(text) && isInstant(text);
    default: {
      const { precision, scale } = parseDecimal(type);
      if (!anchored(decimalPattern(scale)).test(text)) return false;
      const [integer = ''] = text.replace('-', '').split('.');
      return (integer === '0' ? 0 : integer.length) <= precision - scale;
    }
  }
}

function countDigits(text: string): number {
  return text.charCodeAt(0) === 45 ? text.length - 1 : text.length;
}

function isInt64(text: string, digits: number): boolean {
  if (digits !== 19) return digits < 19;
  return text.charCodeAt(0) === 45 ? text <= '-9223372036854775808' : text <= '9223372036854775807';
}

const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether the calendar has the day of a text that matches the pattern. */
function isDay(text: string): boolean {
  const year = Number(text.slice(0, 4));
  const month = Number(text.slice(5, 7));
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && isLeap ? 29 : daysInMonth[month - 1]!;
  return Number(text.slice(8, 10)) <= days;
}

/** The same for a timestamp, which must also lie in the years 1 to 9999 in UTC. */
function isInstant(text: string): boolean {
  if (!isDay(text)) return false;
  const edge = text.startsWith('0001-01-01') || text.startsWith('9999-12-31');
  if (!edge) return true;
  const zone = /([-+])(\d\d):?(\d\d)?$/.exec(text.slice(10));
  if (!zone) return true;
  const shift = (Number(zone[2]) * 60 + Number(zone[3] ?? 0)) * (zone[1] === '-' ? 1 : -1);
  const minutes = Number(text.slice(11, 13)) * 60 + Number(text.slice(14, 16)) + shift;
  return text.startsWith('0001') ? minutes >= 0 : minutes < 24 * 60;
}

/** Counts the digits before and after the point of an integer or a decimal, without leading zeros. */
export function measureDigits(text: string): { readonly integer: number; readonly scale: number } {
  const start = text.charCodeAt(0) === 45 ? 1 : 0;
  const point = text.indexOf('.');
  const end = point < 0 ? text.length : point;
  const isZero = end - start === 1 && text.charCodeAt(start) === 48;
  return { integer: isZero ? 0 : end - start, scale: point < 0 ? 0 : text.length - point - 1 };
}

/** For a `dayMonth`: which of day and month comes first, if only one of them can. */
export function readDayMonth(text: string): 'dayFirst' | 'monthFirst' | 'either' {
  const [, first, , second] = dayMonth.exec(text) ?? [];
  if (Number(first) > 12) return 'dayFirst';
  return Number(second) > 12 ? 'monthFirst' : 'either';
}

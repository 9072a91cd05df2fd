import { roundDownMoment, roundUpMoment } from './stats-moments.ts';
import { roundUpText, shortenText } from './stats-texts.ts';
import type { DeltaType } from '../schema.ts';

export interface FileStats {
  readonly rows: number;
  /** In the order of the schema. */
  readonly columns: readonly ColumnStats[];
}

export interface ColumnStats {
  readonly name: string;
  readonly type: DeltaType;
  readonly nulls: number;
  /**
   * As text: numbers as digits, `2026-01-02`, `2026-01-02 03:04:05.123456` (UTC; `T`, `Z` and `+00` are accepted). Must be
   * omitted if the column holds NaN or infinity.
   */
  readonly min?: string;
  readonly max?: string;
}

/** Delta's default: readers do not use statistics of later columns. */
const maxColumns = 32;

/** The columns with bounds. */
export function listStatsColumns(
  columns: readonly { readonly name: string; readonly type: DeltaType }[],
): readonly string[] {
  return columns
    .slice(0, maxColumns)
    .filter(({ type }) => type !== 'boolean' && type !== 'binary')
    .map(({ name }) => name);
}

/**
 * The text of `AddFile.stats`, by which readers skip files. Numbers are copied digit by digit. Omits bounds without a safe
 * text, which is always allowed: of booleans, binary, infinities, and years past 9999.
 *
 * @see https://github.com/delta-io/delta/blob/master/PROTOCOL.md#per-file-statistics
 * @example
 * buildStats({ rows: 2, columns: [{ name: 'n', type: 'long', nulls: 1, min: '9007199254740993', max: '9007199254740993' }] }) // '{"numRecords":2,"minValues":{"n":9007199254740993},"maxValues":{"n":9007199254740993},"nullCount":{"n":1}}'
 */
export function buildStats({ rows, columns }: FileStats): string {
  const minValues: string[] = [];
  const maxValues: string[] = [];
  const nullCount: string[] = [];
  for (const column of columns.slice(0, maxColumns)) {
    const key = JSON.stringify(column.name);
    nullCount.push(`${key}:${column.nulls}`);
    const { min, max } = column;
    if (min !== undefined && max !== undefined && (isInfinite(min) || isInfinite(max))) continue;
    const low = min === undefined ? undefined : formatBound(column.type, min, 'min');
    const high = max === undefined ? undefined : formatBound(column.type, max, 'max');
    if (low !== undefined) minValues.push(`${key}:${low}`);
    if (high !== undefined) maxValues.push(`${key}:${high}`);
  }
  const bounds = (name: string, values: readonly string[]) =>
    // Readers take an empty object for bounds that match nothing.
    values.length === 0 ? '' : `"${name}":{${values.join()}},`;
  return `{"numRecords":${rows},${bounds('minValues', minValues)}${bounds('maxValues', maxValues)}"nullCount":{${nullCount.join()}}}`;
}

/** @returns a JSON token; undefined if there is no safe bound */
function formatBound(type: DeltaType, value: string, side: 'min' | 'max'): string | undefined {
  switch (type) {
    case 'boolean':
    case 'binary':
      return undefined;
    case 'string': {
      const bound = side === 'min' ? shortenText(value) : roundUpText(value);
      return bound === undefined ? undefined : JSON.stringify(bound);
    }
    case 'date':
      return /^\d{4}-\d\d-\d\d$/.test(value) ? JSON.stringify(value) : undefined;
    case 'timestamp':
    case 'timestamp_ntz': {
      const moment = side === 'min' ? roundDownMoment(value) : roundUpMoment(value);
      if (moment === undefined) return undefined;
      return JSON.stringify(type === 'timestamp' ? `${moment}Z` : moment);
    }
    case 'float':
    case 'double':
      // Not every reader treats both zeros as equal.
      if (Number(value) === 0) return side === 'min' ? '-0.0' : '0.0';
      return formatNumber(value);
    case 'long':
    case 'integer':
    case 'short':
    case 'byte':
    default:
      return formatNumber(value);
  }
}

/** JSON has no leading zeros, no plus sign and no bare point. */
function formatNumber(value: string): string | undefined {
  const [, sign = '', whole = '', fraction = '', exponent = ''] =
    /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+))?$/.exec(value.trim()) ?? [];
  if (whole === '' && fraction === '') return undefined;
  const digits = whole.replace(/^0+(?=\d)/, '') || '0';
  return `${sign === '-' ? '-' : ''}${digits}${fraction && `.${fraction}`}${exponent && `e${exponent}`}`;
}

function isInfinite(value: string): boolean {
  return /^[-+]?(inf|infinity|nan)$/i.test(value.trim());
}

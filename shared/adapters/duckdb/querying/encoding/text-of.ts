import type { Column } from '../../../../domains/datasets/schema/column.ts';
import { parseDecimal } from '../../../../domains/datasets/schema/strict-types.ts';
import { quoteName } from '../../quote.ts';

/**
 * SQL expressions that convert values of a dataset's columns to text. Integers and decimals keep all digits, timestamps
 * are ISO 8601 in UTC with microseconds, binary values are Base64.
 */

const safeInteger = 9_007_199_254_740_991;

export interface JsonTextOptions {
  /** Writes integers and decimals as JSON numbers, although readers may round them. */
  readonly allDigits?: boolean;
}

/**
 * A value as JSON. NaN and infinities are strings. Because readers parse JSON numbers as doubles, integers beyond
 * ±(2⁵³−1) and all decimals are strings unless `allDigits` is set.
 */
export function jsonTextOf({ name, type }: Column, { allDigits = false }: JsonTextOptions = {}): string {
  const value = quoteName(name);
  const isNumber = allDigits && (type === 'int64' || type.startsWith('decimal'));
  return `coalesce(${isNumber ? plainText(value, type) : jsonText(value, type)}, 'null')`;
}

function jsonText(value: string, type: Column['type']): string {
  switch (type) {
    case 'int64':
      return `CASE WHEN ${value} BETWEEN -${safeInteger} AND ${safeInteger} THEN ${value}::VARCHAR ELSE ${quoted(`${value}::VARCHAR`)} END`;
    case 'double':
      return `CASE WHEN isfinite(${value}) THEN ${value}::VARCHAR ELSE ${quoted(doubleText(value))} END`;
    case 'boolean':
      return `${value}::VARCHAR`;
    case 'string':
      return `to_json(${value})::VARCHAR`;
    case 'binary':
    case 'date':
    case 'timestamp':
    default:
      // These texts contain no quotes and no backslashes.
      return quoted(plainText(value, type));
  }
}

/** A value as the text of a CSV field, before quoting. */
export function fieldTextOf({ name, type }: Column): string {
  return plainText(quoteName(name), type);
}

function plainText(value: string, type: Column['type']): string {
  switch (type) {
    case 'string':
      return value;
    case 'double':
      return doubleText(value);
    case 'binary':
      return `to_base64(${value})`;
    case 'date':
      return isoText(value, '-%m-%d');
    case 'timestamp':
      // Avoids ICU's calendar, which loses milliseconds and distant years.
      return isoText(`make_timestamp(epoch_us(${value}))`, '-%m-%dT%H:%M:%S.%fZ', value);
    case 'int64':
    case 'boolean':
      return `${value}::VARCHAR`;
    default:
      // DuckDB writes .5 for a decimal without integer digits, which is not valid JSON.
      return hasNoWhole(type)
        ? `regexp_replace(${value}::VARCHAR, '^(-?)[.]', '\\10.')`
        : `${value}::VARCHAR`;
  }
}

function hasNoWhole(type: Column['type']): boolean {
  const { precision, scale } = parseDecimal(type);
  return precision === scale;
}

function doubleText(value: string): string {
  return `CASE WHEN isnan(${value}) THEN 'NaN' WHEN isinf(${value}) THEN CASE WHEN ${value} > 0 THEN 'Infinity' ELSE '-Infinity' END ELSE ${value}::VARCHAR END`;
}

/**
 * Years outside of 0–9999 have a sign and six digits, as in ISO 8601.
 *
 * @param stored the stored value, which can be infinite
 */
function isoText(value: string, rest: string, stored = value): string {
  const year = `year(${value})`;
  const far = `CASE WHEN ${year} = 0 THEN '0000' WHEN ${year} < 0 THEN '-' || lpad((-${year})::VARCHAR, 6, '0') ELSE '+' || lpad(${year}::VARCHAR, 6, '0') END`;
  return `CASE WHEN NOT isfinite(${stored}) THEN ${stored}::VARCHAR WHEN ${year} BETWEEN 1 AND 9999 THEN strftime(${value}, '%Y${rest}') ELSE ${far} || strftime(${value}, '${rest}') END`;
}

function quoted(text: string): string {
  return `'"' || ${text} || '"'`;
}

/** Quotes a CSV field if readers could misread it. */
export function quoteField(text: string): string {
  return text === '' || /[",\r\n]|^ | $/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

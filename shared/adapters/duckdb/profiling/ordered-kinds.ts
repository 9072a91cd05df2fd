import { doubleEdges, wholeEdges } from '../../../domains/datasets/profiles/bucket-edges.ts';
import { formatDay, formatMoment } from '../../../domains/datasets/schema/format-moment.ts';
import { daysOf, microsOf } from '../column-sql.ts';
import { quoteText } from '../quote.ts';

/** Reads and writes ordered values in SQL without losing a digit. */
export interface OrderedKind<Value extends bigint | number> {
  /** The expression to group by. */
  group(expression: string): string;
  /** The expression to select a grouped value, and the parser of the result. */
  out(value: string): string;
  parse(selected: unknown): Value;
  /** A SQL literal of the grouped type. */
  literal(value: Value): string;
  format(value: Value): string;
  edges(min: Value, max: Value, buckets: number): readonly Value[];
}

export const doubles: OrderedKind<number> = {
  // 0 and -0 are one group, shown as 0.
  group: (expression) => `CASE WHEN ${expression} = 0 THEN 0 ELSE ${expression} END`,
  out: (value) => value,
  parse: (selected) => selected as number,
  literal: (value) => `'${value}'::DOUBLE`,
  format: String,
  edges: doubleEdges,
};

export const integers: OrderedKind<bigint> = {
  group: (expression) => expression,
  out: (value) => value,
  parse: (selected) => selected as bigint,
  literal: (value) => `'${value}'::BIGINT`,
  format: String,
  edges: wholeEdges,
};

/** As days since 1970. */
export const dates: OrderedKind<bigint> = {
  ...integers,
  group: daysOf,
  format: (days) => formatDay(Number(days)),
};

/** As microseconds since 1970. */
export const timestamps: OrderedKind<bigint> = { ...integers, group: microsOf, format: formatMoment };

/** As integers in units of the last digit: 1.50 is 150n. */
export function decimalsOf(type: string, scale: number): OrderedKind<bigint> {
  const format = (value: bigint) => formatDecimal(value, scale);
  return {
    group: (expression) => expression,
    out: (value) => `${value}::VARCHAR`,
    parse: (selected) => BigInt(String(selected).replace('.', '')),
    literal: (value) => `${quoteText(format(value))}::${type}`,
    format,
    edges: wholeEdges,
  };
}

/**
 * @example
 * formatDecimal(-5n, 2) // '-0.05'
 * formatDecimal(12n, 0) // '12'
 */
export function formatDecimal(unscaled: bigint, scale: number): string {
  if (scale === 0) return String(unscaled);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

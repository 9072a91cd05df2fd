import { z } from 'zod';
import { columnTypeSchema } from '../schema/column.ts';

/**
 * A value of a column as exact text: `9007199254740993`, `1.50` (with all digits of the scale), `0.1` (the shortest
 * text that parses to the same double), `true`, `2026-01-02`, `2026-01-02T03:04:05.123456Z`. Texts are cut to the
 * profile's `textChars`. Binary is the Base64 of its first bytes.
 */
const valueText = z.string();

const topValueSchema = z.object({
  value: valueText,
  rows: z.int(),
  /** Whether the value is cut. */
  isCut: z.literal(true).optional(),
});

/**
 * `values[i]` is the least value of the column that at least a share `levels[i]` of the values does not exceed (inverse
 * distribution function: type 1 of Hyndman and Fan, `inverted_cdf` in NumPy). `rowsUpTo[i]` values are less than or
 * equal to it: the distribution function, exact at these points also with ties.
 */
const quantilesSchema = z.object({
  levels: z.array(z.number()),
  values: z.array(valueText),
  rowsUpTo: z.array(z.int()),
});

/**
 * Buckets of equal width: bucket i holds the values from `edges[i]`, inclusive, to `edges[i+1]`, exclusive (inclusive in
 * the last bucket). Edges of integers, dates, timestamps and decimals are exact values of the type; the last one is
 * above the greatest value.
 */
const histogramSchema = z.object({ edges: z.array(valueText), rows: z.array(z.int()) });

/** Of numbers. NaN and infinite values are counted here, and excluded from all other figures. */
const numbersSchema = z.object({
  /** The exact mean of integers and doubles, rounded once; of decimals as if each were a double. */
  mean: z.number().optional(),
  /** The sample standard deviation. Omitted for fewer than two values, and if it overflows a double. */
  std: z.number().optional(),
  zeros: z.int(),
  negatives: z.int(),
  /** For doubles only. */
  nans: z.int().optional(),
  positiveInfinities: z.int().optional(),
  negativeInfinities: z.int().optional(),
});

/** In code points; for binary in bytes. */
const lengthsSchema = z.object({ min: z.int(), mean: z.number(), max: z.int(), empty: z.int() });

export const columnProfileSchema = z.object({
  name: z.string(),
  type: columnTypeSchema,
  /** Values that are not null. */
  count: z.int(),
  nulls: z.int(),
  /** Distinct values without null. All NaN are one value; 0 and -0 are the same. */
  distinct: z.int(),
  /** Omitted if there are no values, and for binary. Texts are ordered by code points; doubles without NaN and infinities. */
  min: valueText.optional(),
  max: valueText.optional(),
  /** Whether `min` or `max` is cut. */
  isCut: z.literal(true).optional(),
  numbers: numbersSchema.optional(),
  booleans: z.object({ trues: z.int(), falses: z.int() }).optional(),
  lengths: lengthsSchema.optional(),
  /** For numbers, dates and timestamps. */
  quantiles: quantilesSchema.optional(),
  histogram: histogramSchema.optional(),
  /** The most frequent values; the least of equally frequent ones. Not for binary. */
  top: z.array(topValueSchema).optional(),
});
export type ColumnProfile = z.infer<typeof columnProfileSchema>;
export type NumberFigures = z.infer<typeof numbersSchema>;
export type Histogram = z.infer<typeof histogramSchema>;
export type Quantiles = z.infer<typeof quantilesSchema>;
export type TopValue = z.infer<typeof topValueSchema>;

export const profileSchema = z.object({
  /** Changes when figures are defined differently and cannot be compared. */
  profileVersion: z.literal(1),
  rows: z.int(),
  columns: z.array(columnProfileSchema),
  /** The limits on its size. */
  limits: z.object({
    topValues: z.int(),
    textChars: z.int(),
    histogramBuckets: z.int(),
    quantiles: z.enum(['every-percent', 'every-5-percent', 'seven']),
    maxBytes: z.int(),
  }),
  /** How many columns at the end have only counts because of `limits.maxBytes`. */
  shortColumns: z.int(),
});
export type Profile = z.infer<typeof profileSchema>;

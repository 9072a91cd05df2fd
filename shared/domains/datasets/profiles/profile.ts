import { z } from 'zod';
import { columnTypeSchema } from '../schema/column.ts';

/**
 * A value of a column as exact text: `9007199254740993`, `1.50` (with all digits of the scale), `0.1` (the shortest
 * digits that give the same double), `true`, `2026-01-02`, `2026-01-02T03:04:05.123456Z`; texts as they are, cut to the
 * profile's `textChars`; binary as Base64 of its first bytes.
 */
const valueText = z.string();

const topValueSchema = z.object({
  value: valueText,
  rows: z.int(),
  /** The value goes on: it is longer than a profile keeps. */
  isCut: z.literal(true).optional(),
});

/**
 * `values[i]` is the least value that at least `levels[i]` of the values do not exceed: a value that stands in the column
 * (inverse of the distribution function: type 1 of Hyndman and Fan, `inverted_cdf` in NumPy). `rowsUpTo[i]` values
 * are less than or equal to it: the distribution function, exact at these points also where values are equal.
 */
const quantilesSchema = z.object({
  levels: z.array(z.number()),
  values: z.array(valueText),
  rowsUpTo: z.array(z.int()),
});

/**
 * Buckets of equal width: bucket i holds the values from `edges[i]` (inside) to `edges[i+1]` (outside; in the last
 * bucket inside). Between whole numbers, dates, timestamps and decimals edges are exact values of that type, which
 * end at least one step after the greatest value.
 */
const histogramSchema = z.object({ edges: z.array(valueText), rows: z.array(z.int()) });

/** Of numbers; NaN and infinite values are counted, and left out of all other figures. */
const numbersSchema = z.object({
  /** Of whole numbers and doubles the exact sum, rounded once; of decimals as if each were a double. */
  mean: z.number().optional(),
  /** Of a sample: divided by one less than the number of values; left out below two values, and beyond doubles. */
  std: z.number().optional(),
  zeros: z.int(),
  negatives: z.int(),
  /** Of doubles only. */
  nans: z.int().optional(),
  positiveInfinities: z.int().optional(),
  negativeInfinities: z.int().optional(),
});

/** In code points; of binary in bytes. */
const lengthsSchema = z.object({ min: z.int(), mean: z.number(), max: z.int(), empty: z.int() });

export const columnProfileSchema = z.object({
  name: z.string(),
  type: columnTypeSchema,
  /** Values that are not null. */
  count: z.int(),
  nulls: z.int(),
  /** Different values, null not counted; NaN counts as one value, 0 and -0 as the same. */
  distinct: z.int(),
  /** Left out when there is none; text by code points; of doubles the finite ones. Not of binary. */
  min: valueText.optional(),
  max: valueText.optional(),
  /** `min` or `max` goes on: it is longer than a profile keeps. */
  isCut: z.literal(true).optional(),
  numbers: numbersSchema.optional(),
  booleans: z.object({ trues: z.int(), falses: z.int() }).optional(),
  lengths: lengthsSchema.optional(),
  /** Of numbers, dates and timestamps. */
  quantiles: quantilesSchema.optional(),
  histogram: histogramSchema.optional(),
  /** The values that most rows hold; of equally frequent ones the least. Not of binary. */
  top: z.array(topValueSchema).optional(),
});
export type ColumnProfile = z.infer<typeof columnProfileSchema>;
export type NumberFigures = z.infer<typeof numbersSchema>;
export type Histogram = z.infer<typeof histogramSchema>;
export type Quantiles = z.infer<typeof quantilesSchema>;
export type TopValue = z.infer<typeof topValueSchema>;

export const profileSchema = z.object({
  /** Another number: figures are defined in another way, and are not to be compared with these. */
  profileVersion: z.literal(1),
  rows: z.int(),
  columns: z.array(columnProfileSchema),
  /** What keeps it small. */
  limits: z.object({
    topValues: z.int(),
    textChars: z.int(),
    histogramBuckets: z.int(),
    quantiles: z.enum(['every-percent', 'every-5-percent', 'seven']),
    maxBytes: z.int(),
  }),
  /** How many columns, from the last, keep their counts only because of `limits.maxBytes`. */
  shortColumns: z.int(),
});
export type Profile = z.infer<typeof profileSchema>;

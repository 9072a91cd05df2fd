import { quantilePercents } from '../../../domains/datasets/profiles/choose-limits.ts';
import {
  meanAroundPivot,
  meanAroundZero,
  sampleDeviation,
} from '../../../domains/datasets/profiles/moments.ts';
import type { ProfileLimits } from '../../../domains/datasets/profiles/table-profiler.ts';
import type {
  ColumnProfile,
  Histogram,
  NumberFigures,
  Quantiles,
  TopValue,
} from '../../../domains/datasets/profiles/profile.ts';
import type { ColumnType } from '../../../domains/datasets/schema/column.ts';
import { runQuery } from '../run-query.ts';
import { countBelow, createBlocks, createGroups, readRanks, type ColumnWork } from './groups.ts';
import { dates, decimalsOf, doubles, integers, timestamps, type OrderedKind } from './ordered-kinds.ts';
import { sumDecimals, sumDoubles, sumIntegers, type Extent } from './sum-around-pivot.ts';

export type Figures = Omit<ColumnProfile, 'name' | 'type' | 'nulls'>;
export type OrderedType = Exclude<ColumnType, 'string' | 'binary' | 'boolean'>;

/** Numbers, dates and timestamps. */
export async function profileOrdered(
  work: ColumnWork,
  type: OrderedType,
  limits: ProfileLimits,
): Promise<Figures> {
  switch (type) {
    case 'double':
      return await profileDoubles(work, limits);
    case 'int64':
      return await profileWhole(work, integers, limits, async (extent) => {
        const { exactSum, sums } = await sumIntegers(work, extent);
        const exact = { count: extent.count, sum: exactSum, gridBits: 0, exponent: 0 };
        return { mean: meanAroundPivot(exact, extent.median, 0), std: sampleDeviation(sums) };
      });
    case 'date':
      return await profileWhole(work, dates, limits, undefined);
    case 'timestamp':
      return await profileWhole(work, timestamps, limits, undefined);
    default: {
      const [precision = 0, scale = 0] = (type.match(/\d+/g) ?? []).map(Number);
      const kind = decimalsOf(type.toUpperCase(), scale);
      return await profileWhole(work, kind, limits, async (extent) => {
        const literal = kind.literal(extent.median);
        const sums = await sumDecimals(work, extent, { precision, scale, literal });
        return { mean: meanAroundPivot(sums, extent.median, scale), std: sampleDeviation(sums) };
      });
    }
  }
}

type Moments = Pick<NumberFigures, 'mean'> & { readonly std: number | undefined };

async function profileDoubles(work: ColumnWork, limits: ProfileLimits): Promise<Figures> {
  await createGroups(work, doubles);
  const { count, distinct } = await readCounts(work);
  const top = await readTop(work, doubles, limits.topValues);
  const special = await takeSpecial(work);
  const finite = count - special.nans - special.positiveInfinities - special.negativeInfinities;
  if (finite === 0) return { count, distinct, numbers: { zeros: 0, negatives: 0, ...special }, top };
  const spread = await describeSpread(work, doubles, limits, finite);
  const { aroundZero, aroundMedian } = await sumDoubles(work, spread.extent);
  return {
    count,
    distinct,
    ...spread.figures,
    numbers: {
      mean: meanAroundZero(aroundZero),
      ...present('std', sampleDeviation(aroundMedian)),
      ...(await readSigns(work)),
      ...special,
    },
    top,
  };
}

async function profileWhole(
  work: ColumnWork,
  kind: OrderedKind<bigint>,
  limits: ProfileLimits,
  readMoments: ((extent: Extent<bigint>) => Promise<Moments>) | undefined,
): Promise<Figures> {
  await createGroups(work, kind);
  const { count, distinct } = await readCounts(work);
  const isNumber = readMoments !== undefined;
  if (count === 0)
    return { count, distinct, ...(isNumber ? { numbers: { zeros: 0, negatives: 0 } } : {}), top: [] };
  const top = await readTop(work, kind, limits.topValues);
  const spread = await describeSpread(work, kind, limits, count);
  if (!isNumber) return { count, distinct, ...spread.figures, top };
  const { mean, std } = await readMoments(spread.extent);
  const numbers = { ...present('mean', mean), ...present('std', std), ...(await readSigns(work)) };
  return { count, distinct, ...spread.figures, numbers, top };
}

async function readCounts({ connection, signal }: ColumnWork): Promise<{ count: number; distinct: number }> {
  const sql = 'SELECT count(*)::DOUBLE, coalesce(sum(n), 0)::DOUBLE FROM groups';
  const [distinct, count] = (await runQuery(connection, sql, signal)).getRows()[0] as [number, number];
  return { count, distinct };
}

async function readTop<Value extends bigint | number>(
  { connection, signal }: ColumnWork,
  kind: OrderedKind<Value>,
  topValues: number,
): Promise<TopValue[]> {
  const result = await runQuery(
    connection,
    `SELECT ${kind.out('v')}, n::DOUBLE FROM (SELECT v, n FROM groups ORDER BY n DESC, v LIMIT ${topValues}) ORDER BY n DESC, v`,
    signal,
  );
  return result
    .getRows()
    .map(([value, rows]) => ({ value: kind.format(kind.parse(value)), rows: rows as number }));
}

async function readSigns({ connection, signal }: ColumnWork): Promise<{ zeros: number; negatives: number }> {
  const sum = (condition: string) => `coalesce(sum(n) FILTER (${condition}), 0)::DOUBLE`;
  const sql = `SELECT ${sum('v = 0')}, ${sum('v < 0')} FROM groups`;
  const [zeros, negatives] = (await runQuery(connection, sql, signal)).getRows()[0] as [number, number];
  return { zeros, negatives };
}

/** Counts NaN and infinite values, and removes them from the groups. */
async function takeSpecial({ connection, signal }: ColumnWork): Promise<{
  nans: number;
  positiveInfinities: number;
  negativeInfinities: number;
}> {
  const result = await runQuery(connection, 'SELECT v, n::DOUBLE FROM groups WHERE NOT isfinite(v)', signal);
  const counts = new Map(result.getRows().map(([value, rows]) => [value as number, rows as number]));
  if (counts.size > 0) await runQuery(connection, 'DELETE FROM groups WHERE NOT isfinite(v)', signal);
  return {
    nans: counts.get(NaN) ?? 0,
    positiveInfinities: counts.get(Infinity) ?? 0,
    negativeInfinities: counts.get(-Infinity) ?? 0,
  };
}

async function describeSpread<Value extends bigint | number>(
  work: ColumnWork,
  kind: OrderedKind<Value>,
  limits: ProfileLimits,
  count: number,
): Promise<{
  readonly extent: Extent<Value>;
  readonly figures: { min: string; max: string; quantiles: Quantiles; histogram: Histogram };
}> {
  await createBlocks(work);
  const percents = quantilePercents(limits.quantiles);
  const rankOf = (percent: number) => Math.ceil((percent * count) / 100);
  const [low, high, middle, ...levels] = await readRanks(work, kind, [
    1,
    count,
    rankOf(50),
    ...percents.map(rankOf),
  ]);
  if (low === undefined || high === undefined || middle === undefined) throw new Error('There are no ranks.');
  const extent = { count, min: low.value, max: high.value, median: middle.value };
  return {
    extent,
    figures: {
      min: kind.format(extent.min),
      max: kind.format(extent.max),
      quantiles: {
        levels: percents.map((percent) => percent / 100),
        values: levels.map(({ value }) => kind.format(value)),
        rowsUpTo: levels.map(({ rowsUpTo }) => rowsUpTo),
      },
      histogram: await readHistogram(work, kind, extent, limits.histogramBuckets),
    },
  };
}

async function readHistogram<Value extends bigint | number>(
  work: ColumnWork,
  kind: OrderedKind<Value>,
  { count, min, max }: Extent<Value>,
  buckets: number,
): Promise<Histogram> {
  const edges = kind.edges(min, max, buckets);
  const below = [0, ...(await countBelow(work, kind, edges.slice(1, -1))), count];
  return {
    edges: edges.map((edge) => kind.format(edge)),
    rows: below.slice(1).map((rows, index) => rows - (below[index] ?? 0)),
  };
}

function present<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]: Value });
}

import { setImmediate } from 'node:timers/promises';
import type { MetricPoint } from './entities.ts';

export type SeriesAxis = 'step' | 'time';

export interface SampleOptions {
  readonly axis: SeriesAxis;
  /** The most finite points to answer with; 6 or more. */
  readonly maxPoints: number;
}

/** What is left of a metric's history when it is to be drawn. */
export interface Series {
  /** Finite points, in the order of the axis. */
  readonly points: readonly MetricPoint[];
  /** NaN and infinities, apart: the first of each kind in each bucket. */
  readonly nonFinite: readonly NonFinitePoint[];
  /** How many points there are in all. */
  readonly total: number;
  /** False when `points` and `nonFinite` are the whole history. */
  readonly isSampled: boolean;
}

export interface NonFinitePoint {
  readonly point: MetricPoint;
  /** How many of this kind are in its bucket. */
  readonly count: number;
}

interface Bucket {
  readonly low: MetricPoint | undefined;
  readonly high: MetricPoint | undefined;
  readonly nonFinite: readonly NonFinitePoint[];
}

interface Sampler {
  readonly compare: (a: MetricPoint, b: MetricPoint) => number;
  readonly positionOf: (point: MetricPoint) => number;
  readonly maxBuckets: number;
  /** Of a bucket on the axis: a power of two, doubled whenever there are too many buckets. */
  width: number;
  buckets: Map<number, Bucket>;
  first: MetricPoint | undefined;
  last: MetricPoint | undefined;
}

/** So many points between two looks at the clock: some milliseconds. */
const pointsBetweenYields = 10_000;

/**
 * Down-samples a metric's history for drawing: the axis is cut into equal buckets, and of each bucket the lowest and
 * the highest point are kept, so that no spike is lost; the very first and last points are always there.
 *
 * One pass, in any order, without knowing the range: buckets begin as wide as one step (or millisecond) and double
 * when there are too many. The answer depends on the points only, not on their order. Memory: some hundred bytes for
 * each of `maxPoints`. Buckets without points cost nothing and count for nothing. Ties in value: the earliest point.
 *
 * @param batches each point once; steps and timestamps are integers
 * @see http://www.vldb.org/pvldb/vol7/p797-jugel.pdf (M4: extremes and ends are what a line chart shows)
 */
export async function sampleSeries(
  batches: AsyncIterable<readonly MetricPoint[]>,
  options: SampleOptions,
): Promise<Series> {
  const sampler = createSampler(options);
  let whole: MetricPoint[] | undefined = [];
  let total = 0;
  let sinceYield = 0;
  for await (const batch of batches) {
    total += batch.length;
    if (whole !== undefined && total <= options.maxPoints) whole.push(...batch);
    else {
      for (const point of whole ?? []) addPoint(sampler, point);
      whole = undefined;
      for (const point of batch) addPoint(sampler, point);
    }
    sinceYield += batch.length;
    if (sinceYield < pointsBetweenYields) continue;
    sinceYield = 0;
    await setImmediate();
  }
  return whole === undefined ? { ...summarize(sampler), total } : { ...sortWhole(whole, sampler), total };
}

function createSampler({ axis, maxPoints }: SampleOptions): Sampler {
  return {
    compare: axis === 'step' ? compareBySteps : compareByTime,
    positionOf: axis === 'step' ? (point) => point.step : (point) => point.timestamp,
    // Two: what is left and right of zero never falls into one bucket.
    maxBuckets: Math.max(2, Math.floor((maxPoints - 2) / 2)),
    width: 1,
    buckets: new Map(),
    first: undefined,
    last: undefined,
  };
}

function compareBySteps(a: MetricPoint, b: MetricPoint): number {
  return a.step - b.step || a.timestamp - b.timestamp || compareValues(a.value, b.value);
}

function compareByTime(a: MetricPoint, b: MetricPoint): number {
  return a.timestamp - b.timestamp || a.step - b.step || compareValues(a.value, b.value);
}

/** NaN last. Subtraction would not do: infinity minus infinity is not zero. */
function compareValues(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

function addPoint(sampler: Sampler, point: MetricPoint): void {
  const { compare } = sampler;
  const isFinite = Number.isFinite(point.value);
  if (isFinite) {
    if (sampler.first === undefined || compare(point, sampler.first) < 0) sampler.first = point;
    if (sampler.last === undefined || compare(point, sampler.last) > 0) sampler.last = point;
  }
  const place = Math.floor(sampler.positionOf(point) / sampler.width);
  const added: Bucket = isFinite
    ? { low: point, high: point, nonFinite: [] }
    : { low: undefined, high: undefined, nonFinite: [{ point, count: 1 }] };
  const known = sampler.buckets.get(place);
  sampler.buckets.set(place, known === undefined ? added : mergeBuckets(known, added, compare));
  while (sampler.buckets.size > sampler.maxBuckets) widen(sampler);
}

/** Floors of halves: a bucket's points stay together whatever the width becomes. */
function widen(sampler: Sampler): void {
  const wider = new Map<number, Bucket>();
  for (const [place, bucket] of sampler.buckets) {
    const half = Math.floor(place / 2);
    const known = wider.get(half);
    wider.set(half, known === undefined ? bucket : mergeBuckets(known, bucket, sampler.compare));
  }
  sampler.buckets = wider;
  sampler.width *= 2;
}

function mergeBuckets(a: Bucket, b: Bucket, compare: Sampler['compare']): Bucket {
  return {
    low: pick(a.low, b.low, (x, y) => x.value - y.value || compare(x, y)),
    high: pick(a.high, b.high, (x, y) => y.value - x.value || compare(x, y)),
    nonFinite: b.nonFinite.reduce((kept, next) => addNonFinite(kept, next, compare), a.nonFinite),
  };
}

/** @returns the one that comes first */
function pick<T>(a: T | undefined, b: T | undefined, compare: (a: T, b: T) => number): T | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compare(a, b) <= 0 ? a : b;
}

function addNonFinite(
  kept: readonly NonFinitePoint[],
  next: NonFinitePoint,
  compare: Sampler['compare'],
): readonly NonFinitePoint[] {
  const known = kept.find(({ point }) => Object.is(point.value, next.point.value));
  if (known === undefined) return [...kept, next];
  const point = compare(known.point, next.point) <= 0 ? known.point : next.point;
  return [...kept.filter((other) => other !== known), { point, count: known.count + next.count }];
}

function summarize(sampler: Sampler): Omit<Series, 'total'> {
  const { buckets, first, last, compare } = sampler;
  const points = new Set<MetricPoint>();
  const nonFinite: NonFinitePoint[] = [];
  for (const point of [first, last]) if (point !== undefined) points.add(point);
  for (const bucket of buckets.values()) {
    for (const point of [bucket.low, bucket.high]) if (point !== undefined) points.add(point);
    nonFinite.push(...bucket.nonFinite);
  }
  return {
    points: [...points].sort(compare),
    nonFinite: nonFinite.sort((a, b) => compare(a.point, b.point)),
    isSampled: true,
  };
}

function sortWhole(whole: readonly MetricPoint[], { compare }: Sampler): Omit<Series, 'total'> {
  const sorted = [...whole].sort(compare);
  return {
    points: sorted.filter(({ value }) => Number.isFinite(value)),
    nonFinite: sorted.filter(({ value }) => !Number.isFinite(value)).map((point) => ({ point, count: 1 })),
    isSampled: false,
  };
}

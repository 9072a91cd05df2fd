import { createCountingYielder } from '../../core/async/yielder.ts';
import type { MetricPoint } from './entities.ts';

export type SeriesAxis = 'step' | 'time';

export interface SampleOptions {
  readonly axis: SeriesAxis;
  /** Upper bound of finite points; at least 6. */
  readonly maxPoints: number;
}

/** A metric's history, down-sampled for a chart. */
export interface Series {
  /** Finite points, in the order of the axis. */
  readonly points: readonly MetricPoint[];
  /** NaN and infinities: the first of each kind in each bucket. */
  readonly nonFinite: readonly NonFinitePoint[];
  /** The number of points of the whole history. */
  readonly total: number;
  /** False when nothing was left out. */
  readonly isSampled: boolean;
}

export interface NonFinitePoint {
  readonly point: MetricPoint;
  /** The number of this kind in its bucket. */
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
  /** Of a bucket, in units of the axis: a power of two, doubled when there are too many buckets. */
  width: number;
  buckets: Map<number, Bucket>;
  first: MetricPoint | undefined;
  last: MetricPoint | undefined;
}

/** Points between two yields to the event loop: some milliseconds. */
const pointsBetweenYields = 10_000;

/**
 * Down-samples a metric's history for a line chart: cuts the axis into equal buckets and keeps the lowest and highest
 * point of each, so that no spike is lost, and the first and last point of all.
 *
 * One pass, without knowing the range: buckets start with the width of one step (or millisecond) and double when there
 * are too many. The result does not depend on the order of the points. Memory: some hundred bytes per point of
 * `maxPoints`; empty buckets are free. Of equal values the earliest point is kept.
 *
 * @param batches each point once; steps and timestamps are integers
 * @see http://www.vldb.org/pvldb/vol7/p797-jugel.pdf (M4: a line chart shows extremes and ends)
 */
export async function sampleSeries(
  batches: AsyncIterable<readonly MetricPoint[]>,
  options: SampleOptions,
): Promise<Series> {
  const sampler = createSampler(options);
  let whole: MetricPoint[] | undefined = [];
  let total = 0;
  const yieldIfDue = createCountingYielder(pointsBetweenYields);
  for await (const batch of batches) {
    total += batch.length;
    if (whole !== undefined && total <= options.maxPoints) whole.push(...batch);
    else {
      for (const point of whole ?? []) addPoint(sampler, point);
      whole = undefined;
      for (const point of batch) addPoint(sampler, point);
    }
    await yieldIfDue(batch.length);
  }
  return whole === undefined ? { ...summarize(sampler), total } : { ...sortWhole(whole, sampler), total };
}

function createSampler({ axis, maxPoints }: SampleOptions): Sampler {
  return {
    compare: axis === 'step' ? compareBySteps : compareByTime,
    positionOf: axis === 'step' ? (point) => point.step : (point) => point.timestamp,
    // At least two: negative and positive positions never share a bucket.
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

/** Halves each position and rounds down, so that the points of a bucket stay together. */
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

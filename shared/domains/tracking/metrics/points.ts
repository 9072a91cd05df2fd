import { fromJsonNumber, toJsonNumber } from '../../../core/json/json-number.ts';
import { type TailPoint } from '../documents.ts';
import type { Metric, MetricPoint } from '../entities.ts';

/** Orders a history by timestamp, step and value. Zero only for equal points: NaN sorts right after 0. */
export function compareInHistory(a: MetricPoint, b: MetricPoint): number {
  return a.timestamp - b.timestamp || a.step - b.step || compareValues(a.value, b.value);
}

/** Orders points by step, timestamp and value: the latest is the greatest. */
export function compareForLatest(a: MetricPoint, b: MetricPoint): number {
  return a.step - b.step || a.timestamp - b.timestamp || compareValues(a.value, b.value);
}

/** A total order, with NaN right after 0, so that the latest point does not depend on the order of arrival. */
export function compareValues(a: number, b: number): number {
  const placeA = Number.isNaN(a) ? 0 : a;
  const placeB = Number.isNaN(b) ? 0 : b;
  if (placeA !== placeB) return placeA < placeB ? -1 : 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

/** Identifies a point of a metric. */
export function identityOf({ key, timestamp, step, value }: Metric): string {
  // -0 and 0 are the same value: both print as "0".
  return `${timestamp} ${step} ${String(value)} ${key}`;
}

/** Sorts points in place by the order of the history and removes duplicates. */
export function sortUnique<P extends MetricPoint>(points: P[]): P[] {
  points.sort(compareInHistory);
  let kept = 0;
  for (const point of points) {
    if (kept > 0 && compareInHistory(points[kept - 1]!, point) === 0) continue;
    points[kept] = point;
    kept += 1;
  }
  points.length = kept;
  return points;
}

export function toTailPoint({ key, timestamp, step, value }: Metric): TailPoint {
  return [key, timestamp, step, toJsonNumber(value)];
}

export function fromTailPoint([key, timestamp, step, value]: TailPoint): Metric {
  return { key, timestamp, step, value: fromJsonNumber(value) };
}

import { fromJsonNumber, toJsonNumber, type TailPoint } from '../documents.ts';
import type { Metric, MetricPoint } from '../entities.ts';

/** In the order of history: timestamp, step, value. Zero only for equal points: NaN stands where 0 does, after it. */
export function compareInHistory(a: MetricPoint, b: MetricPoint): number {
  return a.timestamp - b.timestamp || a.step - b.step || compareValues(a.value, b.value);
}

/** By which the latest point is the greatest: step, timestamp, value. */
export function compareForLatest(a: MetricPoint, b: MetricPoint): number {
  return a.step - b.step || a.timestamp - b.timestamp || compareValues(a.value, b.value);
}

/** A total order, so that the latest of some points is the same in whatever order they arrive. */
function compareValues(a: number, b: number): number {
  const placeA = Number.isNaN(a) ? 0 : a;
  const placeB = Number.isNaN(b) ? 0 : b;
  if (placeA !== placeB) return placeA < placeB ? -1 : 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

/** The same text for the same point of the same metric, and for no other. */
export function identityOf({ key, timestamp, step, value }: Metric): string {
  // -0 and 0 are one value: the text of both is "0".
  return `${timestamp} ${step} ${String(value)} ${key}`;
}

/** Sorts points in place by the order of history and leaves each out that is there twice. */
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

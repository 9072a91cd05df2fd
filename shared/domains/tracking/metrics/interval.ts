import { yieldToEventLoop } from '../../../core/async/yielder.ts';
import type { MetricPoint } from '../entities.ts';
import { compareValues } from './points.ts';

const blockPoints = 16_384;

/**
 * Samples at most `count` points evenly, in the order of step, timestamp and value: the first of each of `count` equal
 * groups, but of the last group the last point.
 *
 * Memory: 28 bytes for each point of the history.
 */
export async function sampleEvenly(
  batches: AsyncIterable<readonly MetricPoint[]>,
  count: number,
  isWanted: (point: MetricPoint) => boolean = () => true,
): Promise<readonly MetricPoint[]> {
  const columns = await readColumns(batches, isWanted);
  const { length } = columns;
  const order = await sortIndexes(columns);
  const at = (place: number): MetricPoint => {
    const index = order === undefined ? place : order[place]!;
    return { step: columns.step[index]!, timestamp: columns.timestamp[index]!, value: columns.value[index]! };
  };
  if (length <= count) return Array.from({ length }, (_, place) => at(place));
  const size = Math.floor(length / count);
  const larger = length % count;
  return Array.from({ length: count }, (_, group) =>
    at(group === count - 1 ? length - 1 : group * size + Math.min(group, larger)),
  );
}

interface Columns {
  readonly length: number;
  readonly step: Float64Array;
  readonly timestamp: Float64Array;
  readonly value: Float64Array;
}

async function readColumns(
  batches: AsyncIterable<readonly MetricPoint[]>,
  isWanted: (point: MetricPoint) => boolean,
): Promise<Columns> {
  let length = 0;
  let step = new Float64Array(blockPoints);
  let timestamp = new Float64Array(blockPoints);
  let value = new Float64Array(blockPoints);
  for await (const batch of batches) {
    for (const point of batch) {
      if (!isWanted(point)) continue;
      if (length === step.length) [step, timestamp, value] = [grow(step), grow(timestamp), grow(value)];
      step[length] = point.step;
      timestamp[length] = point.timestamp;
      value[length] = point.value;
      length += 1;
    }
    await yieldToEventLoop();
  }
  return { length, step, timestamp, value };
}

function grow(column: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(column.length * 2);
  larger.set(column);
  return larger;
}

/** Merge sort that yields to the event loop between blocks. @returns undefined for points in order, the usual case */
async function sortIndexes({ length, step, timestamp, value }: Columns): Promise<Uint32Array | undefined> {
  const compare = (a: number, b: number) =>
    step[a]! - step[b]! || timestamp[a]! - timestamp[b]! || compareValues(value[a]!, value[b]!);
  let isSorted = true;
  for (let index = 1; isSorted && index < length; index += 1) isSorted = compare(index - 1, index) <= 0;
  if (isSorted) return undefined;
  let sorted = Uint32Array.from({ length }, (_, index) => index);
  for (let start = 0; start < length; start += blockPoints) {
    sorted.subarray(start, start + blockPoints).sort(compare);
    await yieldToEventLoop();
  }
  let merged = new Uint32Array(length);
  for (let width = blockPoints; width < length; width *= 2) {
    let [left, right, target] = [0, width, 0];
    for (let start = 0; start < length; start += 2 * width) {
      const middle = Math.min(start + width, length);
      const end = Math.min(start + 2 * width, length);
      [left, right, target] = [start, middle, start];
      while (target < end) {
        const takesLeft = left < middle && (right >= end || compare(sorted[left]!, sorted[right]!) <= 0);
        merged[target] = takesLeft ? sorted[left]! : sorted[right]!;
        if (takesLeft) left += 1;
        else right += 1;
        target += 1;
        if (target % blockPoints === 0) await yieldToEventLoop();
      }
    }
    [sorted, merged] = [merged, sorted];
  }
  return sorted;
}

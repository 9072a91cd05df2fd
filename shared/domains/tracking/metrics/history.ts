import { fromJsonNumber, toJsonNumber } from '../../../core/json/json-number.ts';
import { z } from 'zod';
import { openCursor, sealCursor } from '../../../core/cursor.ts';
import type { Filter, MetadataStore } from '../../../platform/storage/documents.ts';
import { eachDocument } from '../../../platform/storage/page.ts';
import { metadataContainers } from '../../../core/names/resources.ts';
import { type ChunkBody, type TailPoint } from '../documents.ts';
import type { MetricPoint } from '../entities.ts';
import { bucketOf, readMetric } from './chunks.ts';
import { compareInHistory, fromTailPoint, sortUnique } from './points.ts';

export interface MetricHistoryPage {
  readonly points: readonly MetricPoint[];
  readonly pageToken?: string;
}

/** Chunks in memory at once; each has some tens of kilobytes. */
const chunksAtOnce = 16;
/** Points of overlapping chunks merged in memory; beyond that the history is read page by page. */
const maxBuffered = 100_000;
const streamPage = 10_000;

/**
 * Reads a metric's history, sorted by timestamp, step and value. The points are in the run's document (`tail`) and in
 * chunks, which may overlap in time and contain duplicates.
 *
 * Read the tail first: points move from it into chunks, never back.
 */
export class MetricHistory {
  readonly #store: MetadataStore;

  constructor(store: MetadataStore) {
    this.#store = store;
  }

  /**
   * Reads one page. Memory grows with `limit`, not with the history.
   *
   * @throws INVALID_ARGUMENT for a token of another run or metric, or a damaged one
   */
  async readPage(
    runId: string,
    key: string,
    tail: readonly TailPoint[],
    request: { readonly limit: number; readonly pageToken?: string | undefined },
  ): Promise<MetricHistoryPage> {
    const after = request.pageToken === undefined ? undefined : openPoint(runId, key, request.pageToken);
    const points = await this.#readAfter(runId, key, tail, request.limit + 1, after);
    if (points.length <= request.limit) return { points };
    points.length = request.limit;
    return { points, pageToken: sealPoint(runId, key, points.at(-1)!) };
  }

  /** Streams the whole history, some thousand points at a time. Memory grows with the overlap of chunks, to a bound. */
  async *readAll(runId: string, key: string, tail: readonly TailPoint[]): AsyncGenerator<MetricPoint[]> {
    let waiting: MetricPoint[] = pointsOf(tail, key);
    let lastYielded: MetricPoint | undefined;
    for await (const chunk of this.#chunks(runId, key)) {
      const from = chunk.first[bucketOf(key)]!;
      if (waiting.length >= streamPage) {
        sortUnique(waiting);
        const ready = waiting.splice(0, countBefore(waiting, from));
        if (ready.length > 0) {
          lastYielded = ready.at(-1);
          yield ready;
        }
      }
      for (const point of readMetric(chunk, key)) waiting.push(point);
      if (waiting.length > maxBuffered) return yield* this.#readPages(runId, key, tail, lastYielded);
    }
    waiting = sortUnique(waiting);
    for (let start = 0; start < waiting.length; start += streamPage)
      yield waiting.slice(start, start + streamPage);
  }

  async *#readPages(
    runId: string,
    key: string,
    tail: readonly TailPoint[],
    start: MetricPoint | undefined,
  ): AsyncGenerator<MetricPoint[]> {
    for (let after = start; ;) {
      const points = await this.#readAfter(runId, key, tail, streamPage, after);
      if (points.length === 0) return;
      after = points.at(-1);
      yield points;
    }
  }

  /** The first `count` points after a point. */
  async #readAfter(
    runId: string,
    key: string,
    tail: readonly TailPoint[],
    count: number,
    after: MetricPoint | undefined,
  ): Promise<MetricPoint[]> {
    let found = pointsOf(tail, key, after);
    let bound: MetricPoint | undefined;
    for await (const chunk of this.#chunks(runId, key, after?.timestamp)) {
      if (bound !== undefined && chunk.first[bucketOf(key)]! > bound.timestamp) break;
      for (const point of readMetric(chunk, key, after)) {
        if (bound !== undefined && compareInHistory(point, bound) >= 0) break;
        found.push(point);
      }
      if (found.length >= (bound === undefined ? count : 2 * count)) {
        found = sortUnique(found).slice(0, count);
        bound = found[count - 1];
      }
    }
    return sortUnique(found).slice(0, count);
  }

  /** The chunks that can contain points of a key from a time on, in the order of their first points. */
  async *#chunks(runId: string, key: string, from?: number): AsyncGenerator<ChunkBody> {
    const bucket = bucketOf(key);
    const filter: Filter | undefined =
      from === undefined ? undefined : { op: 'compare', test: 'gte', path: ['last', bucket], value: from };
    const chunks = eachDocument<ChunkBody>(this.#store, {
      container: metadataContainers.tracking,
      partition: runId,
      ...(filter === undefined ? {} : { filter }),
      // Skips documents without the member: other kinds, and chunks without a key of the bucket.
      sort: { path: ['first', bucket], direction: 'asc' },
      limit: chunksAtOnce,
    });
    for await (const { body } of chunks) yield body;
  }
}

function pointsOf(tail: readonly TailPoint[], key: string, after?: MetricPoint): MetricPoint[] {
  const points: MetricPoint[] = [];
  for (const entry of tail) {
    if (entry[0] !== key) continue;
    const { timestamp, step, value } = fromTailPoint(entry);
    const point = { timestamp, step, value };
    if (after === undefined || compareInHistory(point, after) > 0) points.push(point);
  }
  return points;
}

/** The number of sorted points before a time. */
function countBefore(points: readonly MetricPoint[], timestamp: number): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (points[middle]!.timestamp < timestamp) low = middle + 1;
    else high = middle;
  }
  return low;
}

const pointSchema = z.tuple([
  z.int(),
  z.int(),
  z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]),
]);

/** A position in the sort order, so that concurrent writes do not shift it. */
function sealPoint(runId: string, key: string, { timestamp, step, value }: MetricPoint): string {
  return sealCursor([runId, key], [timestamp, step, toJsonNumber(value)]);
}

function openPoint(runId: string, key: string, token: string): MetricPoint {
  const [timestamp, step, value] = openCursor([runId, key], token, pointSchema);
  return { timestamp, step, value: fromJsonNumber(value) };
}

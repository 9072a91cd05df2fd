import type { Clock } from '../../../core/clock.ts';
import type { Ids } from '../../../core/ids.ts';
import { fromJsonNumber, toJsonNumber } from '../../../core/json/json-number.ts';
import { isAppError } from '../../../core/errors.ts';
import { sha256 } from '../../../core/ids.ts';
import type { MetadataStore } from '../../../platform/storage/documents.ts';
import { retryConflicts } from '../../../platform/storage/optimistic.ts';
import { chunkKey, type ChunkBody, type PointColumns } from '../documents.ts';
import type { Metric, MetricPoint } from '../entities.ts';
import { compareInHistory, sortUnique } from './points.ts';

/** Points of a full chunk: the next one is opened then. */
export const chunkPoints = 1_000;
/** Points of one change that get a chunk of their own, which needs no read and conflicts with no writer. */
export const ownChunkPoints = 500;

/**
 * Adds points to the open chunk. Idempotent.
 *
 * @returns the number of points in the chunk
 */
export async function addToChunk(
  store: MetadataStore,
  deps: { readonly clock: Clock; readonly ids: Ids },
  runId: string,
  number: number,
  points: readonly Metric[],
): Promise<number> {
  const key = chunkKey(runId, String(number).padStart(8, '0'));
  return retryConflicts(`the metrics of run ${runId}`, deps, async () => {
    const stored = await store.get<ChunkBody>(key);
    const before = stored === undefined ? [] : readChunk(stored.body);
    const { body, count } = toChunk([...before, ...points]);
    if (stored === undefined) await store.create(key, body);
    else if (count > before.length) await store.replace(key, body, stored.etag);
    return count;
  });
}

/**
 * Writes points as a chunk with the hash of its content as id, which makes it idempotent.
 */
export async function writeOwnChunk(
  store: MetadataStore,
  runId: string,
  points: readonly Metric[],
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const { body } = toChunk(points);
  const { container, id } = chunkKey(runId, `own-${sha256(JSON.stringify(body.points)).slice(0, 32)}`);
  try {
    await store.batch(container, runId, [{ kind: 'create', id, body }]);
    return { id, isNew: true };
  } catch (error) {
    // An earlier attempt wrote it.
    if (!isAppError(error, 'ALREADY_EXISTS')) throw error;
    return { id, isNew: false };
  }
}

function toChunk(points: readonly Metric[]): { readonly body: ChunkBody; readonly count: number } {
  const byKey = new Map<string, MetricPoint[]>();
  for (const point of points) {
    const known = byKey.get(point.key);
    if (known === undefined) byKey.set(point.key, [point]);
    else known.push(point);
  }
  const columns: [string, PointColumns][] = [];
  const first = new Map<string, number>();
  const last = new Map<string, number>();
  let count = 0;
  for (const [key, all] of [...byKey].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const unique = sortUnique(all);
    count += unique.length;
    columns.push([key, toColumns(unique)]);
    const bucket = bucketOf(key);
    const from = unique[0]!.timestamp;
    const to = unique.at(-1)!.timestamp;
    first.set(bucket, Math.min(first.get(bucket) ?? from, from));
    last.set(bucket, Math.max(last.get(bucket) ?? to, to));
  }
  const body: ChunkBody = {
    kind: 'metricChunk',
    first: Object.fromEntries(first),
    last: Object.fromEntries(last),
    points: Object.fromEntries(columns),
  };
  return { body, count };
}

function toColumns(points: readonly MetricPoint[]): PointColumns {
  return {
    t: points.map((point) => point.timestamp),
    s: points.map((point) => point.step),
    v: points.map((point) => toJsonNumber(point.value)),
  };
}

function readChunk(body: ChunkBody): Metric[] {
  const points: Metric[] = [];
  for (const [key, columns] of Object.entries(body.points))
    for (const point of readColumns(columns)) points.push({ key, ...point });
  return points;
}

/** The points of one metric in a chunk after a point, in the order of the history. */
export function* readMetric(body: ChunkBody, key: string, after?: MetricPoint): Generator<MetricPoint> {
  if (!Object.hasOwn(body.points, key)) return;
  for (const point of readColumns(body.points[key]!))
    if (after === undefined || compareInHistory(point, after) > 0) yield point;
}

function* readColumns({ t, s, v }: PointColumns): Generator<MetricPoint> {
  for (let index = 0; index < t.length; index += 1)
    yield { timestamp: t[index]!, step: s[index]!, value: fromJsonNumber(v[index]!) };
}

/** Bounds the index entries of a chunk, whatever the number of its keys. */
const buckets = 32;

/** Hashes a key by FNV-1a. @see https://www.rfc-editor.org/rfc/rfc9923 */
export function bucketOf(key: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1)
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193) >>> 0;
  return `b${hash % buckets}`;
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { isAppError } from '../../../core/errors.ts';
import type {
  ColumnStats,
  LocalDataFile,
} from '../../../domains/datasets/ingestion/staging/local-data-file.ts';
import type { Column } from '../../../domains/datasets/schema/column.ts';
import { quoteName, quoteText } from '../quote.ts';
import { runQuery } from '../run-query.ts';

/** Level 1 is a fifth faster than 3, and one percent bigger. */
const writeOptions = 'FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, RETURN_STATS';
/** DuckDB's dictionaries take -0.0 and 0.0 for one value: each would be read back as whichever came first. */
const withoutDictionaries = `${writeOptions}, DICTIONARY_SIZE_LIMIT 0`;
const foundNegativeZero = 'the rows hold a negative zero';

/**
 * Writes the result of a query as one Parquet file, in order. Equal rows give equal bytes.
 *
 * @returns undefined, without a file, when there are no rows
 */
export async function writeDataFile(
  connection: DuckDBConnection,
  query: string,
  path: string,
  columns: readonly Column[],
  signal: AbortSignal,
): Promise<LocalDataFile | undefined> {
  try {
    const copy = (rows: string, options: string) =>
      runQuery(connection, `COPY (${rows}) TO ${quoteText(path)} (${options})`, signal);
    const result = await copy(failOnNegativeZero(query, columns), writeOptions).catch((error: unknown) => {
      if (!(isAppError(error) && error.message.includes(foundNegativeZero))) throw error;
      return copy(query, withoutDictionaries);
    });
    const [written] = result.getRowObjectsJson();
    const rows = Number(written?.['count'] ?? 0);
    if (rows === 0) {
      await rm(path, { force: true });
      return undefined;
    }
    const { sha256, sizeBytes } = await hashFile(path, signal);
    return {
      path,
      sha256,
      sizeBytes,
      rows,
      stats: { columns: readStats(written?.['column_statistics'], columns) },
    };
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** Negative zeros are rare: looking for them while writing costs 3%, looking before would read everything twice. */
function failOnNegativeZero(query: string, columns: readonly Column[]): string {
  const checked = columns
    .filter(({ type }) => type === 'double')
    .map(({ name }) => {
      const value = quoteName(name);
      const fail = `error(${quoteText(foundNegativeZero)})`;
      return `CASE WHEN ${value} = 0 AND signbit(${value}) THEN ${fail} ELSE ${value} END AS ${value}`;
    });
  return checked.length === 0 ? query : `SELECT * REPLACE (${checked.join(', ')}) FROM (${query})`;
}

async function hashFile(path: string, signal: AbortSignal) {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  await pipeline(
    createReadStream(path, { highWaterMark: 1 << 20 }),
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        hash.update(chunk);
        sizeBytes += chunk.length;
      }
    },
    { signal },
  );
  return { sha256: hash.digest('hex'), sizeBytes };
}

/** DuckDB's map of maps, as JSON: `[{key: '"name"', value: [{key: 'min', value: '1'}, …]}, …]`. */
function readStats(map: unknown, columns: readonly Column[]): readonly ColumnStats[] {
  const found = new Map<string, ReadonlyMap<string, string>>();
  for (const { key, value } of map as readonly MapEntry<readonly MapEntry<string>[]>[])
    found.set(key, new Map(value.map((entry) => [entry.key, entry.value])));
  return columns.flatMap(({ name, type }) => {
    const stats = found.get(quoteName(name));
    const nulls = stats?.get('null_count');
    if (stats === undefined || nulls === undefined) return [];
    const min = stats.get('min');
    const max = stats.get('max');
    const isOrdered =
      type !== 'boolean' &&
      type !== 'binary' &&
      stats.get('has_nan') !== 'true' &&
      !isInfinite(type, min) &&
      !isInfinite(type, max);
    return [
      {
        column: name,
        nulls: Number(nulls),
        ...(isOrdered && min !== undefined && max !== undefined ? { min, max } : {}),
      },
    ];
  });
}

interface MapEntry<T> {
  readonly key: string;
  readonly value: T;
}

function isInfinite(type: Column['type'], text: string | undefined): boolean {
  return type === 'double' && text !== undefined && /inf/i.test(text);
}

import type { DuckDBConnection } from '@duckdb/node-api';
import { AppError } from '../../../core/errors.ts';
import type { DiffColumn, RowCounts } from '../../../domains/datasets/diff/row-diff.ts';
import { toJsonValue } from '../querying/encoding/json-value.ts';
import { runQuery } from '../run-query.ts';
import { comparable, type DiffSide } from './diff-sides.ts';

export interface DiffWork {
  readonly connection: DuckDBConnection;
  readonly before: DiffSide;
  readonly after: DiffSide;
  readonly columns: readonly DiffColumn[];
  /** Positions of key columns; empty to compare multisets. */
  readonly keys: readonly number[];
  readonly signal: AbortSignal | undefined;
}

/**
 * The expressions `k0`, `k1`… that identify a row: its keys, or two hashes of the whole row with columns in opposite
 * orders.
 */
export function identify({ keys, columns }: DiffWork): readonly string[] {
  if (keys.length > 0) return keys.map((key) => `c${key}`);
  const all = columns.map((column, index) => comparable(column, `c${index}`));
  return [hashOf(all), hashOf(all.toReversed())];
}

/** `w` counts a row in both versions: 1 for each in the earlier one, 2^32 for each in the later one. */
const later = 4_294_967_296;
export const timesBefore = `(w & ${later - 1})`;
export const timesAfter = '(w >> 32)';

/**
 * Stores the differences in `differences(k0…, w)`, with one aggregate over both tables: nulls in keys are equal, and
 * duplicate keys are found. DuckDB spills to disk, as in any GROUP BY.
 *
 * @throws AppError INVALID_ARGUMENT naming a duplicate key
 */
export async function findDifferences(work: DiffWork): Promise<RowCounts> {
  const { connection, before, after, keys, columns, signal } = work;
  const ids = identify(work);
  const names = ids.map((_, index) => `k${index}`).join(', ');
  const values = columns
    .map((column, index) => comparable(column, `c${index}`))
    .filter((_, index) => !keys.includes(index));
  const hash = keys.length > 0 && values.length > 0 ? hashOf(values) : '0::UBIGINT';
  const selected = ids.map((id, index) => `${id} AS k${index}`).join(', ');
  const all = columns.map((_, index) => index);
  const weigh = (side: DiffSide, weight: number) =>
    `SELECT ${selected}, ${hash} AS h, ${weight}::BIGINT AS w FROM (${side.select(all)})`;
  const isSame =
    keys.length > 0 ? `sum(w) = ${later + 1} AND bit_xor(h) = 0` : `${timesBefore} = ${timesAfter}`;
  await runQuery(
    connection,
    `CREATE OR REPLACE TEMP TABLE differences AS
     SELECT * FROM (
       SELECT ${names}, sum(w)::BIGINT AS w${keys.length > 0 ? `, ${isSame} AS same` : ''}
       FROM (${weigh(before, 1)} UNION ALL ${weigh(after, later)}) GROUP BY ${names})
     WHERE NOT ${keys.length > 0 ? 'same' : `(${isSame})`}`,
    signal,
  );
  if (keys.length > 0) await refuseDuplicateKeys(work, names);
  return await countDifferences(work);
}

async function refuseDuplicateKeys(work: DiffWork, names: string): Promise<void> {
  const { connection, columns, keys, signal } = work;
  const result = await runQuery(
    connection,
    `SELECT ${names}, ${timesBefore}::DOUBLE, ${timesAfter}::DOUBLE FROM differences
     WHERE ${timesBefore} > 1 OR ${timesAfter} > 1 ORDER BY ${names} LIMIT 1`,
    signal,
  );
  const [row] = result.getRows();
  if (row === undefined) return;
  const [before, after] = row.slice(keys.length) as [number, number];
  const which = before > 1 ? 'earlier' : 'later';
  const key = keys.map(
    (place, index) => [columns[place]?.name ?? '', toJsonValue(row[index] ?? null)] as const,
  );
  const shown = key.map(([name, value]) => `${name} = ${JSON.stringify(value)?.slice(0, 200)}`).join(', ');
  throw new AppError(
    'INVALID_ARGUMENT',
    `The key ${shown} occurs ${before > 1 ? before : after} times in the ${which} version: choose unique keys, or none.`,
    { key: Object.fromEntries(key), version: which, rows: before > 1 ? before : after },
  );
}

async function countDifferences({ connection, keys, before, after, signal }: DiffWork): Promise<RowCounts> {
  const sum = (term: string) => `coalesce(sum(${term}), 0)::DOUBLE`;
  const result = await runQuery(
    connection,
    keys.length > 0
      ? `SELECT count(*) FILTER (${timesBefore} = 0)::DOUBLE, count(*) FILTER (${timesAfter} = 0)::DOUBLE,
           count(*) FILTER (${timesBefore} = 1 AND ${timesAfter} = 1)::DOUBLE FROM differences`
      : `SELECT ${sum(`greatest(${timesAfter} - ${timesBefore}, 0)`)}, ${sum(`greatest(${timesBefore} - ${timesAfter}, 0)`)},
           0::DOUBLE FROM differences`,
    signal,
  );
  const [added = 0, removed = 0, changed = 0] = result.getRows()[0] as number[];
  const unchanged = before.rows - removed - changed;
  if (unchanged !== after.rows - added - changed) throw new Error('Counts of a diff do not add up.');
  return { added, removed, changed, unchanged };
}

function hashOf(expressions: readonly string[]): string {
  return expressions.length === 0 ? '0::UBIGINT' : `hash(${expressions.join(', ')})`;
}

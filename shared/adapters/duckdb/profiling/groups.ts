import type { DuckDBConnection } from '@duckdb/node-api';
import { runQuery } from '../run-query.ts';
import type { OrderedKind } from './ordered-kinds.ts';

/** A column to profile. */
export interface ColumnWork {
  readonly connection: DuckDBConnection;
  /** The table expression, and the column expression. */
  readonly from: string;
  readonly expression: string;
  readonly signal: AbortSignal | undefined;
}

/** One row of `blocks` sums up 2^9 rows of `groups`. */
const blockBits = 9;

/**
 * Stores the distinct values of a column with their counts, ascending, in `groups(v, n)`. All figures are computed from
 * it, so that a column is read once.
 */
export async function createGroups(
  { connection, from, expression, signal }: ColumnWork,
  kind: Pick<OrderedKind<never>, 'group'>,
): Promise<void> {
  // The inner query binds the column's name once.
  const values = `SELECT ${kind.group('x')} AS v FROM (SELECT ${expression} AS x FROM ${from}) WHERE x IS NOT NULL`;
  await runQuery(
    connection,
    `CREATE OR REPLACE TEMP TABLE groups AS SELECT v, count(*) AS n FROM (${values}) GROUP BY v ORDER BY v`,
    signal,
  );
}

/**
 * Stores sums over 2^9 groups each in `blocks(b, before, m, lo)`, so that a rank or a value is searched in one block. A
 * running sum over a million groups takes as long as sorting them.
 */
export async function createBlocks({ connection, signal }: ColumnWork): Promise<void> {
  const sums = `SELECT rowid >> ${blockBits} AS b, sum(n)::BIGINT AS m, min(v) AS lo FROM groups GROUP BY b`;
  await runQuery(
    connection,
    `CREATE OR REPLACE TEMP TABLE blocks AS
     SELECT b, m, lo, (sum(m) OVER (ORDER BY b) - m)::BIGINT AS before FROM (${sums})`,
    signal,
  );
}

/** The value at each rank (1 is the least value, duplicates counted), and the number of values not above it. */
export async function readRanks<Value extends bigint | number>(
  { connection, signal }: ColumnWork,
  kind: OrderedKind<Value>,
  ranks: readonly number[],
): Promise<readonly { readonly value: Value; readonly rowsUpTo: number }[]> {
  const result = await runQuery(
    connection,
    `WITH want AS (SELECT DISTINCT unnest([${ranks.join(', ')}]::BIGINT[]) AS r),
     hit AS (SELECT r, b, before FROM want JOIN blocks ON r > before AND r <= before + m),
     run AS (SELECT r, v, before + sum(n) OVER (PARTITION BY r ORDER BY v ROWS UNBOUNDED PRECEDING) AS upto
             FROM hit JOIN groups ON groups.rowid >> ${blockBits} = b),
     least AS (SELECT r, min(v) AS v, min(upto) AS upto FROM run WHERE upto >= r GROUP BY r)
     SELECT r::DOUBLE, ${kind.out('v')}, upto::DOUBLE FROM least`,
    signal,
  );
  const found = new Map(
    result
      .getRows()
      .map(([rank, value, rowsUpTo]) => [rank, { value: kind.parse(value), rowsUpTo: rowsUpTo as number }]),
  );
  return ranks.map((rank) => {
    const hit = found.get(rank);
    if (hit === undefined) throw new Error(`No value has rank ${rank}.`);
    return hit;
  });
}

/** Counts the values below each given value, which must be above the least one. */
export async function countBelow<Value extends bigint | number>(
  { connection, signal }: ColumnWork,
  kind: OrderedKind<Value>,
  values: readonly Value[],
): Promise<readonly number[]> {
  if (values.length === 0) return [];
  const wanted = values.map((value, index) => `(${index}, ${kind.literal(value)})`).join(', ');
  const result = await runQuery(
    connection,
    `WITH want(i, e) AS (VALUES ${wanted}),
     last AS (SELECT i, e, max(b) AS b FROM want JOIN blocks ON lo < e GROUP BY i, e),
     hit AS (SELECT i, e, b, before FROM last JOIN blocks USING (b))
     SELECT i, (any_value(before) + sum(n))::DOUBLE
     FROM hit JOIN groups ON groups.rowid >> ${blockBits} = b AND v < e
     GROUP BY i ORDER BY i`,
    signal,
  );
  return result.getRows().map(([, rows]) => rows as number);
}

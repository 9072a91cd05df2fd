import type { DuckDBConnection } from '@duckdb/node-api';
import type { BadRow } from '../../../formats/tabular/text-chunk.ts';
import type {
  ConvertedChunk,
  ConvertOptions,
} from '../../../domains/datasets/ingestion/staging/table-converter.ts';
import { chooseChunkSize, type ChunkSize } from '../../../formats/tabular/cut-chunks.ts';
import { nameNotFinite } from '../json-sql.ts';
import { quoteName, quoteText } from '../quote.ts';
import { runQuery } from '../run-query.ts';
import { cutRaw, explainFault } from './bad-rows.ts';
import { typeOf } from '../column-sql.ts';
import { type PlannedColumn, planColumns } from './column-plan.ts';
import type { CreatePath } from './convert-chunk.ts';
import { writeDataFile } from './data-file.ts';
import { readParquetColumns } from './parquet-columns.ts';

/**
 * Converts a Parquet file in chunks that are cut by a hash of the rows. DuckDB skips row groups outside of a chunk, so
 * the file is read about twice in all.
 */
export async function* convertParquet(
  connection: DuckDBConnection,
  path: string,
  options: ConvertOptions,
  createPath: CreatePath,
): AsyncGenerator<ConvertedChunk> {
  const { signal } = options;
  const sources = await readParquetColumns(connection, path, signal);
  const planned = planColumns(
    sources.map(({ name }) => name),
    options,
  );
  const values = planned.map((column) => {
    const source = column.source === undefined ? undefined : sources[column.source];
    return `CAST(${source?.toSql ?? 'NULL'} AS ${typeOf(column.type)})`;
  });
  const typed = `SELECT file_row_number AS n, ${values.map((value, index) => `${value} AS v${index}`).join(', ')} FROM read_parquet(${quoteText(path)}, file_row_number = true)`;
  let start = 0;
  for (const end of await findCuts(connection, path, values, signal)) {
    const rows = `(${typed} WHERE file_row_number BETWEEN ${start} AND ${end - 1})`;
    yield await convertRows({ connection, planned, rows, path: createPath('parquet'), signal });
    start = end;
  }
}

/** The row numbers at which chunks end; the last one is the number of rows. */
async function findCuts(
  connection: DuckDBConnection,
  path: string,
  values: readonly string[],
  signal: AbortSignal,
): Promise<readonly number[]> {
  const file = quoteText(path);
  const totals = await runQuery(
    connection,
    `SELECT (SELECT coalesce(sum(num_rows), 0) FROM parquet_file_metadata(${file}))::DOUBLE,
       (SELECT coalesce(sum(total_uncompressed_size), 0) FROM parquet_metadata(${file}))::DOUBLE`,
    signal,
  );
  const [[rows = 0, sizeBytes = 0] = []] = totals.getRows() as number[][];
  const size = chooseChunkSize(sizeBytes / Math.max(1, rows));
  const condition = `hash(${values.join(', ')}) % ${Math.max(1, size.targetRecords / 2)} = 0`;
  const found = await runQuery(
    connection,
    `SELECT file_row_number::DOUBLE FROM read_parquet(${file}, file_row_number = true) WHERE ${condition} ORDER BY 1`,
    signal,
  );
  const candidates = (found.getColumns()[0] ?? []) as readonly number[];
  return placeCuts(candidates, rows, size);
}

/** A chunk ends after the first candidate past its minimum size, or when it is full. */
function placeCuts(candidates: readonly number[], rows: number, size: ChunkSize): readonly number[] {
  const cuts: number[] = [];
  let start = 0;
  for (const candidate of candidates) {
    const end = candidate + 1;
    while (end - start > size.maxRecords) {
      start += size.maxRecords;
      cuts.push(start);
    }
    if (end - start < size.minRecords) continue;
    cuts.push(end);
    start = end;
  }
  while (rows - start > size.maxRecords) {
    start += size.maxRecords;
    cuts.push(start);
  }
  if (start < rows) cuts.push(rows);
  return cuts;
}

async function convertRows(work: {
  readonly connection: DuckDBConnection;
  readonly planned: readonly PlannedColumn[];
  readonly rows: string;
  readonly path: string;
  readonly signal: AbortSignal;
}): Promise<ConvertedChunk> {
  const { connection, planned, rows, path, signal } = work;
  const rules = planned.flatMap((column, index) =>
    column.rules.map((rule) => ({ column, rule, value: `v${index}` })),
  );
  const isGood =
    rules.map(({ rule, value }) => `(${rule.toSql(value)}) IS NOT FALSE`).join(' AND ') || 'true';
  const select = planned.map(({ name }, index) => `v${index} AS ${quoteName(name)}`).join(', ');
  const file = await writeDataFile(
    connection,
    `SELECT ${select} FROM ${rows} WHERE ${isGood} ORDER BY n`,
    path,
    planned,
    signal,
  );
  const bad: BadRow[] = [];
  if (rules.length > 0) {
    const isBroken = rules.map(({ rule, value }) => `WHEN (${rule.toSql(value)}) IS FALSE THEN`);
    const faults = isBroken.map((when, index) => `${when} ${index}`);
    const cells = isBroken.map((when, index) => `${when} ${rules[index]!.value}::VARCHAR`);
    const fields = planned.map(({ name }, index) => `${quoteText(name)}, v${index}`).join(', ');
    const found = await runQuery(
      connection,
      `SELECT n::DOUBLE, CASE ${faults.join(' ')} END::INTEGER, CASE ${cells.join(' ')} END, ${nameNotFinite(`json_object(${fields})::VARCHAR`)} FROM ${rows} WHERE NOT (${isGood}) ORDER BY n`,
      signal,
    );
    for (const [n, fault, text, raw] of found.getRows() as [number, number, string | null, string][]) {
      bad.push({
        row: n + 1,
        byteOffset: 0,
        byteLength: 0,
        ...explainFault(rules[fault]!, text),
        ...cutRaw(raw),
      });
    }
  }
  return { ...(file ? { file } : {}), bad, survey: [] };
}

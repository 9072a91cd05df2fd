import type { TableShape } from '../../../domains/training/table-reader.ts';
import { columnKindOf } from './column-kind.ts';
import { translateDuckDbError } from '../errors.ts';
import { openParquet, type DuckDbOptions, type OpenParquet } from './open-parquet.ts';

/**
 * Reads the shape of a local Parquet file, and decodes every page to find damage early. Costs about 25 ms per million
 * rows of five columns.
 *
 * @throws AppError NOT_FOUND, INVALID_ARGUMENT (wildcards), UNPROCESSABLE for a damaged file
 * @example
 * const shape = await inspectParquet('node_modules/vega-datasets/data/flights-3m.parquet');
 * shape.rows // 3000000
 * shape.columns[0] // { name: 'date', type: 'TIMESTAMP', kind: 'timestamp' }
 */
export async function inspectParquet(
  path: string,
  options: Partial<DuckDbOptions> = {},
): Promise<TableShape> {
  using parquet = await openParquet([path], { threads: 1, memoryLimitMb: 256, ...options });
  const shape = await readShape(parquet);
  try {
    // DuckDB would answer a count or a minimum from the footer.
    await parquet.connection.run(`SELECT bit_xor(hash(COLUMNS(*))) FROM ${parquet.source}`);
  } catch (error) {
    throw translateDuckDbError(error);
  }
  return shape;
}

/** Reads the shape from the footer alone: the cost does not depend on the rows. */
export async function readShape({ connection, source }: OpenParquet): Promise<TableShape> {
  try {
    const result = await connection.run(`SELECT * FROM ${source} LIMIT 0`);
    const columns = result.columnNames().map((name, index) => ({
      name,
      type: result.columnType(index).toString(),
      kind: columnKindOf(result.columnTypeId(index)),
    }));
    // DuckDB answers from the row counts in the footer.
    const count = await connection.runAndReadAll(`SELECT count(*)::DOUBLE FROM ${source}`);
    return { rows: count.value(0, 0) as number, columns };
  } catch (error) {
    throw translateDuckDbError(error);
  }
}

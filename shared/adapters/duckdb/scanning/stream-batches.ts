import type { DuckDBVector } from '@duckdb/node-api';
import type { ColumnBatch, ColumnRequest, TableBatch } from '../../../domains/training/table-reader.ts';
import { translateDuckDbError } from '../errors.ts';
import { interruptOn } from '../interrupt.ts';
import { readChunks } from '../read-chunks.ts';
import type { OpenParquet } from './open-parquet.ts';

/** DuckDB's vector size: the most rows of a chunk. */
const maxChunkRows = 2048;

/** Runs a query and copies each chunk into reused arrays, so that memory does not grow with the rows. */
export async function* streamBatches(
  { connection }: OpenParquet,
  sql: string,
  requests: readonly ColumnRequest[],
  signal: AbortSignal | undefined,
): AsyncGenerator<TableBatch> {
  const buffers = requests.map((request) =>
    request.as === 'category' ? new Int32Array(maxChunkRows) : new Float64Array(maxChunkRows),
  );
  using _interrupt = interruptOn(signal, connection);
  try {
    const result = await connection.stream(sql);
    let firstRow = 0;
    for await (const chunk of readChunks(result, signal)) {
      const rows = chunk.rowCount;
      const columns = buffers.map((buffer, index): ColumnBatch => {
        const vector = chunk.getColumnVector(index);
        if (buffer instanceof Int32Array) {
          copyNumbers(vector, buffer, rows, -1);
          return { as: 'category', codes: buffer.subarray(0, rows) };
        }
        copyNumbers(vector, buffer, rows, NaN);
        return { as: 'number', values: buffer.subarray(0, rows) };
      });
      yield { firstRow, rows, columns };
      firstRow += rows;
    }
  } catch (error) {
    throw translateDuckDbError(error);
  }
}

function copyNumbers(
  vector: DuckDBVector,
  into: Int32Array | Float64Array,
  rows: number,
  missing: number,
): void {
  for (let row = 0; row < rows; row++) {
    const value = vector.getItem(row);
    into[row] = typeof value === 'number' ? value : missing;
  }
}

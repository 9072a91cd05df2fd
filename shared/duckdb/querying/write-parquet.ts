import type { LocalTable } from '../../datasets/reading/table-engine.ts';
import { translateDuckDbError } from '../errors.ts';
import { quoteText } from '../quote.ts';
import { interruptOn } from './interrupt.ts';
import { openTable } from './open-table.ts';
import type { JobLimits } from './protocol.ts';

/** Cells that a row group may have: it is written from memory. */
const maxCells = 4_000_000;

/** All rows of a table as one Parquet file, in their order. */
export async function writeParquet(
  table: LocalTable,
  path: string,
  limits: JobLimits,
  signal: AbortSignal,
): Promise<void> {
  using open = await openTable(table, limits, [path]);
  using _interrupt = interruptOn(signal, open.connection);
  const groupRows = Math.min(122_880, Math.max(2_048, Math.floor(maxCells / table.columns.length)));
  try {
    await open.connection.run(
      `COPY (${open.select}) TO ${quoteText(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${groupRows}, USE_TMP_FILE false)`,
    );
  } catch (error) {
    throw translateDuckDbError(error);
  }
}

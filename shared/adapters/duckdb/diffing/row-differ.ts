import type { RowDiffer } from '../../../domains/datasets/diff/row-differ.ts';
import { checkParquet } from '../check-parquet.ts';
import { openDuckDb, type DuckDbSessionOptions } from '../session.ts';
import { findKeys, joinColumns, openSide } from './diff-sides.ts';
import { findDifferences, type DiffWork } from './find-differences.ts';
import { limitRows, readDifferences } from './read-differences.ts';

export type RowDifferOptions = Pick<
  DuckDbSessionOptions,
  'threads' | 'memoryLimitMb' | 'tempDirectory' | 'tempLimitMb'
>;

/** Compares rows in one private database per call, which sees only the files of the two tables. */
export function createRowDiffer(options: RowDifferOptions): RowDiffer {
  return {
    diff: async (before, after, { keys, offset, limit }, signal) => {
      const columns = joinColumns(before, after);
      const places = findKeys(columns, keys);
      const paths = [...new Set([...before.paths, ...after.paths])];
      for (const path of paths) await checkParquet(path);
      using session = await openDuckDb({
        ...options,
        allowedPaths: paths,
        preserveInsertionOrder: false,
        columns: columns.length,
      });
      const { connection } = session;
      const work: DiffWork = {
        connection,
        before: await openSide(connection, before, columns, 'before', signal),
        after: await openSide(connection, after, columns, 'after', signal),
        columns,
        keys: places,
        signal,
      };
      const counts = await findDifferences(work);
      const rows = await readDifferences(work, { offset, limit: limitRows(columns.length, limit) });
      const count = await connection.runAndReadAll('SELECT count(*)::DOUBLE FROM differences');
      const left = Math.max(0, (count.value(0, 0) as number) - offset - rows.length);
      return { counts, columns: [...columns], rows, left };
    },
  };
}

import { chooseLimits } from '../../../domains/datasets/profiles/choose-limits.ts';
import type {
  ProfileLimits,
  ProfileWork,
  TableProfiler,
} from '../../../domains/datasets/profiles/table-profiler.ts';
import type { ColumnProfile, Profile } from '../../../domains/datasets/profiles/profile.ts';
import type { Column } from '../../../domains/datasets/schema/column.ts';
import { checkParquet } from '../check-parquet.ts';
import { typeOf } from '../column-sql.ts';
import { runQuery } from '../run-query.ts';
import { openDuckDb, type DuckDbSession, type DuckDbSessionOptions } from '../session.ts';
import { countRows, openSource, type TableSource } from '../table-source.ts';
import type { ColumnWork } from './groups.ts';
import { profileOrdered, type Figures } from './profile-ordered.ts';
import { profileBinary, profileBooleans, profileTexts } from './profile-texts.ts';

export type TableProfilerOptions = Pick<
  DuckDbSessionOptions,
  'threads' | 'memoryLimitMb' | 'tempDirectory' | 'tempLimitMb'
>;

/**
 * Profiles tables column by column. Memory and spill hold the distinct values of one column. Costs about twice as much as
 * writing the table as Parquet; a high-cardinality column takes 0.3 s per million rows.
 */
export function createTableProfiler(options: TableProfilerOptions): TableProfiler {
  return {
    profile: async (paths, columns, work) => {
      for (const path of paths) await checkParquet(path);
      using session = await openDuckDb({ ...options, allowedPaths: paths });
      const source = await openSource(session.connection, paths, work.signal);
      const rows = await countRows(session.connection, source, work.signal);
      return await profileColumns(session, { ...source, rows }, columns, work);
    },
  };
}

interface CountedSource extends TableSource {
  readonly rows: number;
}

async function profileColumns(
  session: DuckDbSession,
  source: CountedSource,
  columns: readonly Column[],
  work: ProfileWork,
): Promise<Profile> {
  const limits = chooseLimits(columns.length, work.limits);
  const profiles: ColumnProfile[] = [];
  let sizeBytes = 0;
  let shortColumns = 0;
  for (const batch of cutBatches(columns, source.rows)) {
    const { from, read } = await openBatch(session, source, batch, work.signal);
    for (const column of batch) {
      const columnWork = {
        connection: session.connection,
        from,
        expression: read(column),
        signal: work.signal,
      };
      const figures = await profileColumn(columnWork, column, limits);
      const { name, type } = column;
      const full = { name, type, nulls: source.rows - figures.count, ...figures };
      const bytes = Buffer.byteLength(JSON.stringify(full));
      if (sizeBytes + bytes <= limits.maxBytes && shortColumns === 0) profiles.push(full);
      else {
        shortColumns += 1;
        profiles.push({ name, type, count: full.count, nulls: full.nulls, distinct: full.distinct });
      }
      sizeBytes += bytes;
      work.report?.(
        profiles.length / columns.length,
        `profiled ${profiles.length} of ${columns.length} columns`,
      );
    }
  }
  return { profileVersion: 1, rows: source.rows, columns: profiles, limits, shortColumns };
}

async function profileColumn(work: ColumnWork, { type }: Column, limits: ProfileLimits): Promise<Figures> {
  if (type === 'string') return await profileTexts(work, limits);
  if (type === 'binary') return await profileBinary(work);
  if (type === 'boolean') return await profileBooleans(work);
  return await profileOrdered(work, type, limits);
}

const wide = 64;
const maxBatchValues = 4_000_000;

/**
 * Every query reads the footers of all files, whose size grows with the columns. Many columns of a wide table are copied
 * into memory at once.
 */
function cutBatches(columns: readonly Column[], rows: number): readonly (readonly Column[])[] {
  if (columns.length <= wide) return [columns];
  const size = Math.max(1, Math.min(256, Math.floor(maxBatchValues / Math.max(1, rows))));
  return Array.from({ length: Math.ceil(columns.length / size) }, (_, index) =>
    columns.slice(index * size, (index + 1) * size),
  );
}

async function openBatch(
  { connection }: DuckDbSession,
  source: CountedSource,
  batch: readonly Column[],
  signal: AbortSignal | undefined,
): Promise<Pick<TableSource, 'from' | 'read'>> {
  if (batch.length <= 1 || source.rows * batch.length > maxBatchValues) return source;
  const selected = batch.map((column, index) => `${source.read(column)} AS c${index}`).join(', ');
  await runQuery(
    connection,
    `CREATE OR REPLACE TEMP TABLE batch AS SELECT ${selected} FROM ${source.from}`,
    signal,
  );
  return { from: 'batch', read: (column) => `c${batch.indexOf(column)}::${typeOf(column.type)}` };
}

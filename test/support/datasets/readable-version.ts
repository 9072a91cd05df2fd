import { createHash } from 'node:crypto';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { AppError } from '../../../shared/core/errors.ts';
import type { FileCache } from '../../../shared/domains/datasets/reading/file-cache.ts';
import type { ReadableVersion } from '../../../shared/domains/datasets/versions/readable-version.ts';
import type { DataFile } from '../../../shared/domains/datasets/tables/data-file.ts';
import type { TableEngine } from '../../../shared/domains/datasets/reading/table-engine.ts';
import type { Column, ColumnType } from '../../../shared/domains/datasets/schema/column.ts';
import {
  createTableEngine,
  type TableEngineOptions,
} from '../../../shared/adapters/duckdb/querying/processes/table-engine.ts';
import { createScratchFolders } from '../../../shared/adapters/embedded/scratch-folders.ts';
import { patienceMs } from '../hang-guard.ts';
import { createFolder } from '../stores.ts';

export const queryWorkerUrl = new URL('../../../shared/workers/query.ts', import.meta.url);

/** An engine whose idle processes end soon after the test. */
export function createTestEngine(options: Partial<TableEngineOptions> = {}): TableEngine {
  return createTableEngine(
    { workerUrl: queryWorkerUrl, scratch: createScratchFolders() },
    { memoryLimitMb: 256, timeoutMs: patienceMs, idleMs: 500, ...options },
  );
}

export interface TestVersion {
  readonly version: ReadableVersion;
  readonly paths: readonly string[];
  readonly files: FileCache & { readonly held: () => number; readonly opened: string[] };
}

/**
 * A version whose local files are the results of queries.
 *
 * @param columns name and type of each
 * @param folder of the files; by default one that is removed after the test
 */
export async function createTestVersion(
  columns: Readonly<Record<string, ColumnType>>,
  queries: readonly string[],
  folder = createFolder(),
): Promise<TestVersion> {
  const dataset = 'sales';
  const paths: string[] = [];
  const files: DataFile[] = [];
  for (const [index, query] of queries.entries()) {
    const made = join(folder, `${index}.parquet`);
    const rows = await writeAndCount(made, query);
    const bytes = await readFile(made);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const path = join(folder, `${sha256}.parquet`);
    await rename(made, path);
    files.push({ path: `${dataset}/${sha256}.parquet`, sha256, sizeBytes: bytes.length, rows });
    paths.push(path);
  }
  const version: ReadableVersion = {
    dataset,
    version: 3,
    sha256: createHash('sha256').update(JSON.stringify(files)).digest('hex'),
    columns: Object.entries(columns).map(([name, type]): Column => ({ name, type, nullable: true })),
    files,
  };
  return { version, paths, files: createFixedCache(version, paths) };
}

/** Lends local files without copying, and counts the leases. */
function createFixedCache({ files }: ReadableVersion, paths: readonly string[]): TestVersion['files'] {
  const places = new Map(files.map(({ path }, index) => [path, paths[index]!]));
  const opened: string[] = [];
  let held = 0;
  return {
    opened,
    held: () => held,
    async open(wanted, { signal } = {}) {
      if (signal?.aborted) throw new AppError('CANCELLED', 'It was cancelled.');
      held += 1;
      opened.push(...wanted.map(({ path }) => path));
      return {
        paths: wanted.map(({ path }) => places.get(path)!),
        [Symbol.asyncDispose]: async () => void (held -= 1),
      };
    },
  };
}

async function writeAndCount(path: string, query: string): Promise<number> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    return (await connection.run(`COPY (${query}) TO '${path}' (FORMAT parquet)`)).rowsChanged;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { type App, createApp } from '../../../shared/app.ts';
import type { Platform } from '../../../shared/platform/platform.ts';
import { type Config, loadConfig } from '../../../shared/core/config.ts';
import { connect } from '../../../shared/connect.ts';
import { AppError } from '../../../shared/core/errors.ts';
import type { BadRow } from '../../../shared/formats/tabular/text-chunk.ts';
import type { Column } from '../../../shared/domains/datasets/schema/column.ts';
import type { BlobStore } from '../../../shared/platform/storage/blobs.ts';
import { type LoggedCommit, readBlob, replayDeltaLog } from '../delta/replay-log.ts';
import { startTestAzurite } from '../azurite/azurite.ts';
import { createMemoryBlobStore } from '../blobs/memory-store.ts';

export type TextRows = readonly (readonly (string | null)[])[];

/** The outcome of a file, from the services that the triggers call and from the table's log. */
export type IngestOutcome = IngestedFile | RefusedFile;

export interface IngestedFile {
  readonly kind: 'ingested';
  readonly rowsIn: number;
  /** From the statistics of the files that the commit added. */
  readonly committed: number;
  readonly rowsQuarantined: number;
  /** By row number. */
  readonly quarantined: readonly BadRow[];
  readonly columns: readonly Column[];
  /** The rows of the files that the commit added, each value as text. */
  readonly readRows: () => Promise<TextRows>;
}

export interface RefusedFile {
  readonly kind: 'refused';
  readonly code: string;
  readonly reason: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** Commits that the table got nevertheless. */
  readonly newCommits: number;
}

export interface IngestBench {
  readonly app: App;
  readonly blobs: BlobStore;
  /** For further apps on the same data. */
  readonly config: Config;
  readonly platform: Platform;
  /** The rows of data files in order, each value as text; a column that a file lacks is null. */
  readonly readRows: (
    dataset: string,
    paths: readonly string[],
    columns: readonly Column[],
  ) => Promise<TextRows>;
  ingest(file: string, before?: string): Promise<IngestOutcome>;
  close(): Promise<void>;
}

/** The platform's services over the test's own storage, without a host. */
export async function openIngestBench(storage: 'memory' | 'azurite' = 'memory'): Promise<IngestBench> {
  const azurite = storage === 'azurite' ? await startTestAzurite() : undefined;
  const folder = mkdtempSync(join(tmpdir(), 'slipway-test-'));
  const env = {
    SLIPWAY_METADATA_FILE: join(folder, 'metadata.db'),
    SLIPWAY_QUEUE_FILE: join(folder, 'queue.db'),
    AzureWebJobsStorage: azurite?.connectionString ?? 'UseDevelopmentStorage=true',
  };
  const config = loadConfig(env, { version: 'test', commit: 'test' });
  const connected = await connect(config);
  const platform = azurite ? connected : { ...connected, blobs: createMemoryBlobStore() };
  const app = createApp(config, platform);
  await app.prepare();
  const { blobs } = platform;
  let made = 0;
  return {
    app,
    blobs,
    config,
    platform,
    readRows: (dataset, paths, columns) => readRows(blobs, dataset, paths, columns, folder),
    ingest: async (file, before) => {
      made += 1;
      const dataset = `dirty${made}`;
      if (before !== undefined) {
        const clean = await ingestFile(app, blobs, dataset, before, folder);
        if (clean.kind !== 'ingested' || clean.rowsQuarantined > 0)
          throw new Error(`${before} is not clean: ${JSON.stringify(clean)}`);
      }
      return ingestFile(app, blobs, dataset, file, folder);
    },
    close: async () => {
      await azurite?.stop();
      await platform.metadata.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function ingestFile(
  app: App,
  blobs: BlobStore,
  dataset: string,
  file: string,
  folder: string,
): Promise<IngestOutcome> {
  const { ingestion } = app.datasets;
  const ref = { container: 'landing', name: `${dataset}/${basename(file)}` };
  await blobs.put(ref, createReadStream(file));
  const before = await replayDeltaLog(blobs, dataset);
  const work = {
    runId: `run-${dataset}-${before.length}`,
    step: 'ingest',
    codeVersion: 'test',
    signal: new AbortController().signal,
    report: () => undefined,
  };
  try {
    const staged = await ingestion.stage(await ingestion.identify(ref), work);
    const { version } = await ingestion.commit(staged, work);
    const { columns } = await app.datasets.versions.resolve(dataset, String(version));
    const commits = await replayDeltaLog(blobs, dataset);
    const added = findAdded(before.at(-1), commits.at(-1));
    const rows = added.reduce((total, path) => total + (commits.at(-1)?.files.get(path)?.rows ?? 0), 0);
    const { rowsIn, rowsQuarantined } = staged;
    return {
      kind: 'ingested',
      rowsIn,
      rowsQuarantined,
      committed: rows,
      quarantined: await readQuarantine(app, dataset),
      columns,
      readRows: () => readRows(blobs, dataset, added, columns, folder),
    };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message, details } = error;
    const newCommits = (await replayDeltaLog(blobs, dataset)).length - before.length;
    return { kind: 'refused', code, reason: message, details, newCommits };
  }
}

function findAdded(before: LoggedCommit | undefined, after: LoggedCommit | undefined): readonly string[] {
  return [...(after?.files.keys() ?? [])].filter((path) => before?.files.has(path) !== true);
}

/** Earlier files were clean, so every entry belongs to this file. */
async function readQuarantine(app: App, dataset: string): Promise<readonly BadRow[]> {
  const { items } = await app.datasets.quarantine.list(dataset, { limit: 10 });
  const rows: BadRow[] = [];
  for (const { quarantineId } of items) {
    let cursor: string | undefined;
    do {
      const options = { limit: 1_000, ...(cursor === undefined ? {} : { cursor }) };
      const page = await app.datasets.quarantine.listRows(dataset, quarantineId, options);
      rows.push(...(page.items as readonly BadRow[]));
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
  return rows.sort((a, b) => a.row - b.row);
}

async function readRows(
  blobs: BlobStore,
  dataset: string,
  paths: readonly string[],
  columns: readonly Column[],
  folder: string,
): Promise<TextRows> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  const rows: (string | null)[][] = [];
  try {
    await connection.run("SET TimeZone = 'UTC'");
    for (const path of paths) {
      const local = join(folder, path);
      await writeFile(local, await readBlob(blobs, `${dataset}/${path}`));
      const described = await connection.runAndReadAll(
        `SELECT name FROM parquet_schema('${local}') OFFSET 1`,
      );
      const there = new Set(described.getColumns()[0] as string[] | undefined);
      const values = columns.map((column) => (there.has(column.name) ? showValue(column) : 'NULL'));
      const found: (string | null)[][] = [];
      // DuckDB's time to read all columns at once is quadratic in their number.
      for (let from = 0; from < values.length; from += 1_000) {
        const some = values.slice(from, from + 1_000).join(', ');
        const result = await connection.runAndReadAll(`SELECT ${some} FROM read_parquet('${local}')`);
        for (const [index, row] of result.getRows().entries())
          (found[index] ??= []).push(...(row as (string | null)[]));
      }
      rows.push(...found);
    }
    return rows;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function showValue({ name, type }: Column): string {
  const column = `"${name.replaceAll('"', '""')}"`;
  if (type === 'timestamp') return `strftime(${column} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')`;
  return type === 'binary' ? `lower(hex(${column}))` : `${column}::VARCHAR`;
}

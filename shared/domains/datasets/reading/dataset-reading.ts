import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../core/clock.ts';
import { AppError } from '../../../core/errors.ts';
import type { ScratchFolders } from '../../../platform/storage/scratch.ts';
import type { Column } from '../schema/column.ts';
import type { FileCache } from './file-cache.ts';
import { eachLocalFile } from './local-files.ts';
import { pickRows } from './pick-rows.ts';
import type { ReadableVersion, VersionResolver } from '../versions/readable-version.ts';
import { readPage, readPicked } from './read-rows.ts';
import type { JsonRows, StreamFormat, TableEngine } from './table-engine.ts';

export interface ReadingDeps {
  readonly versions: VersionResolver;
  readonly files: Pick<FileCache, 'open'>;
  readonly engine: TableEngine;
  readonly scratch: ScratchFolders;
  readonly clock: Clock;
}

export const maxRows = 10_000;
export const downloadFormats = ['parquet', 'csv', 'jsonl', 'arrow'] as const;
export type DownloadFormat = (typeof downloadFormats)[number];

/** Of the rows of one answer as JSON. */
const maxBytes = 8 * 2 ** 20;

/** Rows of a version, encoded as JSON. */
export interface RowsAnswer {
  readonly dataset: string;
  readonly version: number;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: JsonRows;
}

export interface RowsPage extends RowsAnswer {
  /** Omitted on the last page. A short or empty page can have one. */
  readonly cursor?: string;
}

export interface QueryAnswer extends RowsAnswer {
  /** Whether rows are missing. */
  readonly truncated: boolean;
  /** How to get the missing rows. */
  readonly remedy?: string;
}

export interface Download {
  readonly fileName: string;
  readonly contentType: string;
  /** Omitted if it is not known in advance. */
  readonly sizeBytes?: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Reads versions of datasets: rows, samples, queries and downloads. */
export class DatasetReading {
  readonly #deps: ReadingDeps;

  constructor(deps: ReadingDeps) {
    this.#deps = deps;
  }

  /** @throws NOT_FOUND */
  async schema(dataset: string, version: string) {
    const found = await this.#deps.versions.resolve(dataset, version);
    const { sha256, columns } = found;
    return { dataset, version: found.version, sha256, rows: countRows(found), columns };
  }

  /**
   * A page of rows in the order of the version.
   *
   * @param request.where a boolean SQL expression over the columns
   * @throws INVALID_ARGUMENT for an invalid column, condition or cursor
   */
  async rows(
    dataset: string,
    version: string,
    request: {
      readonly columns?: readonly string[] | undefined;
      readonly where?: string | undefined;
      readonly cursor?: string | undefined;
      readonly limit: number;
    },
    signal?: AbortSignal,
  ): Promise<RowsPage> {
    const found = await this.#deps.versions.resolve(dataset, version);
    const columns = chooseColumns(found, request.columns);
    const page = await readPage(this.#deps, found, { ...request, columns, maxBytes }, signal);
    return { ...describe(found, columns), ...page };
  }

  /** A random sample of rows in the order of the version. The same seed gives the same rows. */
  async sample(
    dataset: string,
    version: string,
    request: {
      readonly columns?: readonly string[] | undefined;
      readonly count: number;
      readonly seed: string;
    },
    signal?: AbortSignal,
  ): Promise<RowsAnswer> {
    const found = await this.#deps.versions.resolve(dataset, version);
    const columns = chooseColumns(found, request.columns);
    const picked = pickRows(countRows(found), request.count, request.seed);
    const rows = await readPicked(this.#deps, found, { columns, picked, maxBytes }, signal);
    return { ...describe(found, columns), rows };
  }

  /**
   * Runs one SELECT over a version. The table is called `data`, or like the dataset.
   *
   * @throws INVALID_ARGUMENT for invalid or forbidden SQL; UNPROCESSABLE when it exceeds its time or memory
   */
  async query(
    dataset: string,
    version: string,
    request: { readonly sql: string; readonly limit: number },
    signal?: AbortSignal,
  ): Promise<QueryAnswer> {
    const { versions, files, engine } = this.#deps;
    const found = await versions.resolve(dataset, version);
    await using lease = await files.open(found.files, signal ? { signal } : {});
    const table = { paths: lease.paths, columns: found.columns };
    const names = ['data', dataset];
    const { sql, limit } = request;
    const result = await engine.query({ table, sql, names, maxRows: limit, maxBytes }, signal);
    const { columns, rows, cutBy } = result;
    const answer = { dataset, version: found.version, columns, rows };
    if (cutBy === undefined) return { ...answer, truncated: false };
    const remedy =
      cutBy === 'rows'
        ? `There are more than ${limit} rows: raise "limit" (at most ${maxRows}), or add LIMIT and OFFSET to the SQL.`
        : `The rows have more than ${maxBytes} bytes: select fewer columns, or add LIMIT and OFFSET to the SQL.`;
    return { ...answer, truncated: true, remedy };
  }

  /** A whole version as one file. Its body must be read to the end, or its loop left. */
  async download(found: ReadableVersion, format: DownloadFormat, signal?: AbortSignal): Promise<Download> {
    const fileName = `${found.dataset}-v${found.version}.${format}`;
    const contentType = contentTypes[format];
    if (format !== 'parquet') return { fileName, contentType, body: this.#encode(found, format, signal) };
    const { path, sizeBytes, release } = await this.#openParquet(found, signal);
    return { fileName, contentType, sizeBytes, body: readAndRelease(path, release) };
  }

  /** @throws NOT_FOUND */
  resolve(dataset: string, version: string): Promise<ReadableVersion> {
    return this.#deps.versions.resolve(dataset, version);
  }

  #encode(
    { files, columns }: ReadableVersion,
    format: StreamFormat,
    signal: AbortSignal | undefined,
  ): AsyncIterable<Uint8Array> {
    const local = eachLocalFile(this.#deps.files, files, signal);
    return this.#deps.engine.encode(format, columns, local, signal);
  }

  async #openParquet({ files, columns }: ReadableVersion, signal: AbortSignal | undefined) {
    await using held = new AsyncDisposableStack();
    const lease = held.use(await this.#deps.files.open(files, signal ? { signal } : {}));
    const folder = held.use(await this.#deps.scratch.openFolder());
    const table = { paths: lease.paths, columns };
    const path = await this.#deps.engine.writeParquet(table, join(folder.path, 'version.parquet'), signal);
    const { size } = await stat(path);
    const kept = held.move();
    return { path, sizeBytes: size, release: () => kept.disposeAsync() };
  }
}

const contentTypes: Readonly<Record<DownloadFormat, string>> = {
  parquet: 'application/vnd.apache.parquet',
  csv: 'text/csv; charset=utf-8; header=present',
  jsonl: 'application/x-ndjson',
  arrow: 'application/vnd.apache.arrow.stream',
};

async function* readAndRelease(path: string, release: () => Promise<void>): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Uint8Array>;
  } finally {
    await release();
  }
}

/** @throws INVALID_ARGUMENT naming the existing columns */
function chooseColumns(
  { columns }: ReadableVersion,
  names: readonly string[] | undefined,
): readonly Column[] {
  if (names === undefined) return columns;
  const known = new Map(columns.map((column) => [column.name, column]));
  return [...new Set(names)].map((name) => {
    const column = known.get(name);
    if (column) return column;
    const shown = columns.slice(0, 50).map((one) => one.name);
    const message = `There is no column "${name}". The columns are: ${shown.join(', ')}.`;
    throw new AppError('INVALID_ARGUMENT', message, { column: name });
  });
}

function describe({ dataset, version }: ReadableVersion, columns: readonly Column[]) {
  return { dataset, version, columns: columns.map(({ name, type }) => ({ name, type })) };
}

function countRows({ files }: ReadableVersion): number {
  return files.reduce((total, { rows }) => total + rows, 0);
}

import type { Clock } from '../../../core/clock.ts';
import { AppError } from '../../../core/errors.ts';
import type { Column } from '../schema/column.ts';
import type { FileCache } from './file-cache.ts';
import type { ReadableVersion } from '../versions/readable-version.ts';
import type { DataFile } from '../tables/data-file.ts';
import { decodeRowCursor, encodeRowCursor, type RowPosition } from './row-cursor.ts';
import type { JsonRows, RowsRequest, RowsResult, TableEngine } from './table-engine.ts';

interface ReadRowsDeps {
  readonly files: Pick<FileCache, 'open'>;
  readonly engine: TableEngine;
  readonly clock: Clock;
}

/** At most this many files are read together; fewer of wide ones, whose footers take megabytes. */
const maxBatchFiles = 32;
const maxBatchColumns = 10_000;
/** A page ends after this time, full or not. */
const pageTimeMs = 10_000;

interface PageRequest {
  readonly columns: readonly Column[];
  readonly where?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
  readonly maxBytes: number;
}

/** Reads a page of rows. Downloads only the files it needs: the first page of a large version needs one. */
export async function readPage(
  deps: ReadRowsDeps,
  version: ReadableVersion,
  request: PageRequest,
  signal: AbortSignal | undefined,
): Promise<{ readonly rows: JsonRows; readonly cursor?: string }> {
  const { where, limit, maxBytes } = request;
  const listing = { sha256: version.sha256, where };
  const start = request.cursor === undefined ? undefined : decodeRowCursor(listing, request.cursor);
  const deadline = deps.clock.now() + pageTimeMs;
  const page = new Gathered();
  let at: RowPosition | undefined = start ?? { file: 0, row: 0 };
  const atMost = limitBatch(version);
  let batchFiles = where === undefined ? countFiles(version.files, at, limit, atMost) : 1;
  do {
    const files: readonly DataFile[] = version.files.slice(at.file, at.file + batchFiles);
    const result: RowsResult = await readFiles(deps, version, files, signal, {
      columns: request.columns.map(({ name }) => name),
      skip: at.row,
      maxRows: limit - page.count,
      maxBytes: maxBytes - page.sizeBytes,
      canBeEmpty: page.count > 0,
      ...(where === undefined ? {} : { where }),
    });
    page.add(result.rows);
    const isCut: boolean = result.next !== undefined;
    at = findPosition(version.files, at.file, result.next ?? sumRows(files));
    if (isCut) break;
    // How many rows match is unknown: read more files at once while few are found.
    batchFiles = Math.min(atMost, batchFiles * 2);
  } while (at && page.count < limit && deps.clock.now() < deadline);
  const rows = page.finish();
  return at ? { rows, cursor: encodeRowCursor(listing, at) } : { rows };
}

/** Reads rows of a version by their numbers, ascending. */
export async function readPicked(
  deps: ReadRowsDeps,
  version: ReadableVersion,
  request: {
    readonly columns: readonly Column[];
    readonly picked: readonly number[];
    readonly maxBytes: number;
  },
  signal: AbortSignal | undefined,
): Promise<JsonRows> {
  const { columns, picked, maxBytes } = request;
  const page = new Gathered();
  for (const { files, only } of batchPicked(version.files, picked, limitBatch(version))) {
    const result = await readFiles(deps, version, files, signal, {
      columns: columns.map(({ name }) => name),
      only,
      maxRows: only.length,
      maxBytes: maxBytes - page.sizeBytes,
      canBeEmpty: page.count > 0,
    });
    if (result.next !== undefined || result.rows.count < only.length) throw sampleTooLarge(maxBytes);
    page.add(result.rows);
  }
  return page.finish();
}

async function readFiles(
  { files: cache, engine }: ReadRowsDeps,
  version: ReadableVersion,
  files: readonly DataFile[],
  signal: AbortSignal | undefined,
  request: Omit<RowsRequest, 'table'>,
): Promise<RowsResult> {
  await using lease = await cache.open(files, signal ? { signal } : {});
  const table = { paths: lease.paths, columns: version.columns };
  return await engine.readRows({ ...request, table }, signal);
}

class Gathered {
  readonly #texts: string[] = [];
  count = 0;
  sizeBytes = 0;

  add({ text, count }: JsonRows): void {
    if (count === 0) return;
    this.#texts.push(text);
    this.count += count;
    this.sizeBytes += Buffer.byteLength(text) + 1;
  }

  finish(): JsonRows {
    return { text: this.#texts.join(','), count: this.count };
  }
}

function limitBatch({ columns }: ReadableVersion): number {
  return Math.max(1, Math.min(maxBatchFiles, Math.floor(maxBatchColumns / Math.max(1, columns.length))));
}

/** How many files a page needs from a position on. */
function countFiles(files: readonly DataFile[], at: RowPosition, limit: number, atMost: number): number {
  let count = 0;
  let rows = -at.row;
  while (rows < limit && at.file + count < files.length && count < atMost) {
    rows += files[at.file + count]!.rows;
    count += 1;
  }
  return Math.max(1, count);
}

/**
 * The file and row of a row number that counts from the first row of a file.
 *
 * @returns undefined past the last row
 */
function findPosition(files: readonly DataFile[], first: number, row: number): RowPosition | undefined {
  let left = row;
  for (let file = first; file < files.length; file += 1) {
    if (left < files[file]!.rows) return { file, row: left };
    left -= files[file]!.rows;
  }
  return undefined;
}

/** Batches of the files that hold the picked rows, with the numbers of the picked rows within the batch. */
function* batchPicked(files: readonly DataFile[], picked: readonly number[], atMost: number) {
  let batch: DataFile[] = [];
  let only: number[] = [];
  let before = 0;
  let batchRows = 0;
  let next = 0;
  for (const file of files) {
    const from = next;
    while (next < picked.length && picked[next]! < before + file.rows) {
      only.push(picked[next]! - before + batchRows);
      next += 1;
    }
    before += file.rows;
    if (next === from) continue;
    batch.push(file);
    batchRows += file.rows;
    if (batch.length < atMost) continue;
    yield { files: batch, only };
    [batch, only, batchRows] = [[], [], 0];
  }
  if (batch.length > 0) yield { files: batch, only };
}

function sumRows(files: readonly DataFile[]): number {
  return files.reduce((total, { rows }) => total + rows, 0);
}

function sampleTooLarge(maxBytes: number): AppError {
  return new AppError(
    'UNPROCESSABLE',
    `The sample has more than ${maxBytes} bytes as JSON: request fewer rows or columns.`,
    { maxBytes },
  );
}

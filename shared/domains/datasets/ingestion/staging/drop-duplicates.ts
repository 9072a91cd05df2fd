import { copyFile, link } from 'node:fs/promises';
import { join } from 'node:path';
import type { BadRow } from '../../../../formats/tabular/text-chunk.ts';
import type { FileCache } from '../../reading/file-cache.ts';
import { describeFiles } from '../../tables/describe-version.ts';
import { BadRows } from '../bad-rows/bad-rows.ts';
import type { LandedFile } from './landed-file.ts';
import type { TableConverter, TableConverters } from './table-converter.ts';
import type { RowPlaces, TypedFile, TypedRows } from './typed-rows.ts';

export interface DropDuplicatesDeps {
  readonly converters: TableConverters;
  readonly files: Pick<FileCache, 'open'>;
}

/**
 * Removes duplicate rows and reports them as bad. For a merge these are rows with the key of an earlier row of the
 * file. For a `unique` constraint they are rows that equal an earlier row of the file, or a row of the table when the
 * file is appended.
 */
export async function dropDuplicates(
  deps: DropDuplicatesDeps,
  typed: TypedRows,
  landed: LandedFile,
): Promise<TypedRows> {
  const { folder, settings, mode, keys, signal } = landed;
  const rules = settings.constraints.filter((rule) => rule.kind === 'unique').map(({ columns }) => columns);
  const bad = new BadRows(join(folder, 'bad-duplicates.jsonl'));
  await using converter = await deps.converters.open({ directory: folder });
  await using existing = await openExisting(deps.files, landed, rules.length > 0);
  let { files } = typed;
  const names = new Set(typed.columns.map(({ name }) => name));
  const wanted = [
    ...(mode === 'merge' ? [{ columns: keys, existing: [] }] : []),
    ...rules.map((columns) => ({ columns, existing: existing.paths })),
  ];
  for (const rule of wanted) {
    signal.throwIfAborted();
    if (!rule.columns.every((column) => names.has(column))) continue;
    files = await dropOnce(converter, files, { ...rule, landed, bad });
  }
  await bad.close();
  return { ...typed, files, bad: [...typed.bad, bad] };
}

async function dropOnce(
  converter: TableConverter,
  files: readonly TypedFile[],
  options: {
    readonly columns: readonly string[];
    /** Paths of the table's files. */
    readonly existing: readonly string[];
    readonly landed: LandedFile;
    readonly bad: BadRows;
  },
): Promise<readonly TypedFile[]> {
  const { columns, existing, landed, bad } = options;
  const duplicates = new Map<number, number[]>();
  const paths = [...existing, ...files.map(({ path }) => path)];
  for await (const batch of converter.findDuplicates(paths, columns, landed.signal)) {
    for (const { file, row } of batch) {
      const index = file - existing.length;
      // Rows of the table stay, duplicate or not.
      if (index < 0) continue;
      const rows = duplicates.get(index);
      if (rows) rows.push(row);
      else duplicates.set(index, [row]);
    }
  }
  const left: TypedFile[] = [];
  for (const [index, file] of files.entries()) {
    const rows = duplicates.get(index);
    if (!rows) {
      left.push(file);
      continue;
    }
    const rewritten = await converter.removeRows(file.path, rows, landed.signal);
    await bad.addAll(rows.map((row, at) => toBadRow(file, row, rewritten.removed[at] ?? '', columns)));
    if (!rewritten.file) continue;
    const staged = await landed.store(rewritten.file);
    left.push({
      staged,
      path: rewritten.file.path,
      ...(file.places ? { places: without(file.places, rows) } : {}),
    });
  }
  return left;
}

function toBadRow({ places }: TypedFile, row: number, raw: string, columns: readonly string[]): BadRow {
  const shown = columns.map((column) => `"${column}"`).join(', ');
  return {
    row: places?.numbers[row] ?? 0,
    byteOffset: places?.offsets[row] ?? 0,
    byteLength: places?.lengths[row] ?? 0,
    ...(columns.length === 1 ? { column: columns[0]! } : {}),
    code: 'DUPLICATE',
    reason: `An earlier row has the same ${shown}, which must be unique; the earlier row stays.`,
    raw: raw.slice(0, 65_536),
    ...(raw.length > 65_536 ? { isCut: true } : {}),
  };
}

function without({ numbers, offsets, lengths }: RowPlaces, rows: readonly number[]): RowPlaces {
  const removed = new Set(rows);
  const stays = (_: number, index: number) => !removed.has(index);
  return { numbers: numbers.filter(stays), offsets: offsets.filter(stays), lengths: lengths.filter(stays) };
}

/** The table's own files, linked into the folder that the converter may read. */
async function openExisting(
  files: Pick<FileCache, 'open'>,
  { dataset, snapshot, mode, folder, signal }: LandedFile,
  isNeeded: boolean,
): Promise<{ readonly paths: readonly string[] } & AsyncDisposable> {
  if (!snapshot || mode !== 'append' || !isNeeded)
    return { paths: [], [Symbol.asyncDispose]: () => Promise.resolve() };
  const lease = await files.open(describeFiles(dataset, snapshot), { signal });
  const paths = lease.paths.map((_, index) => join(folder, `existing-${index}.parquet`));
  for (const [index, path] of lease.paths.entries())
    await link(path, paths[index]!).catch(() => copyFile(path, paths[index]!));
  return { paths, [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose]() };
}

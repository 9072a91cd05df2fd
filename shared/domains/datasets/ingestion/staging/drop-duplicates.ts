import { copyFile, link } from 'node:fs/promises';
import { join } from 'node:path';
import type { TableConverter } from './table-converter.ts';
import { describeFiles } from '../../tables/describe-version.ts';
import { BadRows } from './bad-rows.ts';
import type { LandedFile, ReadTable, RowPlaces, StageDeps, TypedFile } from './landed-file.ts';
import type { BadRow } from '../../../../formats/tabular/text-chunk.ts';

/**
 * Takes rows out that must not be there twice: those of a merge that have the key of an earlier row of the file, and those
 * that a `unique` rule forbids, beside the rows that the table has already if they stay.
 */
export async function dropDuplicates(
  deps: StageDeps,
  table: ReadTable,
  landed: LandedFile,
): Promise<ReadTable> {
  const { folder, settings, mode, keys, signal } = landed;
  const rules = settings.constraints.filter((rule) => rule.kind === 'unique').map(({ columns }) => columns);
  const bad = new BadRows(join(folder, 'bad-duplicates.jsonl'));
  await using converter = await deps.converters.open({ directory: folder });
  await using existing = await openExisting(deps, landed, rules.length > 0);
  let { files } = table;
  const names = new Set(table.columns.map(({ name }) => name));
  const wanted = [
    ...(mode === 'merge' ? [{ columns: keys, beside: [] }] : []),
    ...rules.map((columns) => ({ columns, beside: existing.paths })),
  ];
  for (const { columns, beside } of wanted) {
    signal.throwIfAborted();
    if (!columns.every((column) => names.has(column))) continue;
    files = await dropOnce(converter, files, { columns, beside, landed, bad });
  }
  await bad.close();
  return { ...table, files, bad: [...table.bad, bad] };
}

async function dropOnce(
  converter: TableConverter,
  files: readonly TypedFile[],
  options: {
    readonly columns: readonly string[];
    readonly beside: readonly string[];
    readonly landed: LandedFile;
    readonly bad: BadRows;
  },
): Promise<readonly TypedFile[]> {
  const { columns, beside, landed, bad } = options;
  const doomed = new Map<number, number[]>();
  const paths = [...beside, ...files.map(({ path }) => path)];
  for await (const batch of converter.findDuplicates(paths, columns, landed.signal)) {
    for (const { file, row } of batch) {
      const index = file - beside.length;
      // What the table has already stays, whatever it is.
      if (index < 0) continue;
      const rows = doomed.get(index);
      if (rows) rows.push(row);
      else doomed.set(index, [row]);
    }
  }
  const left: TypedFile[] = [];
  for (const [index, file] of files.entries()) {
    const rows = doomed.get(index);
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
  return {
    row: places?.numbers[row] ?? 0,
    byteOffset: places?.offsets[row] ?? 0,
    byteLength: places?.lengths[row] ?? 0,
    ...(columns.length === 1 ? { column: columns[0]! } : {}),
    code: 'DUPLICATE',
    reason: `An earlier row is the same in ${columns.map((column) => `"${column}"`).join(', ')}, where each must differ; the earlier one stays.`,
    raw: raw.slice(0, 65_536),
    ...(raw.length > 65_536 ? { isCut: true } : {}),
  };
}

function without({ numbers, offsets, lengths }: RowPlaces, rows: readonly number[]): RowPlaces {
  const gone = new Set(rows);
  const stays = (_: number, index: number) => !gone.has(index);
  return { numbers: numbers.filter(stays), offsets: offsets.filter(stays), lengths: lengths.filter(stays) };
}

/** The table's own files, where the converter can see them. */
async function openExisting(
  deps: StageDeps,
  { dataset, snapshot, mode, folder, signal }: LandedFile,
  isNeeded: boolean,
): Promise<{ readonly paths: readonly string[] } & AsyncDisposable> {
  if (!snapshot || mode !== 'append' || !isNeeded)
    return { paths: [], [Symbol.asyncDispose]: () => Promise.resolve() };
  const lease = await deps.files.open(describeFiles(dataset, snapshot), { signal });
  const paths = lease.paths.map((_, index) => join(folder, `existing-${index}.parquet`));
  for (const [index, path] of lease.paths.entries())
    await link(path, paths[index]!).catch(() => copyFile(path, paths[index]!));
  return { paths, [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose]() };
}

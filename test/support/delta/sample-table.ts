import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Action, type AddFile, removeFile } from '../../../shared/formats/delta/log/actions.ts';
import { createTable, withColumns } from '../../../shared/formats/delta/create-table.ts';
import type { DeltaTable } from '../../../shared/formats/delta/delta-table.ts';
import type { BlobStore } from '../../../shared/platform/storage/blobs.ts';
import { type SampleRow, writeDataFile } from './data-file.ts';
import { grownColumn, sampleColumns, sampleRows } from './sample-rows.ts';

/** The rows of a table at a version, calculated without reading the table. */
export interface ExpectedVersion {
  readonly columns: readonly string[];
  /** In no order. */
  readonly rows: readonly SampleRow[];
  readonly did: string;
}

export interface SamplePlace {
  readonly blobs: BlobStore;
  readonly container: string;
  readonly prefix: string;
  /** A local path for DuckDB. */
  readonly folder: string;
}

/** The version that adds a column. */
const growsAt = 6;

/** Commits one version after the other: appends, overwrites, removals, restores, new tags, and a new column. */
export async function fillSampleTable(
  table: DeltaTable,
  commits: number,
  { blobs, container, prefix, folder }: SamplePlace,
): Promise<readonly ExpectedVersion[]> {
  const states: ReadonlyMap<string, readonly SampleRow[]>[] = [];
  const expected: ExpectedVersion[] = [];
  for (let version = 0; version < commits; version += 1) {
    const state = new Map(states.at(-1));
    const columns = version < growsAt ? sampleColumns : [...sampleColumns, grownColumn];
    const names = columns.map(({ name }) => name);
    const put = async (seed: number): Promise<AddFile> => {
      const rows = sampleRows(seed, 3 + (seed % 11));
      const { bytes, file } = await writeDataFile(folder, columns, rows);
      await blobs.put({ container, name: `${prefix}/${file.path}` }, bytes);
      const shown = rows.map((row) => Object.fromEntries(names.map((name) => [name, row[name] ?? null])));
      state.set(file.path, shown);
      return file;
    };
    const snapshot = version === 0 ? undefined : await table.at(version - 1);
    const oldest = snapshot && [...snapshot.files.values()][0];
    const at = { deletionTimestamp: 1_790_000_000_000 + version, dataChange: true };
    const actions: Action[] = [{ kind: 'txn', transaction: { appId: `source-${version % 7}`, version } }];
    const add = async (seed: number) => actions.push({ kind: 'add', file: await put(seed) });
    const remove = (file: AddFile) => {
      state.delete(file.path);
      actions.push(removeFile(file, at));
    };
    let did = 'append';
    if (snapshot === undefined || oldest === undefined) {
      const id = '6f1d3b1e-0c43-4a0e-9d5c-52b0c6d9a001';
      actions.push(...createTable({ id, name: 'sample', columns: bare(columns), createdTime: 1 }));
      await add(0);
      await add(1);
    } else if (version === growsAt) {
      did = 'schema growth';
      actions.push({ kind: 'metaData', metadata: withColumns(snapshot.metadata, bare(columns)) });
      await add(version + 1);
    } else if (version % 5 === 3) {
      did = 'overwrite that keeps all but one file';
      remove(oldest);
      await add(version + 1);
    } else if (version % 7 === 4 && snapshot.files.size > 1) {
      did = 'remove';
      remove(oldest);
    } else if (version % 6 === 5) {
      did = 'restore';
      const before = await table.at(version - 3);
      for (const file of snapshot.files.values()) if (!before.files.has(file.path)) remove(file);
      for (const file of before.files.values()) {
        if (snapshot.files.has(file.path)) continue;
        state.set(file.path, states[version - 3]?.get(file.path) ?? []);
        actions.push({ kind: 'add', file: { ...file, dataChange: true } });
      }
    } else {
      // Reused files of another order are added again with new tags.
      actions.push({ kind: 'add', file: { ...oldest, tags: { 'slipway.order': `${version}.5` } } });
      await add(version + 1);
    }
    const info = {
      operation: 'WRITE',
      operationParameters: { mode: did },
      slipway: { source: { name: 'a "b".csv' } },
    };
    await table.commit(async () => [{ kind: 'commitInfo', info }, ...actions]);
    states.push(state);
    const rows = [...state.values()].flat().map((row) => pick(row, names));
    expected.push({ columns: names, rows, did });
  }
  return expected;
}

/**
 * Copies a table to a folder for another reader. Log files get the time of their commits, by which other
 * readers find versions.
 */
export async function copyTable(
  { blobs, container, prefix }: Omit<SamplePlace, 'folder'>,
  folder: string,
  options: { readonly timeOf: (version: number) => number; readonly leaveOut?: (name: string) => boolean },
): Promise<void> {
  const page = await blobs.list(container, { prefix: `${prefix}/`, limit: 5_000 });
  for (const { ref } of page.blobs) {
    const name = ref.name.slice(prefix.length + 1);
    if (options.leaveOut?.(name)) continue;
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, Buffer.concat(await Array.fromAsync((await blobs.open(ref)).body)));
    const [, version] = /^_delta_log\/(\d{20})\.json$/.exec(name) ?? [];
    if (version === undefined) continue;
    const seconds = options.timeOf(Number(version)) / 1_000;
    await utimes(path, seconds, seconds);
  }
}

/** The Delta part of a column, without its DuckDB part. */
function bare(columns: typeof sampleColumns) {
  return columns.map(({ name, type, nullable }) => ({ name, type, nullable }));
}

function pick(row: SampleRow, names: readonly string[]): SampleRow {
  return Object.fromEntries(names.map((name) => [name, row[name] ?? null]));
}

import { sha256 } from '../../../core/ids.ts';
import { canonicalJson } from '../../../core/json/json.ts';
import type { Action, AddFile } from '../../../formats/delta/log/actions.ts';
import type { Snapshot } from '../../../formats/delta/snapshots/snapshot.ts';
import { AppError } from '../../../core/errors.ts';
import { type DatasetVersion, type Lineage, lineageSchema } from '../entities.ts';
import type { Column } from '../schema/column.ts';
import { type DataFile, dataBlob, parseDataPath } from './data-file.ts';
import { fromDeltaColumns } from './delta-columns.ts';
import { sortFiles } from './sort-files.ts';

/** The member of `commitInfo` that holds a version's lineage. */
export const lineageMember = 'slipway';

/** The data files of a version in row order. @throws UNPROCESSABLE for files without row counts */
export function describeFiles(dataset: string, snapshot: Snapshot): readonly DataFile[] {
  return sortFiles(snapshot).map((file) => {
    const named = parseDataPath(file.path);
    return {
      path: dataBlob(dataset, file.path).name,
      ...(named ? { sha256: named.sha256 } : {}),
      sizeBytes: file.size,
      rows: countRows(file),
    };
  });
}

/** Describes a version of the log as a version of a dataset. */
export function describeVersion(
  dataset: string,
  snapshot: Snapshot,
  actions: readonly Action[],
): { readonly version: DatasetVersion; readonly columns: readonly Column[] } {
  const files = describeFiles(dataset, snapshot);
  const columns = fromDeltaColumns(snapshot.columns);
  const sum = (pick: (file: DataFile) => number) => files.reduce((total, file) => total + pick(file), 0);
  const sizeBytes = sum((file) => file.sizeBytes);
  const bytesAdded = actions.reduce((total, action) => total + sizeOfNew(action), 0);
  const info = actions.find((action) => action.kind === 'commitInfo')?.info;
  return {
    columns,
    version: {
      dataset,
      version: snapshot.version,
      operation: (info?.operation ?? 'unknown').toLowerCase(),
      sha256: digest(columns, files),
      rows: sum((file) => file.rows),
      files: files.length,
      sizeBytes,
      columnCount: columns.length,
      bytesAdded,
      bytesReused: sizeBytes - bytesAdded,
      lineage: readLineage(info?.[lineageMember]),
      createdAt: snapshot.timestamp,
    },
  };
}

function digest(columns: readonly Column[], files: readonly DataFile[]): string {
  const shape = columns.map(({ name, type }) => [name, type]);
  return sha256(canonicalJson([shape, files.map((file) => [file.sha256 ?? file.path, file.rows])]));
}

/** Adding an existing file again only changes its order. */
function sizeOfNew(action: Action): number {
  return action.kind === 'add' && action.file.dataChange ? action.file.size : 0;
}

function countRows({ path, stats }: AddFile): number {
  const rows = stats === undefined ? undefined : (JSON.parse(stats) as { numRecords?: unknown }).numRecords;
  if (typeof rows === 'number') return rows;
  throw new AppError('UNPROCESSABLE', `The data file ${path} has no row count in the table's log.`, { path });
}

/** Empty for a commit of another writer. */
function readLineage(value: unknown): Lineage {
  const lineage = lineageSchema.safeParse(value);
  return lineage.success ? lineage.data : {};
}

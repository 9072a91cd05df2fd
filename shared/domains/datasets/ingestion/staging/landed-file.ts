import type { Snapshot } from '../../../../formats/delta/snapshots/snapshot.ts';
import type { BlobStore } from '../../../../platform/storage/blobs.ts';
import type { Pace } from '../../../../platform/storage/optimistic.ts';
import type { Scratch } from '../../../../platform/storage/scratch.ts';
import type { ChunkSize } from '../../../../formats/tabular/cut-chunks.ts';
import type { DatasetStore } from '../../dataset-store.ts';
import type { Mode, Source } from '../../entities.ts';
import type { FileCache } from '../../reading/file-cache.ts';
import type { Column } from '../../schema/column.ts';
import type { RowConstraint } from '../../schema/constraints.ts';
import type { TableConverters } from './table-converter.ts';
import type { DatasetSettings } from '../../catalog/settings.ts';
import { fromDeltaColumns } from '../../tables/delta-columns.ts';
import type { Tables } from '../../tables/tables.ts';
import type { BadRows } from './bad-rows.ts';
import type { LocalDataFile } from './local-data-file.ts';
import type { StagedFile } from './manifest.ts';

export interface StageDeps {
  readonly blobs: BlobStore;
  readonly store: DatasetStore;
  readonly tables: Tables;
  readonly scratch: Scratch;
  readonly converters: TableConverters;
  readonly files: FileCache;
  readonly pace: Pace;
  readonly maxFileBytes: number;
}

export type Report = (fraction: number, message: string) => void;

/** What is known of a file before its rows are read, and where its rows go. */
export interface LandedFile {
  readonly dataset: string;
  readonly source: Source;
  readonly snapshot: Snapshot | undefined;
  readonly settings: DatasetSettings;
  readonly mode: Mode;
  readonly keys: readonly string[];
  /** A folder for this file's work alone. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly report: Report;
  /** The file's bytes, hashed as they pass; once. */
  readonly open: () => Promise<AsyncIterable<Uint8Array>>;
  readonly store: (file: LocalDataFile) => Promise<StagedFile>;
}

/** The rows of a file, typed and stored. */
export interface ReadTable {
  readonly columns: readonly Column[];
  readonly files: readonly TypedFile[];
  readonly bad: readonly BadRows[];
  readonly rowsIn: number;
  readonly notes: readonly string[];
  readonly chunkSize?: ChunkSize;
  /** Of a text file that has one. */
  readonly header?: readonly string[];
}

export interface TypedFile {
  readonly staged: StagedFile;
  /** Where it is on this machine, if rows may have to be taken out of it again. */
  readonly path: string;
  readonly places?: RowPlaces;
}

/** Where the rows of a data file were in the file that was dropped. */
export interface RowPlaces {
  readonly numbers: Float64Array;
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
}

/** The columns that the table has, if it is there. */
export function contractOf({ snapshot }: Pick<LandedFile, 'snapshot'>): readonly Column[] | undefined {
  return snapshot && fromDeltaColumns(snapshot.columns);
}

/** Whether rows must differ from each other, so that some may have to be taken out again. */
export function hasUniqueRows({ mode, settings }: Pick<LandedFile, 'mode' | 'settings'>): boolean {
  return mode === 'merge' || settings.constraints.some(({ kind }) => kind === 'unique');
}

/** What each row must satisfy by itself; keys are not null. Rules for columns that are not there hold of nothing. */
export function rowRulesOf(
  { mode, keys, settings }: Pick<LandedFile, 'mode' | 'keys' | 'settings'>,
  columns: readonly Column[],
): readonly RowConstraint[] {
  const names = new Set(columns.map(({ name }) => name));
  const rules = settings.constraints.filter((rule) => rule.kind !== 'unique');
  const ofKeys = mode === 'merge' ? keys.map((column): RowConstraint => ({ kind: 'notNull', column })) : [];
  return [...ofKeys, ...rules].filter(({ column }) => names.has(column));
}

import type { AuditedWriter } from '../../platform/audit/audited-writer.ts';
import type { BlobStore } from '../../platform/storage/blobs.ts';
import type { MetadataStore } from '../../platform/storage/documents.ts';
import type { Pace } from '../../platform/storage/optimistic.ts';
import type { Scratch } from '../../platform/storage/scratch.ts';
import type { CheckpointFiles } from '../../formats/delta/log/checkpoint-files.ts';
import { DatasetStore } from './dataset-store.ts';
import type { RowDiffer } from './diff/row-differ.ts';
import { VersionDiffs } from './diff/version-diffs.ts';
import type { DatasetVersion } from './entities.ts';
import { Ingestion } from './ingestion/ingestion.ts';
import { createMergeRows, type TableMerger } from './ingestion/committing/merge-rows.ts';
import type { TableProfiler } from './profiles/table-profiler.ts';
import { VersionProfiles } from './profiles/version-profiles.ts';
import { Quarantine } from './quarantine/quarantine.ts';
import type { FileCache } from './reading/file-cache.ts';
import type { TableConverters } from './ingestion/staging/table-converter.ts';
import { restoreVersion } from './versions/restore.ts';
import { Tables } from './tables/tables.ts';
import { vacuum, type Vacuumed, type VacuumOptions } from './versions/vacuum.ts';
import { Versions } from './versions/versions.ts';

export interface DatasetsDeps {
  readonly store: MetadataStore;
  readonly audited: Pick<AuditedWriter, 'commit'>;
  readonly blobs: BlobStore;
  readonly scratch: Scratch;
  readonly files: FileCache;
  readonly checkpoints: CheckpointFiles;
  readonly converters: TableConverters;
  readonly merger: TableMerger;
  readonly profiler: TableProfiler;
  readonly differ: RowDiffer;
  readonly pace: Pace;
  readonly codeVersion: string;
  readonly maxFileBytes: number;
  /** How long a version can be read that was superseded, and that nothing keeps. */
  readonly retentionMs: number;
  /** The versions that models were made from. */
  readonly findReferenced: (dataset: string) => Promise<ReadonlySet<number>>;
}

/** All that can be done with datasets. */
export interface Datasets {
  readonly store: DatasetStore;
  readonly versions: Versions;
  readonly ingestion: Ingestion;
  readonly profiles: VersionProfiles;
  readonly diffs: VersionDiffs;
  readonly quarantine: Quarantine;
  /** Makes an earlier version the newest content. @throws NOT_FOUND; UNPROCESSABLE when its data was vacuumed */
  restore(dataset: string, version: string, by: string): Promise<DatasetVersion>;
  vacuum(dataset: string, options: VacuumOptions): Promise<Vacuumed>;
}

export function createDatasets(deps: DatasetsDeps): Datasets {
  const { blobs, scratch, files, converters, pace, codeVersion, retentionMs, findReferenced } = deps;
  const store = new DatasetStore(deps.store, deps.audited, pace);
  const tables = new Tables({ blobs, checkpoints: deps.checkpoints, pace });
  const versions = new Versions(store, tables);
  const profiles = new VersionProfiles({ blobs, versions, files, profiler: deps.profiler });
  return {
    store,
    versions,
    ingestion: new Ingestion({
      blobs,
      store,
      tables,
      scratch,
      converters,
      files,
      pace,
      maxFileBytes: deps.maxFileBytes,
      mergeRows: createMergeRows({ blobs, scratch, files, merger: deps.merger, pace }),
    }),
    profiles,
    diffs: new VersionDiffs({ versions, store, files, profiles, differ: deps.differ }),
    quarantine: new Quarantine({ blobs, store, clock: pace.clock }),
    restore: async (dataset, version, by) => {
      const target = await versions.find(dataset, version);
      return restoreVersion({ tables, store, blobs, pace }, dataset, target, { by, codeVersion });
    },
    vacuum: (dataset, options) =>
      vacuum({ blobs, store, tables, clock: pace.clock, retentionMs, findReferenced }, dataset, options),
  };
}

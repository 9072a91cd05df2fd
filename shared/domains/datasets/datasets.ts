import type { AuditedWriter } from '../../platform/audit/audited-writer.ts';
import type {
  BlobLister,
  BlobReader,
  BlobRemover,
  BlobRenewer,
  BlobWriter,
} from '../../platform/storage/blobs.ts';
import type { MetadataStore } from '../../platform/storage/documents.ts';
import type { Scratch } from '../../platform/storage/scratch.ts';
import type { Clock } from '../../core/clock.ts';
import type { Ids } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { CheckpointFiles } from '../../formats/delta/log/checkpoint-files.ts';
import { Catalog } from './catalog/catalog.ts';
import { DatasetDocuments } from './catalog/dataset-documents.ts';
import { Settings } from './catalog/settings.ts';
import type { RowDiffer } from './diff/row-differ.ts';
import { VersionDiffs } from './diff/version-diffs.ts';
import type { DatasetVersion, DatasetVersionView } from './entities.ts';
import type { TableMerger } from './ingestion/committing/table-merger.ts';
import { Ingestion } from './ingestion/ingestion.ts';
import { Landing, type StartIngestion } from './ingestion/intake/landing.ts';
import { Uploads, type UploadsOptions } from './ingestion/intake/uploads.ts';
import { Rejections } from './ingestion/rejections.ts';
import type { TableConverters } from './ingestion/staging/table-converter.ts';
import type { TableProfiler } from './profiles/table-profiler.ts';
import { VersionProfiles } from './profiles/version-profiles.ts';
import { Quarantine } from './quarantine/quarantine.ts';
import type { FileCache } from './reading/file-cache.ts';
import { Tables } from './tables/tables.ts';
import { Pins } from './versions/pins.ts';
import { restoreVersion } from './versions/restore.ts';
import { Tags } from './versions/tags.ts';
import { Vacuum, type VacuumDeps, type VacuumOptions } from './versions/vacuum.ts';
import { VersionRecords } from './versions/version-records.ts';
import { Versions } from './versions/versions.ts';
import { viewVersion } from './versions/view-version.ts';

export interface DatasetsDeps extends Pick<VacuumDeps, 'findReferenced'> {
  readonly store: MetadataStore;
  readonly audited: Pick<AuditedWriter, 'commit'>;
  readonly blobs: BlobReader & BlobWriter & BlobRenewer & BlobRemover & BlobLister;
  readonly scratch: Scratch;
  readonly files: FileCache;
  readonly checkpoints: CheckpointFiles;
  readonly converters: TableConverters;
  readonly merger: TableMerger;
  readonly profiler: TableProfiler;
  readonly differ: RowDiffer;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly startIngestion: StartIngestion;
}

export interface DatasetsOptions extends VacuumOptions, UploadsOptions {
  readonly codeVersion: string;
}

/** The services of datasets. */
export interface Datasets {
  readonly catalog: Catalog;
  readonly settings: Settings;
  readonly versions: Versions;
  readonly tags: Tags;
  readonly pins: Pins;
  readonly ingestion: Ingestion;
  readonly landing: Landing;
  readonly uploads: Uploads;
  readonly quarantine: Quarantine;
  readonly rejections: Rejections;
  /** Data files of versions, on this machine. */
  readonly files: FileCache;
  readonly profiles: VersionProfiles;
  readonly diffs: VersionDiffs;
  readonly vacuum: Vacuum;
  /** A version with its columns, tags and pins. @throws NOT_FOUND; INVALID_ARGUMENT as `Versions.find` */
  view(dataset: string, version: string): Promise<DatasetVersionView>;
  /** Makes an earlier version the newest content. @throws NOT_FOUND; UNPROCESSABLE when its data was vacuumed */
  restore(dataset: string, version: string, by: string): Promise<DatasetVersion>;
}

export function createDatasets(
  deps: DatasetsDeps,
  { codeVersion, maxFileBytes, retentionMs, accountUrl }: DatasetsOptions,
): Datasets {
  const { blobs, files, clock } = deps;
  const documents = new DatasetDocuments(deps);
  const catalog = new Catalog({ documents, clock });
  const settings = new Settings({ documents, catalog });
  const tables = new Tables(deps);
  const records = new VersionRecords(documents);
  const tags = new Tags({ documents, records, clock });
  const versions = new Versions({ catalog, records, tags, tables });
  const pins = new Pins({ documents, versions, clock });
  const profiles = new VersionProfiles({ blobs, versions, files, profiler: deps.profiler });
  const quarantine = new Quarantine({ blobs, documents, settings, clock });
  const rejections = new Rejections(documents);
  const projection = { tables, catalog, records };
  const ingestion = new Ingestion(
    { ...deps, ...projection, settings, quarantine, rejections },
    { maxFileBytes },
  );
  const landing = new Landing({ ingestion, startIngestion: deps.startIngestion });
  return {
    catalog,
    settings,
    versions,
    tags,
    pins,
    ingestion,
    landing,
    uploads: new Uploads({ blobs, landing }, { accountUrl, maxFileBytes }),
    quarantine,
    rejections,
    files,
    profiles,
    diffs: new VersionDiffs({ versions, records, settings, files, profiles, differ: deps.differ }),
    vacuum: new Vacuum({ ...deps, catalog, tags, pins, tables }, { retentionMs }),
    view: (dataset, version) => viewVersion({ versions, records, tags, pins }, dataset, version),
    restore: async (dataset, version, by) =>
      restoreVersion({ ...projection, blobs, clock }, dataset, await versions.find(dataset, version), {
        by,
        codeVersion,
      }),
  };
}

import { createApp } from '../../shared/app.ts';
import type { Clock } from '../../shared/core/clock.ts';
import type { Datasets } from '../../shared/datasets/datasets.ts';
import type { BlobStore } from '../../shared/storage/blobs.ts';
import { openIngestBench, type TextRows } from './dirty-ingest.ts';

export interface DatasetBench extends DatasetReader {
  readonly blobs: BlobStore;
  /** The same data, through services that know nothing yet, or live in other circumstances. */
  openWith(circumstances?: Circumstances): DatasetReader;
  close(): Promise<void>;
}

export interface DatasetReader {
  readonly datasets: Datasets;
  /** A version's rows in their order, each value as text. */
  readonly read: (dataset: string, version: string) => Promise<TextRows>;
}

interface Circumstances {
  readonly blobs?: BlobStore;
  readonly clock?: Clock;
  readonly maxFileBytes?: number;
}

/** The services of datasets over an Azurite of the test's own. */
export async function openDatasetBench(): Promise<DatasetBench> {
  const bench = await openIngestBench();
  const { app, blobs, config, outside, readRows } = bench;
  const toReader = (datasets: Datasets): DatasetReader => ({
    datasets,
    read: async (dataset, version) => {
      const { files, columns } = await datasets.versions.resolve(dataset, version);
      const paths = files.map(({ path }) => path.slice(dataset.length + 1));
      return readRows(dataset, paths, columns);
    },
  });
  return {
    ...toReader(app.datasets),
    blobs,
    openWith: ({ maxFileBytes = config.limits.landingFileBytes, ...others } = {}) =>
      toReader(
        createApp(
          { ...config, limits: { ...config.limits, landingFileBytes: maxFileBytes } },
          { ...outside, ...others },
        ).datasets,
      ),
    close: () => bench.close(),
  };
}

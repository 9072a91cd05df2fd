import { createApp } from '../../../shared/app.ts';
import type { Clock } from '../../../shared/core/clock.ts';
import type { Logger } from '../../../shared/core/logger.ts';
import type { Datasets } from '../../../shared/domains/datasets/datasets.ts';
import type { Mode, Source, VersionRef } from '../../../shared/domains/datasets/entities.ts';
import { blobContainers } from '../../../shared/core/names/resources.ts';
import type { BlobStore } from '../../../shared/platform/storage/blobs.ts';
import { openIngestBench, type TextRows } from './dirty-ingest.ts';

export interface DatasetBench extends DatasetReader {
  readonly blobs: BlobStore;
  /** Puts a file into the landing container. */
  drop(
    this: void,
    name: string,
    content: string | Uint8Array,
    metadata?: Record<string, string>,
  ): Promise<Source>;
  /** Drops a text as a file and ingests it. */
  ingest(
    this: void,
    datasets: Datasets,
    dataset: string,
    content: string,
    options?: { mode?: Mode; file?: string; metadata?: Record<string, string> },
  ): Promise<VersionRef>;
  /** The same data through new services, with empty caches or other dependencies. */
  openWith(circumstances?: Circumstances): DatasetReader;
  close(): Promise<void>;
}

export interface DatasetReader {
  readonly datasets: Datasets;
  /** The rows of a version in order, each value as text. */
  readonly read: (dataset: string, version: string) => Promise<TextRows>;
}

interface Circumstances {
  readonly blobs?: BlobStore;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly maxFileBytes?: number;
}

/** What the pipeline's step passes to ingestion. */
export const ingestWork = {
  runId: 'run',
  step: 'ingest',
  codeVersion: 'test',
  signal: new AbortController().signal,
  report: () => undefined,
};

/** The services of datasets over blobs in memory. */
export async function openDatasetBench(): Promise<DatasetBench> {
  const bench = await openIngestBench();
  const { app, blobs, config, platform, readRows } = bench;
  const toReader = (datasets: Datasets): DatasetReader => ({
    datasets,
    read: async (dataset, version) => {
      const { files, columns } = await datasets.versions.resolve(dataset, version);
      const paths = files.map(({ path }) => path.slice(dataset.length + 1));
      return readRows(dataset, paths, columns);
    },
  });
  const drop: DatasetBench['drop'] = async (name, content, metadata = {}) => {
    const ref = { container: blobContainers.landing, name };
    const { etag, sizeBytes } = await blobs.put(ref, content, { metadata });
    return { ...ref, etag, sizeBytes };
  };
  let dropped = 0;
  return {
    ...toReader(app.datasets),
    blobs,
    drop,
    ingest: async (datasets, dataset, content, options = {}) => {
      dropped += 1;
      const work = { ...ingestWork, runId: `run-${dropped}` };
      const { mode, file = `${dropped}.csv`, metadata } = options;
      const source = await drop(`${dataset}/${mode ? `${mode}/` : ''}${file}`, content, metadata);
      return datasets.ingestion.commit(await datasets.ingestion.stage(source, work), work);
    },
    openWith: ({ maxFileBytes = config.limits.landingFileBytes, ...others } = {}) =>
      toReader(
        createApp(
          { ...config, limits: { ...config.limits, landingFileBytes: maxFileBytes } },
          { ...platform, ...others },
        ).datasets,
      ),
    close: () => bench.close(),
  };
}

import { tmpdir } from 'node:os';
import { extname } from 'node:path';
import { ArtifactStore } from './domains/artifacts/artifact-store.ts';
import { SignedAccess } from './domains/artifacts/signed-access.ts';
import { AuditLog } from './platform/audit/audit-log.ts';
import { AuditedWriter } from './platform/audit/audited-writer.ts';
import { Outbox } from './platform/audit/outbox.ts';
import { Timeline } from './platform/audit/timeline.ts';
import { type Config, findAccountUrl } from './core/config.ts';
import type { Clock } from './core/clock.ts';
import type { Ids } from './core/ids.ts';
import type { Logger } from './core/logger.ts';
import { createDatasets, type Datasets } from './domains/datasets/datasets.ts';
import { DatasetReading } from './domains/datasets/reading/dataset-reading.ts';
import { createFileCache } from './domains/datasets/reading/file-cache.ts';
import { createCheckpointFiles } from './adapters/duckdb/checkpoint-files.ts';
import { createTableConverters } from './adapters/duckdb/conversion/table-converter.ts';
import { createTableMerger } from './adapters/duckdb/merging/table-merger.ts';
import { createRowDiffer } from './adapters/duckdb/diffing/row-differ.ts';
import { createTableEngine } from './adapters/duckdb/querying/processes/table-engine.ts';
import { createTableProfiler } from './adapters/duckdb/profiling/table-profiler.ts';
import { createModelInspector } from './adapters/onnx/inspect-model.ts';
import { createOnnxScorer } from './adapters/onnx/scorer.ts';
import { createTraining } from './domains/training/training.ts';
import { createScratch, fileExists } from './adapters/embedded/scratch-files.ts';
import { checkDependencies, type DependencyHealth } from './platform/health.ts';
import type { ArtifactLocations } from './api/mlflow/artifacts/routes.ts';
import { writeModelFolder } from './api/mlflow/model-folder.ts';
import { blobContainers, queues } from './core/names.ts';
import { createPipelines, type Pipelines } from './domains/pipelines/pipelines.ts';
import { findTrainedVersions } from './domains/registry/dataset-references.ts';
import { Registration } from './domains/registry/registration.ts';
import { createRegistry, type Registry } from './domains/registry/registry.ts';
import { Retention } from './domains/retention/retention.ts';
import { Scoring } from './domains/serving/scoring.ts';
import type { BlobStore } from './platform/storage/blobs.ts';
import type { MetadataStore } from './platform/storage/documents.ts';
import { toBody } from './platform/storage/page.ts';
import type { MessageQueue } from './platform/storage/queue.ts';
import { putAside, type RefusedMessage } from './platform/storage/refused-messages.ts';
import { Courier } from './domains/webhooks/courier.ts';
import { Deliveries } from './domains/webhooks/deliveries.ts';
import { createSecretBox } from './domains/webhooks/secret-box.ts';
import { createSender } from './domains/webhooks/send.ts';
import { Webhooks } from './domains/webhooks/webhooks.ts';
import { createRegistryLookup } from './domains/tracking/registry-lookup.ts';
import { createTracking, type Tracking } from './domains/tracking/tracking.ts';

const healthTimeoutMs = 2_000;
/** What one row may weigh as tensors. */
const elementsPerRow = 100;
/** The built app is JavaScript; tests and development run the sources. */
const findWorker = (name: 'inspect' | 'query' | 'score' | 'training') =>
  new URL(`./workers/${name}${extname(import.meta.filename)}`, import.meta.url);

/** Everything the functions call. */
export interface App {
  readonly config: Config;
  readonly clock: Clock;
  readonly datasets: Datasets;
  /** Rows, queries and downloads of dataset versions. */
  readonly reading: DatasetReading;
  readonly pipelines: Pipelines;
  readonly registry: Registry;
  /** Registers versions from what was logged or trained. */
  readonly registration: Registration;
  readonly scoring: Scoring;
  /** Publishes changes; its sweep sends those that a crash left behind. */
  readonly outbox: Outbox;
  /** Writes changes and their events atomically. */
  readonly auditedWriter: AuditedWriter;
  readonly tracking: Tracking;
  readonly artifacts: ArtifactStore;
  readonly signedAccess: SignedAccess;
  readonly artifactLocations: ArtifactLocations;
  /** Purges what was deleted long ago. */
  readonly retention: Retention;
  readonly auditLog: AuditLog;
  readonly timeline: Timeline;
  readonly webhooks: Webhooks;
  readonly deliveries: Deliveries;
  readonly courier: Courier;
  /** Puts a message aside that no retry can help, with its reason. */
  refuseMessage(message: RefusedMessage, logger: Logger): Promise<void>;
  /** Makes what Bicep makes in Azure: containers and queues. */
  prepare(): Promise<void>;
  checkHealth(): Promise<Record<string, DependencyHealth>>;
}

/** What lies outside the app: `connect` gives the real things, tests their own. */
export interface Outside {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
  readonly queue: MessageQueue;
  /** For what happens outside of any one invocation. */
  readonly logger: Logger;
}

/** The composition root: every service is made here, once, and gets what it needs. */
export function createApp(config: Config, outside: Outside): App {
  const { clock, ids, metadata, blobs, queue, logger } = outside;
  const tableLimits = {
    threads: config.limits.trainingThreads,
    memoryLimitMb: config.limits.trainingMemoryMb,
  };
  const pace = { clock, ids };
  const outbox = new Outbox({ store: metadata, queue, clock, logger });
  const auditedWriter = new AuditedWriter({ store: metadata, outbox, clock, ids });
  const tracking = createTracking({
    store: metadata,
    audited: auditedWriter,
    clock,
    ids,
    runSilenceMinutes: config.limits.runSilenceMinutes,
  });
  const registry = createRegistry({ store: metadata, writer: auditedWriter, clock, ids });
  const { targets, timeoutMs, attempts: maxAttempts } = config.webhooks;
  const secrets = createSecretBox(config.webhooks.keys);
  const webhooks = new Webhooks({ store: metadata, writer: auditedWriter, secrets, targets, pace });
  const deliveries = new Deliveries(metadata, pace);
  const courier = new Courier({
    store: metadata,
    queue,
    webhooks,
    deliveries,
    sender: createSender({ policy: targets, timeoutMs }),
    pace,
    maxAttempts,
    timeoutMs,
    isPrompt: (model) => registry.models.isPrompt(model),
  });
  const artifacts = new ArtifactStore(blobs);
  const isEnabled = config.artifactUrls;
  const signedAccess = new SignedAccess({ blobs, artifacts, clock, ids, isEnabled });
  const codeVersion = `${config.build.version}+${config.build.commit}`;
  const scratch = createScratch(blobs);
  const registration = new Registration({
    registry,
    blobs,
    inspect: createModelInspector(
      { scratch, workerUrl: findWorker('inspect') },
      { maxBytes: config.limits.sessionCacheBytes },
    ),
    lookup: createRegistryLookup(tracking),
    writeModelFolder: (model) => writeModelFolder(blobs, model),
    logger,
  });
  const files = createFileCache(
    { scratch, exists: fileExists },
    { limitBytes: config.limits.dataCacheBytes },
  );
  const datasets = createDatasets(
    {
      store: metadata,
      audited: auditedWriter,
      blobs,
      scratch,
      files,
      checkpoints: createCheckpointFiles(scratch),
      converters: createTableConverters(tableLimits),
      merger: createTableMerger(tableLimits),
      profiler: createTableProfiler({ ...tableLimits, tempDirectory: tmpdir() }),
      differ: createRowDiffer({ ...tableLimits, tempDirectory: tmpdir() }),
      pace,
      logger,
      findReferenced: (dataset) => findTrainedVersions(metadata, dataset),
      startIngestion: ({ runId, source }) =>
        pipelines.runs.start({
          runId,
          pipeline: 'ingest',
          definition: 'ingest',
          params: toBody({ source }),
          given: {},
          cause: { type: 'blob.landed', container: source.container, name: source.name },
        }),
    },
    {
      codeVersion,
      accountUrl: findAccountUrl(config.blobs),
      maxFileBytes: config.limits.landingFileBytes,
      retentionMs: config.datasetDays * 24 * 3_600_000,
    },
  );
  const { scoreRows: maxRows, sessionCacheBytes: cacheBytes } = config.limits;
  const scoring = new Scoring(
    {
      registry,
      blobs,
      scorer: createOnnxScorer({ workerUrl: findWorker('score') }, { cacheBytes, maxRows }),
      clock,
      logger,
    },
    { maxRows, maxElements: maxRows * elementsPerRow },
  );
  const pipelines = createPipelines(
    {
      store: metadata,
      queue,
      versions: {
        find: (dataset, version) => datasets.versions.find(dataset, version),
        findLatest: (dataset) => datasets.catalog.findLatestVersion(dataset),
      },
      services: {
        platform: { clock, blobs, queue },
        datasets,
        tracking,
        registry,
        registration,
        scoring,
        training: createTraining({ workerUrl: findWorker('training') }, tableLimits),
      },
      clock,
      ids,
    },
    { codeVersion },
  );
  return {
    config,
    clock,
    datasets,
    reading: new DatasetReading({
      versions: datasets.versions,
      files,
      engine: createTableEngine({
        workerUrl: findWorker('query'),
        scratch,
        memoryLimitMb: config.limits.queryMemoryMb,
        timeoutMs: config.limits.querySeconds * 1_000,
      }),
      scratch,
      clock,
    }),
    pipelines,
    registry,
    registration,
    scoring,
    outbox,
    auditedWriter,
    tracking,
    artifacts,
    signedAccess,
    retention: new Retention({
      store: metadata,
      audited: auditedWriter,
      artifacts,
      experiments: tracking.experiments,
      locator: tracking.locator,
      clock,
      logger,
      graceMs: config.trashDays * 24 * 3_600_000,
    }),
    artifactLocations: {
      run: async (runId) => (await tracking.runs.get(runId)).info.artifactUri,
      loggedModel: async (modelId) => (await tracking.loggedModels.get(modelId)).artifactLocation,
      modelVersion: async (model, version) => (await registry.versions.get(model, version)).storageLocation,
    },
    auditLog: new AuditLog(metadata),
    timeline: new Timeline(metadata),
    webhooks,
    deliveries,
    courier,
    refuseMessage: async (message, logger) => {
      const { by, messageId, error } = message;
      logger.log('error', 'message refused', { by, messageId, code: error.code, reason: error.message });
      await putAside(queue, queues.refused, message);
    },
    prepare: async () => {
      if (config.blobs.kind === 'connectionString')
        await blobs.ensureContainers(Object.values(blobContainers));
    },
    checkHealth: () =>
      checkDependencies(
        { metadata: () => metadata.ping(), blobs: () => blobs.ping(), queue: () => queue.ping() },
        healthTimeoutMs,
      ),
  };
}

import { extname } from 'node:path';
import { ArtifactStore } from './domains/artifacts/artifact-store.ts';
import { SignedAccess } from './domains/artifacts/signed-access.ts';
import { AuditLog } from './platform/audit/audit-log.ts';
import { AuditedWriter } from './platform/audit/audited-writer.ts';
import { Outbox } from './platform/audit/outbox.ts';
import { Timeline } from './platform/audit/timeline.ts';
import { type Config, findAccountUrl } from './core/config.ts';
import type { Logger } from './core/logger.ts';
import { createDatasets } from './domains/datasets/datasets.ts';
import { DatasetReading } from './domains/datasets/reading/dataset-reading.ts';
import { createFileCache } from './domains/datasets/reading/file-cache.ts';
import { createTableTools } from './adapters/duckdb/table-tools.ts';
import { createTableEngine } from './adapters/duckdb/querying/processes/table-engine.ts';
import { createModelInspector } from './adapters/onnx/inspection/inspect-model.ts';
import { createOnnxScorer } from './adapters/onnx/scoring/scorer.ts';
import { createTraining } from './domains/training/training.ts';
import { createScratch, fileExists } from './adapters/embedded/scratch-files.ts';
import { checkDependencies, type DependencyHealth } from './platform/health.ts';
import type { ArtifactLocations } from './api/mlflow/artifacts/routes.ts';
import { writeModelFolder } from './api/mlflow/model-folder.ts';
import { blobContainers, queues } from './core/names/resources.ts';
import { createPipelines, type Pipelines } from './domains/pipelines/pipelines.ts';
import type { StepServices } from './domains/pipelines/steps/services.ts';
import { findTrainedVersions } from './domains/registry/dataset-references.ts';
import { Registration } from './domains/registry/registration.ts';
import { createRegistry } from './domains/registry/registry.ts';
import { Retention } from './domains/retention/retention.ts';
import { Scoring } from './domains/serving/scoring.ts';
import type { Platform } from './platform/platform.ts';
import { toBody } from './platform/storage/page.ts';
import { sendToRefused, type RefusedMessage } from './platform/storage/refused-messages.ts';
import { Deliveries } from './domains/webhooks/deliveries.ts';
import { createSecretBox } from './domains/webhooks/secret-box.ts';
import { WebhookDispatcher } from './domains/webhooks/dispatcher.ts';
import { createSender } from './domains/webhooks/sending/send.ts';
import { systemResolve } from './domains/webhooks/sending/target.ts';
import { Webhooks } from './domains/webhooks/webhooks.ts';
import { createRegistryLookup } from './domains/tracking/registry-lookup.ts';
import { createTracking } from './domains/tracking/tracking.ts';

const healthTimeoutMs = 2_000;
/** What one row may weigh as tensors. */
const elementsPerRow = 100;
/** The built app is JavaScript; tests and development run the sources. */
const findWorker = (name: 'inspect' | 'query' | 'score' | 'training') =>
  new URL(`./workers/${name}${extname(import.meta.filename)}`, import.meta.url);

/** Everything the functions call: the domains, and what looks after them. */
export interface App extends StepServices {
  readonly config: Config;
  readonly clock: Platform['clock'];
  /** Rows, queries and downloads of dataset versions. */
  readonly reading: DatasetReading;
  readonly pipelines: Pipelines;
  /** Publishes changes; its sweep sends those that a crash left behind. */
  readonly outbox: Outbox;
  /** Writes changes and their events atomically. */
  readonly auditedWriter: AuditedWriter;
  readonly artifacts: ArtifactStore;
  readonly signedAccess: SignedAccess;
  readonly artifactLocations: ArtifactLocations;
  /** Purges objects deleted a grace period ago. */
  readonly retention: Retention;
  readonly auditLog: AuditLog;
  readonly timeline: Timeline;
  readonly webhooks: Webhooks;
  readonly deliveries: Deliveries;
  readonly webhookDispatcher: WebhookDispatcher;
  /** Moves a message that a retry cannot help to the queue `refused`, with its reason. */
  refuseMessage(message: RefusedMessage, logger: Logger): Promise<void>;
  /** Makes what Bicep makes in Azure: containers and queues. */
  prepare(): Promise<void>;
  checkHealth(): Promise<Record<string, DependencyHealth>>;
}

/** The composition root: every service is made here, once, and gets what it needs. */
export function createApp(config: Config, platform: Platform): App {
  const { clock, ids, metadata, blobs, queue, logger } = platform;
  const tableLimits = {
    threads: config.limits.trainingThreads,
    memoryLimitMb: config.limits.trainingMemoryMb,
  };
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
  const webhooks = new Webhooks(
    { store: metadata, audited: auditedWriter, secrets, clock, ids },
    { targets },
  );
  const deliveries = new Deliveries({ store: metadata, clock, ids });
  const webhookDispatcher = new WebhookDispatcher(
    {
      store: metadata,
      queue,
      webhooks,
      deliveries,
      sender: createSender({ resolve: systemResolve }, { policy: targets, timeoutMs }),
      clock,
      ids,
      isPrompt: (model) => registry.models.isPrompt(model),
    },
    { maxAttempts, timeoutMs },
  );
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
      ...createTableTools({ scratch }, tableLimits),
      clock,
      ids,
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
  const training = createTraining({ workerUrl: findWorker('training') }, tableLimits);
  const services: StepServices = {
    platform,
    datasets,
    tracking,
    registry,
    registration,
    training,
    scoring,
  };
  const pipelines = createPipelines(
    {
      store: metadata,
      queue,
      versions: {
        find: (dataset, version) => datasets.versions.find(dataset, version),
        findLatest: (dataset) => datasets.catalog.findLatestVersion(dataset),
      },
      services,
      clock,
      ids,
    },
    { codeVersion },
  );
  return {
    ...services,
    config,
    clock,
    reading: new DatasetReading({
      versions: datasets.versions,
      files,
      engine: createTableEngine(
        { workerUrl: findWorker('query'), scratch },
        {
          memoryLimitMb: config.limits.queryMemoryMb,
          timeoutMs: config.limits.querySeconds * 1_000,
        },
      ),
      scratch,
      clock,
    }),
    pipelines,
    outbox,
    auditedWriter,
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
    webhookDispatcher,
    refuseMessage: async (message, logger) => {
      const { by, messageId, error } = message;
      logger.log('error', 'message refused', { by, messageId, code: error.code, reason: error.message });
      await sendToRefused(queue, queues.refused, message);
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

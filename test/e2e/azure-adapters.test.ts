import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { dataset, model, pipeline, question } from '../../examples/flights/loop.ts';
import { type App, createApp } from '../../shared/app.ts';
import type { Platform } from '../../shared/platform/platform.ts';
import { createBlobStore } from '../../shared/adapters/azure/blob-store.ts';
import { loadConfig } from '../../shared/core/config.ts';
import { systemClock } from '../../shared/core/clock.ts';
import { sha256, systemIds } from '../../shared/core/ids.ts';
import { silentLogger } from '../../shared/core/logger.ts';
import { openSqliteQueue } from '../../shared/adapters/embedded/sqlite-queue.ts';
import { blobContainers, queues, subscriptions, topics } from '../../shared/core/names/resources.ts';
import type { DatasetVersionCreated } from '../../shared/domains/pipelines/triggers.ts';
import { productionAlias } from '../../shared/domains/registry/entities.ts';
import type { QueueSource } from '../../shared/platform/storage/queue.ts';
import { startAzureStores } from '../support/azurite/azure-stores.ts';
import { startTestAzurite } from '../support/azurite/azurite.ts';
import { failure } from '../support/cosmos/wire.ts';
import { DirectEngine } from '../support/durable/direct-engine.ts';
import { patienceMs } from '../support/hang-guard.ts';
import { writeFlights } from '../support/host/platform.ts';
import { createDocuments, createFolder } from '../support/stores.ts';

/** The settings that infra/ sets in Azure; the test passes clients of its own instead of those they name. */
const azure = {
  COSMOS_ENDPOINT: 'https://unused.documents.azure.com',
  ServiceBus__fullyQualifiedNamespace: 'unused.servicebus.windows.net',
  AzureWebJobsStorage__accountName: 'unused',
  WEBSITE_SITE_NAME: 'unused',
  WEBSITE_AUTH_ENABLED: 'True',
};
const landing: QueueSource = { queue: queues.landing };
const pipelineEvents: QueueSource = {
  topic: subscriptions.pipelines.topic,
  subscription: subscriptions.pipelines.name,
};

test('runs the loop on Cosmos DB, Service Bus and Blob storage as on the embedded stores', async () => {
  const file = await createFlights(20_000);
  const stores = await startAzureStores();
  const instance = start(stores.connect());
  const { app, engine } = instance;
  await app.prepare();
  await expect
    .poll(() => app.checkHealth())
    .toMatchObject({
      metadata: { status: 'up' },
      blobs: { status: 'up' },
      queue: { status: 'up' },
    });
  await declare(app, pipeline);

  const ingest = await land(instance, 'january.parquet', file);
  const [training] = await handleEvent(instance);
  expect(await app.pipelines.runs.get(ingest)).toMatchObject({ status: 'succeeded' });
  expect(await app.pipelines.runs.get(training!)).toMatchObject({ status: 'succeeded' });

  const version = await app.datasets.view(dataset, '0');
  const hash = version.sha256;
  expect(version).toMatchObject({
    rows: 20_000,
    lineage: { sourceSha256: sha256(readFileSync(file)), runId: ingest },
  });
  expect(version.columns.map(({ name }) => name)).toEqual([
    'date',
    'delay',
    'distance',
    'origin',
    'destination',
  ]);
  const trained = await app.registry.versions.get(model, 1);
  expect(trained.metrics['aucScore']).toBeGreaterThan(0.7);
  expect(trained.lineage).toMatchObject({
    runId: training,
    dataset: { name: dataset, version: 0, sha256: hash },
  });
  expect(await app.registry.aliases.get(model, productionAlias)).toMatchObject({
    version: 1,
    previousVersion: null,
    movedBy: `run ${training}`,
  });
  const score = await ask(app);
  expect(score.version.version).toBe(1);
  expect(score.predictions[0]!.probability).toBeGreaterThan(0);
  expect(score.predictions[0]!.probability).toBeLessThan(1);

  // The same content again, under another name and under the same one: no new version, no new training.
  await land(instance, 'copy.parquet', file);
  expect(await handleEvent(instance)).toEqual([training]);
  await land(instance, 'january.parquet', file);
  expect(await handleEvent(instance)).toEqual([training]);
  const page = { limit: 10 };
  expect((await app.datasets.versions.list(dataset, page)).items).toHaveLength(1);
  expect((await app.registry.versions.list(model, page)).items).toHaveLength(1);
  expect((await app.pipelines.runs.list(page, { pipeline: 'ingest' })).items).toHaveLength(3);
  expect((await app.pipelines.runs.list(page, { pipeline })).items).toHaveLength(1);
  await reconcile(instance);
  expect(engine.runIds).toHaveLength(4);
  // No message is left, neither in the queue nor dead-lettered.
  expect(stores.broker.messageIds(queues.landing)).toEqual([]);
  expect(stores.broker.messageIds(`${topics.events}/subscriptions/${subscriptions.pipelines.name}`)).toEqual(
    [],
  );

  // Another instance of the app finds everything and gives the same answers.
  const other = start(stores.connect());
  expect((await ask(other.app)).predictions).toEqual(score.predictions);
  expect((await other.app.pipelines.runs.list(page)).items).toHaveLength(4);

  // The same data gives the same model without Azure.
  const embedded = start(await openEmbedded());
  await declare(embedded.app, pipeline);
  await land(embedded, 'january.parquet', file);
  expect(await handleEvent(embedded)).toEqual([training]);
  expect((await embedded.app.registry.versions.get(model, 1)).sha256).toBe(trained.sha256);
});

test('starts the run of a lost event from the timer', async () => {
  const file = await createFlights(3_000);
  const stores = await startAzureStores();
  const instance = start(stores.connect());
  const { app, engine } = instance;
  await declare(app, pipeline);
  await land(instance, 'january.parquet', file);
  const [lost] = await receiveOne(instance, pipelineEvents);
  await instance.platform.queue.complete(lost!);

  await reconcile(instance);
  const [, training] = engine.runIds;
  expect(await engine.result(training!)).toMatchObject({ status: 'succeeded' });
  await reconcile(instance);
  await app.pipelines.triggers.onDatasetVersion(lost!.body as unknown as DatasetVersionCreated, silentLogger);
  await engine.handleMessages(instance.platform.queue);
  expect(engine.runIds).toHaveLength(2);
  expect((await app.registry.versions.list(model, { limit: 10 })).items).toHaveLength(1);
});

test('reports a Cosmos DB outage as retryable in a step, and continues scoring', async () => {
  const file = await createFlights(3_000);
  const stores = await startAzureStores();
  const instance = start(stores.connect());
  const { app } = instance;
  await declare(app, pipeline);
  await land(instance, 'january.parquet', file);
  await handleEvent(instance);
  const before = await ask(app);

  stores.cosmos.intercept = () => failure(503, 'on purpose');
  await expect
    .poll(() => app.checkHealth())
    .toMatchObject({
      metadata: { status: 'down' },
      blobs: { status: 'up' },
      queue: { status: 'up' },
    });
  const call = { runId: 'r', step: 'commit', attempt: 1, input: {} };
  expect(await app.pipelines.runStep(call, silentLogger)).toMatchObject({
    ok: false,
    error: { code: 'UNAVAILABLE', retry: true },
  });
  await expect(app.datasets.catalog.get('never-seen')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  // Longer than an alias is cached.
  stores.clock.skip(2_100);
  expect((await ask(app)).predictions).toEqual(before.predictions);

  stores.cosmos.intercept = undefined;
  await expect(app.datasets.catalog.get('never-seen')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

interface Instance {
  readonly app: App;
  readonly engine: DirectEngine;
  readonly platform: Platform;
}

function start(platform: Platform): Instance {
  const app = createApp(loadConfig(azure, { version: '1.0.0', commit: 'test' }), platform);
  return { app, engine: new DirectEngine(app), platform };
}

/** What `npm start` composes. */
async function openEmbedded(): Promise<Platform> {
  const azurite = await startTestAzurite();
  onTestFinished(() => azurite.stop());
  const blobs = createBlobStore(
    { clock: systemClock, ids: systemIds },
    { connectionString: azurite.connectionString },
  );
  await blobs.ensureContainers(Object.values(blobContainers));
  const queue = openSqliteQueue(
    { clock: systemClock, ids: systemIds },
    {
      file: join(createFolder(), 'host.db'),
      topology: {
        queues: Object.values(queues),
        topics: { [topics.events]: [subscriptions.pipelines.name] },
      },
    },
  );
  onTestFinished(() => queue.close());
  return {
    clock: systemClock,
    ids: systemIds,
    logger: silentLogger,
    metadata: createDocuments(),
    queue,
    blobs,
  };
}

async function createFlights(rows: number): Promise<string> {
  const file = join(createFolder(), 'flights.parquet');
  await writeFlights(file, { rows });
  return file;
}

async function declare(app: App, name: string): Promise<void> {
  const text = readFileSync(join(import.meta.dirname, '../../examples/flights/pipeline.json'), 'utf8');
  await app.pipelines.declarations.put(name, JSON.parse(text), 'ada');
}

/**
 * Drops a file, sends Event Grid's message about it, and waits for its ingestion. The instance that handles the message
 * dies before it settles the message, which is redelivered and starts no second run. @returns the run
 */
async function land(instance: Instance, name: string, file: string): Promise<string> {
  const { app, engine, platform } = instance;
  const ref = { container: blobContainers.landing, name: `${dataset}/${name}` };
  const { etag } = await platform.blobs.put(ref, readFileSync(file));
  await platform.queue.send(queues.landing, [{ id: sha256(etag), body: { ...ref } }]);
  const handle = async (deliveryCount: number) => {
    const [message] = await receiveOne(instance, landing);
    expect(message).toMatchObject({ id: sha256(etag), deliveryCount });
    const run = await app.datasets.landing.onLanding(message!.body as unknown as typeof ref, silentLogger);
    return { message: message!, runId: run!.runId };
  };
  const first = await handle(1);
  await platform.queue.abandon(first.message);
  const second = await handle(2);
  await platform.queue.complete(second.message);
  expect(second.runId).toBe(first.runId);
  await engine.handleMessages(platform.queue);
  await engine.result(second.runId);
  return second.runId;
}

/** Handles the one waiting event, as the function of the subscription does. @returns the runs, which have ended */
async function handleEvent(instance: Instance): Promise<readonly string[]> {
  const { app, engine, platform } = instance;
  let [message] = await receiveOne(instance, pipelineEvents);
  // Events of the registry are in the same topic: the function ignores them.
  while (message?.subject?.startsWith('dataset.') === false) {
    await platform.queue.complete(message);
    [message] = await receiveOne(instance, pipelineEvents);
  }
  expect(message).toMatchObject({
    id: `dataset.version.created:${dataset}:0`,
    subject: 'dataset.version.created',
    body: { type: 'dataset.version.created', dataset, version: 0 },
  });
  const runs = await app.pipelines.triggers.onDatasetVersion(
    message!.body as unknown as DatasetVersionCreated,
    silentLogger,
  );
  await platform.queue.complete(message!);
  await engine.handleMessages(platform.queue);
  for (const { runId } of runs) await engine.result(runId);
  return runs.map(({ runId }) => runId);
}

function receiveOne({ platform }: Instance, source: QueueSource) {
  return platform.queue.receive(source, { maxMessages: 1, waitMs: patienceMs });
}

async function reconcile({ app, engine, platform }: Instance): Promise<void> {
  await app.pipelines.triggers.reconcile(silentLogger);
  await engine.handleMessages(platform.queue);
}

async function ask(app: App) {
  const answer = await app.scoring.score({ model, alias: productionAlias }, { rows: [question] });
  if (!('predictions' in answer)) throw new Error('the model has no predictions');
  return { ...answer, predictions: answer.predictions as readonly { readonly probability: number }[] };
}

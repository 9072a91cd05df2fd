import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../shared/core/clock.ts';
import type { Ids } from '../../shared/core/ids.ts';
import type { Logger } from '../../shared/core/logger.ts';
import { ActivityPump } from './dispatch/activities.ts';
import { clientBinding, type UrlOptions } from './http/client-urls.ts';
import { DurableClientOperations } from './http/client.ts';
import { Database } from './store/database.ts';
import { EndWaiters } from './dispatch/end-waiters.ts';
import { EntityRunner } from './dispatch/entities.ts';
import { handleManagementRequest } from './http/api.ts';
import type { DurableHttpRequest, DurableHttpResponse } from './http/types.ts';
import { FunctionRegistry, requireHubName } from './identity.ts';
import { InstanceStore } from './store/instance-store.ts';
import { jsonCodec } from './wire/json-codec.ts';
import { LiveInstances } from './dispatch/live-instances.ts';
import type { DurableFunction } from './model.ts';
import { OrchestrationRunner, type OrchestrationOptions } from './dispatch/orchestrations.ts';
import { ReadyQueue } from './dispatch/ready-queue.ts';
import { readDurableSettings } from './settings.ts';
import { durableSchema } from './store/store-schema.ts';
import { TimerService } from './dispatch/timers.ts';
import type { Stores, Wakes } from './store/turn-commit.ts';
import { WorkStore } from './store/work-store.ts';

export interface DurableDeps {
  /** The host's database, in WAL mode. The engine's tables are prefixed `df_`. */
  readonly db: DatabaseSync;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  /** The origin where the host listens, as `http://127.0.0.1:7071`; read again for each URL. */
  readonly baseUrl: () => string;
  readonly functions: readonly DurableFunction[];
  /** Runs a function and returns its value. @throws an Error with the function's message */
  readonly invoke: (functionName: string, input: string) => Promise<unknown>;
}

export interface DurableOptions extends Partial<OrchestrationOptions> {
  readonly hubName: string;
  /** The key of `/runtime/webhooks/durabletask`. */
  readonly systemKey: string;
  /** `extensions.durableTask` of host.json. */
  readonly settings: unknown;
}

export interface DurableExtension {
  /** Continues what the last process left: due timers, unfinished activities, unread messages. */
  start(): Promise<void>;
  /** Waits a few seconds for running functions, then stops; unfinished ones run again after the next start. */
  stop(): Promise<void>;
  /** The value of a `durableClient` input binding. */
  clientBinding(): string;
  /** Answers a request below `/runtime/webhooks/durabletask`. Never throws. */
  handle(request: DurableHttpRequest): Promise<DurableHttpResponse>;
}

const stopTimeoutMs = 5000;

/**
 * The part of the Durable Task extension that Slipway needs, over SQLite.
 *
 * @throws AppError INVALID_ARGUMENT for a hub name or settings that Azure would refuse
 */
export function createDurableExtension(deps: DurableDeps, options: DurableOptions): DurableExtension {
  requireHubName(options.hubName);
  const settings = readDurableSettings(options.settings);
  const { clock, log, invoke } = deps;
  const db = new Database(deps.db);
  db.exec(durableSchema);
  const stores: Stores = { db, instances: new InstanceStore(db), work: new WorkStore(db) };
  const codec = jsonCodec;
  const live = new LiveInstances(stores.instances, codec);
  const registry = new FunctionRegistry(deps.functions);
  const waiters = new EndWaiters();
  const newExecutionId = (): string => deps.ids.uuid().replaceAll('-', '');
  const ids = { uuid: () => deps.ids.uuid(), random: () => deps.ids.random(), newExecutionId };
  let isStopped = true;

  const wakeInstance = (instanceId: string): void => instanceQueue.add(instanceId);
  const wakeEntity = (entityId: string): void => entityQueue.add(entityId);
  const wake = (wakes: Wakes): void => {
    for (const instanceId of wakes.instances) wakeInstance(instanceId);
    for (const entityId of wakes.entities) wakeEntity(entityId);
    if (wakes.activities) activities.wake();
    if (wakes.timers) timers.rearm();
  };
  const shared = {
    stores,
    live,
    codec,
    settings,
    registry,
    clock,
    log,
    ids,
    wakeInstance,
    wakeEntity,
    invoke,
  };
  const activities = new ActivityPump(shared, { concurrency: settings.maxConcurrentActivityFunctions });
  const timers = new TimerService(shared);
  const orchestrations = new OrchestrationRunner(
    { ...shared, isStopped: () => isStopped, wake, onEnded: (instanceId) => waiters.ended(instanceId) },
    { verifyReplay: options.verifyReplay ?? false },
  );
  const entities = new EntityRunner(
    { ...shared, isStopped: () => isStopped },
    { maxBatchSize: settings.maxEntityOperationBatchSize },
  );
  const onError = (key: string, error: unknown): void =>
    log.log('error', 'Saving a durable turn failed; retrying', { key, cause: String(error) });
  const instanceQueue = new ReadyQueue({
    concurrency: settings.maxConcurrentOrchestratorFunctions,
    run: (instanceId) => orchestrations.runTurn(instanceId),
    onError,
  });
  const entityQueue = new ReadyQueue({
    concurrency: settings.maxConcurrentEntityFunctions,
    run: (entityId) => entities.runBatch(entityId),
    onError,
  });
  const client = new DurableClientOperations(shared);
  const urls = (): UrlOptions => ({
    origin: deps.baseUrl().replace(/\/+$/, ''),
    hubName: options.hubName,
    systemKey: options.systemKey,
  });
  const api = {
    client,
    stores,
    urls,
    nowMs: () => clock.now(),
    waitForEnd: (instanceId: string, timeoutMs: number) => waiters.wait(instanceId, timeoutMs),
    systemKey: options.systemKey,
    hubName: options.hubName,
    log,
  };

  return {
    start: async () => {
      isStopped = false;
      for (const instanceId of stores.instances.listReady()) instanceQueue.add(instanceId);
      for (const entityId of stores.work.listReadyEntities()) entityQueue.add(entityId);
      instanceQueue.open();
      entityQueue.open();
      activities.open();
      timers.open();
    },
    stop: async () => {
      timers.close();
      await Promise.all([
        activities.close(stopTimeoutMs),
        instanceQueue.close(stopTimeoutMs),
        entityQueue.close(stopTimeoutMs),
      ]);
      isStopped = true;
      waiters.close();
    },
    clientBinding: () => clientBinding(urls()),
    handle: (request) => handleManagementRequest(api, request),
  };
}

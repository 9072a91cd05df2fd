import { AppError } from '../../../shared/core/errors.ts';
import type { Clock } from '../../../shared/core/clock.ts';
import type { Ids } from '../../../shared/core/ids.ts';
import { entityIdOf, requireInstanceId, type FunctionRegistry } from '../identity.ts';
import type { Instance } from '../store/instance-store.ts';
import type { LiveInstances } from '../dispatch/live-instances.ts';
import { isTerminal, type InboxEvent } from '../model.ts';
import type { DurableSettings } from '../settings.ts';
import type { CommitIds, Stores } from '../store/turn-commit.ts';

export interface ClientOptions {
  readonly stores: Stores;
  readonly live: LiveInstances;
  readonly registry: FunctionRegistry;
  readonly settings: DurableSettings;
  readonly clock: Clock;
  readonly ids: Ids & CommitIds;
  readonly wakeInstance: (instanceId: string) => void;
  readonly wakeEntity: (entityId: string) => void;
}

/** What a durable client can ask for, free of HTTP. */
export class DurableClientOperations {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /**
   * Starts an orchestration and returns its instance id.
   *
   * @param instanceId null for a new id
   * @param input JSON text, null for none
   * @throws AppError INVALID_ARGUMENT for a bad id or an unknown function; ALREADY_EXISTS while an instance of this id
   *   still runs (unless host.json's overridableExistingInstanceStates is AnyState).
   */
  start(name: string, instanceId: string | null, input: string | null): string {
    const { stores, registry, settings, clock, ids } = this.#options;
    const why = registry.whyUnknown('orchestration', name);
    if (why !== null) throw new AppError('INVALID_ARGUMENT', why);
    const id = instanceId ?? ids.uuid().replaceAll('-', '');
    requireInstanceId(id);
    const nowMs = clock.now();
    stores.db.transaction(() => {
      const existing = stores.instances.find(id);
      const isInTheWay = existing !== undefined && !isTerminal(existing.status);
      if (isInTheWay && settings.overridableExistingInstanceStates !== 'AnyState')
        throw new AppError(
          'ALREADY_EXISTS',
          `An Orchestration instance with the status ${existing.status} already exists.`,
        );
      stores.instances.replace({
        instanceId: id,
        executionId: ids.newExecutionId(),
        name: registry.find('orchestration', name) ?? name,
        status: 'Pending',
        turns: 0,
        input,
        output: null,
        customStatus: null,
        createdMs: nowMs,
        updatedMs: nowMs,
        parent: null,
      });
    });
    this.#options.live.forget(id);
    this.#options.wakeInstance(id);
    return id;
  }

  find(instanceId: string): Instance | undefined {
    return this.#options.stores.instances.find(instanceId);
  }

  terminate(instanceId: string, reason: string | null): void {
    this.#post(instanceId, { type: 'executionTerminated', atMs: this.#options.clock.now(), reason });
  }

  suspend(instanceId: string, reason: string | null): void {
    this.#post(instanceId, { type: 'executionSuspended', atMs: this.#options.clock.now(), reason });
  }

  resume(instanceId: string, reason: string | null): void {
    this.#post(instanceId, { type: 'executionResumed', atMs: this.#options.clock.now(), reason });
  }

  /** @param input JSON text, null for none */
  raiseEvent(instanceId: string, name: string, input: string | null): void {
    this.#post(instanceId, { type: 'eventRaised', atMs: this.#options.clock.now(), name, input });
  }

  /** @throws AppError INVALID_ARGUMENT for an unknown entity. */
  signalEntity(name: string, key: string, operation: string, input: string | null): void {
    this.requireEntity(name);
    const entityId = entityIdOf(name, key);
    const id = this.#options.ids.uuid();
    this.#options.stores.work.postToEntity(entityId, { id, operation, input, isSignal: true });
    this.#options.wakeEntity(entityId);
  }

  requireEntity(name: string): void {
    const why = this.#options.registry.whyUnknown('entity', name);
    if (why !== null) throw new AppError('INVALID_ARGUMENT', why);
  }

  /** Removes an instance or, by its scheduler id, an entity; false when there was none. */
  purge(instanceId: string): boolean {
    const { stores, live } = this.#options;
    live.forget(instanceId);
    return stores.db.transaction(() =>
      instanceId.startsWith('@') ? stores.work.deleteEntity(instanceId) : stores.instances.delete(instanceId),
    );
  }

  #post(instanceId: string, event: InboxEvent): void {
    this.#options.stores.instances.post(instanceId, null, event);
    this.#options.wakeInstance(instanceId);
  }
}

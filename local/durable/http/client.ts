import { AppError } from '../../../shared/core/errors.ts';
import type { Clock } from '../../../shared/core/clock.ts';
import type { Ids } from '../../../shared/core/ids.ts';
import { entityIdOf, requireInstanceId, type FunctionRegistry } from '../identity.ts';
import type { Instance } from '../store/instance-store.ts';
import type { LiveInstances } from '../dispatch/live-instances.ts';
import { isTerminal, type InboxEvent } from '../model.ts';
import type { DurableSettings } from '../settings.ts';
import type { CommitIds, Stores } from '../store/turn-commit.ts';

export interface ClientDeps {
  readonly stores: Stores;
  readonly live: LiveInstances;
  readonly registry: FunctionRegistry;
  readonly settings: DurableSettings;
  readonly clock: Clock;
  readonly ids: Ids & CommitIds;
  readonly wakeInstance: (instanceId: string) => void;
  readonly wakeEntity: (entityId: string) => void;
}

/** The operations of a durable client, without HTTP. */
export class DurableClientOperations {
  readonly #deps: ClientDeps;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
  }

  /**
   * Starts an orchestration.
   *
   * @param instanceId null for a new id
   * @param input JSON text, null for none
   * @returns its instance id
   * @throws AppError INVALID_ARGUMENT for a bad id or an unknown function; ALREADY_EXISTS while an instance of this id
   *   runs (unless host.json's overridableExistingInstanceStates is AnyState)
   */
  start(name: string, instanceId: string | null, input: string | null): string {
    const { stores, registry, settings, clock, ids } = this.#deps;
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
    this.#deps.live.forget(id);
    this.#deps.wakeInstance(id);
    return id;
  }

  find(instanceId: string): Instance | undefined {
    return this.#deps.stores.instances.find(instanceId);
  }

  terminate(instanceId: string, reason: string | null): void {
    this.#post(instanceId, { type: 'executionTerminated', atMs: this.#deps.clock.now(), reason });
  }

  suspend(instanceId: string, reason: string | null): void {
    this.#post(instanceId, { type: 'executionSuspended', atMs: this.#deps.clock.now(), reason });
  }

  resume(instanceId: string, reason: string | null): void {
    this.#post(instanceId, { type: 'executionResumed', atMs: this.#deps.clock.now(), reason });
  }

  /** @param input JSON text, null for none */
  raiseEvent(instanceId: string, name: string, input: string | null): void {
    this.#post(instanceId, { type: 'eventRaised', atMs: this.#deps.clock.now(), name, input });
  }

  /** @throws AppError INVALID_ARGUMENT for an unknown entity */
  signalEntity(name: string, key: string, operation: string, input: string | null): void {
    this.requireEntity(name);
    const entityId = entityIdOf(name, key);
    const id = this.#deps.ids.uuid();
    this.#deps.stores.work.postToEntity(entityId, { id, operation, input, isSignal: true });
    this.#deps.wakeEntity(entityId);
  }

  requireEntity(name: string): void {
    const why = this.#deps.registry.whyUnknown('entity', name);
    if (why !== null) throw new AppError('INVALID_ARGUMENT', why);
  }

  /** Removes an instance or, by its scheduler id, an entity. @returns false when there was none */
  purge(instanceId: string): boolean {
    const { stores, live } = this.#deps;
    live.forget(instanceId);
    return stores.db.transaction(() =>
      instanceId.startsWith('@') ? stores.work.deleteEntity(instanceId) : stores.instances.delete(instanceId),
    );
  }

  #post(instanceId: string, event: InboxEvent): void {
    this.#deps.stores.instances.post(instanceId, null, event);
    this.#deps.wakeInstance(instanceId);
  }
}

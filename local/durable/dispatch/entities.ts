import type { Clock } from '../../../shared/core/clock.ts';
import type { Ids } from '../../../shared/core/ids.ts';
import type { Logger } from '../../../shared/core/logger.ts';
import { partsOfEntityId, type FunctionRegistry } from '../identity.ts';
import type { EntityRequest } from '../model.ts';
import type { Stores } from '../store/turn-commit.ts';
import type { EntityReply, WireCodec } from '../wire/wire-codec.ts';
import type { EntityRow } from '../store/work-store.ts';

export interface EntityDeps {
  readonly stores: Stores;
  readonly codec: WireCodec;
  readonly registry: FunctionRegistry;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly isStopped: () => boolean;
  readonly wakeInstance: (instanceId: string) => void;
  readonly wakeEntity: (entityId: string) => void;
  readonly invoke: (functionName: string, input: string) => Promise<unknown>;
}

/** Runs entities. All pending operations of one are a batch: one call of its function, one transaction. */
export class EntityRunner {
  readonly #deps: EntityDeps;
  readonly #maxBatchSize: number;

  constructor(deps: EntityDeps, { maxBatchSize }: { readonly maxBatchSize: number }) {
    this.#deps = deps;
    this.#maxBatchSize = maxBatchSize;
  }

  async runBatch(entityId: string): Promise<undefined> {
    const { stores } = this.#deps;
    const messages = stores.work.readEntityInbox(entityId, this.#maxBatchSize);
    const last = messages.at(-1);
    if (last === undefined) return;
    const before = stores.work.findEntity(entityId);
    const batch = messages.map(({ request }) => request);
    const reply = await this.#ask(entityId, before, batch);
    if (this.#deps.isStopped()) return;
    this.#commit(entityId, last.seq, batch, reply);
    if (messages.length === this.#maxBatchSize) this.#deps.wakeEntity(entityId);
  }

  async #ask(
    entityId: string,
    before: EntityRow | undefined,
    batch: readonly EntityRequest[],
  ): Promise<EntityReply> {
    const { codec, registry, log } = this.#deps;
    const { name, key } = partsOfEntityId(entityId);
    const exists = before?.exists ?? false;
    const state = before?.state ?? null;
    try {
      const functionName = registry.find('entity', name);
      if (functionName === undefined) throw new Error(registry.whyUnknown('entity', name) ?? name);
      const trigger = codec.encodeEntityTrigger({ name, key, exists, state, batch });
      return codec.decodeEntityReply(await this.#deps.invoke(functionName, trigger), batch.length);
    } catch (error) {
      // As after a timeout in Azure, every operation of the batch failed and the state is unchanged.
      const message = error instanceof Error ? error.message : String(error);
      log.log('error', 'An entity function failed', { entityId, cause: message });
      const result = { isError: true, result: JSON.stringify(message) };
      return { exists, state, results: batch.map(() => result), signals: [] };
    }
  }

  #commit(entityId: string, lastSeq: number, batch: readonly EntityRequest[], reply: EntityReply): void {
    const { stores, codec, clock, ids, wakeInstance, wakeEntity } = this.#deps;
    const atMs = clock.now();
    const answered = new Set<string>();
    stores.db.transaction(() => {
      stores.work.removeEntityMessages(entityId, lastSeq);
      stores.work.saveEntity({ entityId, exists: reply.exists, state: reply.state, updatedMs: atMs });
      batch.forEach((request, index) => {
        const result = reply.results[index];
        if (request.isSignal || request.parentInstanceId === undefined || result === undefined) return;
        if (stores.instances.find(request.parentInstanceId) === undefined) return;
        const input = codec.encodeEntityResponse(result);
        const response = { type: 'eventRaised', atMs, name: request.id, input } as const;
        stores.instances.post(request.parentInstanceId, request.parentExecutionId ?? null, response);
        answered.add(request.parentInstanceId);
      });
      for (const { entityId: target, operation, input } of reply.signals)
        stores.work.postToEntity(target, { id: ids.uuid(), operation, input, isSignal: true });
    });
    for (const instanceId of answered) wakeInstance(instanceId);
    for (const { entityId: target } of reply.signals) wakeEntity(target);
  }
}

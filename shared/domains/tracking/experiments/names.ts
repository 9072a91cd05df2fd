import { AppError, isAppError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json/json.ts';
import { metadataContainers } from '../../../core/names/resources.ts';
import type { BatchOperation, MetadataStore, StoredDocument } from '../../../platform/storage/documents.ts';
import { type ExperimentBody, experimentKey, experimentNameKey } from '../documents.ts';
import { trackingErrors } from '../errors.ts';

/**
 * The claim of a name. It carries the operations that complete it in the experiment's partition: no batch spans two
 * partitions, so any reader completes a claim that a crash left pending. Completing it twice is harmless, because a
 * create, or a replace under an ETag, takes effect at most once.
 */
type NameBody = {
  readonly experimentId: string;
  readonly detail: { readonly operations: readonly BatchOperation[] };
} & JsonObject;

/** Keeps names unique among active experiments. */
export class ExperimentNames {
  readonly #store: MetadataStore;

  constructor(store: MetadataStore) {
    this.#store = store;
  }

  /**
   * Claims a name for an experiment and completes the claim.
   *
   * @throws ALREADY_EXISTS when another active experiment has it; PRECONDITION_FAILED after a lost race: read again
   */
  async take(name: string, experimentId: string, operations: readonly BatchOperation[]): Promise<void> {
    const key = experimentNameKey(name);
    const body = { experimentId, detail: { operations } };
    const known = await this.#store.get<NameBody>(key);
    const owner = known === undefined ? undefined : await this.#settle(known);
    if (
      owner !== undefined &&
      isHolder(owner.body, name) &&
      owner.body.experiment.experimentId !== experimentId
    )
      throw trackingErrors.experimentNameTaken({ name });
    try {
      if (known === undefined) await this.#store.create(key, body);
      else await this.#store.replace(key, body, known.etag);
    } catch (error) {
      if (!isAppError(error, 'ALREADY_EXISTS') && !isAppError(error, 'NOT_FOUND')) throw error;
      throw new AppError(
        'PRECONDITION_FAILED',
        'Another experiment claimed the same name at the same time.',
        { name },
      );
    }
    await this.#store.batch(metadataContainers.tracking, experimentId, operations);
  }

  /** Finds the last experiment that claimed the name, if it still has it: active or deleted. */
  async find(name: string): Promise<StoredDocument<ExperimentBody> | undefined> {
    const known = await this.#store.get<NameBody>(experimentNameKey(name));
    const owner = known === undefined ? undefined : await this.#settle(known);
    return owner?.body.experiment.name === name ? owner : undefined;
  }

  /** Deletes the claim of a name that the experiment no longer has. Only tidies up: the name is free anyway. */
  async release(name: string, experimentId: string): Promise<void> {
    const key = experimentNameKey(name);
    const known = await this.#store.get<NameBody>(key);
    if (known?.body.experimentId !== experimentId) return;
    try {
      await this.#store.delete(key, known.etag);
    } catch (error) {
      // Another experiment has claimed it.
      if (!isAppError(error, 'PRECONDITION_FAILED') && !isAppError(error, 'NOT_FOUND')) throw error;
    }
  }

  /** Completes a pending claim. @returns the claiming experiment as it is afterwards */
  async #settle(known: StoredDocument<NameBody>): Promise<StoredDocument<ExperimentBody> | undefined> {
    const { experimentId, detail } = known.body;
    const key = experimentKey(experimentId);
    const owner = await this.#store.get<ExperimentBody>(key);
    const [first] = detail.operations;
    const isPending = first?.kind === 'replace' ? owner?.etag === first.etag : owner === undefined;
    if (!isPending) return owner;
    try {
      await this.#store.batch(metadataContainers.tracking, experimentId, detail.operations);
    } catch (error) {
      // Another process completed it.
      if (!isAppError(error, 'ALREADY_EXISTS') && !isAppError(error, 'PRECONDITION_FAILED')) throw error;
    }
    return this.#store.get<ExperimentBody>(key);
  }
}

function isHolder({ experiment }: ExperimentBody, name: string): boolean {
  return experiment.name === name && experiment.lifecycleStage === 'active';
}

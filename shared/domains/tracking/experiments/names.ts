import { AppError, isAppError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';
import { metadataContainers } from '../../../core/names.ts';
import type { BatchOperation, MetadataStore, StoredDocument } from '../../../platform/storage/documents.ts';
import { type ExperimentBody, experimentKey, experimentNameKey } from '../documents.ts';

/**
 * Who has a name. The claim carries the very operations that make it true in the experiment's partition: two partitions
 * cannot be written at once, so whoever finds a claim that was not carried out (a crash, or one just under way)
 * carries it out. An operation that creates, or replaces under an ETag, takes effect once or never.
 */
type NameBody = {
  readonly experimentId: string;
  readonly detail: { readonly operations: readonly BatchOperation[] };
} & JsonObject;

/** Gives each name to at most one active experiment. */
export class ExperimentNames {
  readonly #store: MetadataStore;

  constructor(store: MetadataStore) {
    this.#store = store;
  }

  /**
   * Takes a name for an experiment, and carries out what makes the experiment have it.
   *
   * @throws ALREADY_EXISTS when another active experiment has it; PRECONDITION_FAILED when somebody was faster: look
   * again, and decide anew
   */
  async take(name: string, experimentId: string, operations: readonly BatchOperation[]): Promise<void> {
    const key = experimentNameKey(name);
    const body = { experimentId, detail: { operations } } as unknown as NameBody;
    const known = await this.#store.get<NameBody>(key);
    const owner = known === undefined ? undefined : await this.#settle(known);
    if (
      owner !== undefined &&
      isHolder(owner.body, name) &&
      owner.body.experiment.experimentId !== experimentId
    )
      throw new AppError('ALREADY_EXISTS', `Experiment '${name}' already exists.`, { name });
    try {
      if (known === undefined) await this.#store.create(key, body);
      else await this.#store.replace(key, body, known.etag);
    } catch (error) {
      if (!isAppError(error, 'ALREADY_EXISTS') && !isAppError(error, 'NOT_FOUND')) throw error;
      throw new AppError('PRECONDITION_FAILED', 'Another experiment is taking the same name.', { name });
    }
    await this.#store.batch(metadataContainers.tracking, experimentId, operations);
  }

  /** @returns the experiment that took the name last, if it still has it: active or deleted */
  async find(name: string): Promise<StoredDocument<ExperimentBody> | undefined> {
    const known = await this.#store.get<NameBody>(experimentNameKey(name));
    const owner = known === undefined ? undefined : await this.#settle(known);
    return owner?.body.experiment.name === name ? owner : undefined;
  }

  /** Gives a name back that an experiment no longer has. Without it the name is free just as well. */
  async release(name: string, experimentId: string): Promise<void> {
    const key = experimentNameKey(name);
    const known = await this.#store.get<NameBody>(key);
    if (known?.body.experimentId !== experimentId) return;
    try {
      await this.#store.delete(key, known.etag);
    } catch (error) {
      // Somebody else has taken it meanwhile.
      if (!isAppError(error, 'PRECONDITION_FAILED') && !isAppError(error, 'NOT_FOUND')) throw error;
    }
  }

  /** Carries out a claim, if nobody has and it still can be. @returns the claimant as it is afterwards */
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
      // Its claimant, or another who found it, was faster.
      if (!isAppError(error, 'ALREADY_EXISTS') && !isAppError(error, 'PRECONDITION_FAILED')) throw error;
    }
    return this.#store.get<ExperimentBody>(key);
  }
}

function isHolder({ experiment }: ExperimentBody, name: string): boolean {
  return experiment.name === name && experiment.lifecycleStage === 'active';
}

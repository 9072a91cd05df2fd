import { isAppError } from '../../core/errors.ts';
import { Lru } from '../../core/lru.ts';
import type { MetadataStore } from '../../platform/storage/documents.ts';
import { loggedModelPointerKey, type PointerBody, runPointerKey } from './documents.ts';
import { experimentOfRunId } from './run-id.ts';

const maxEntries = 50_000;
/** The form of every id that was ever issued. */
const idPattern = /^[a-zA-Z0-9][\w-]{0,199}$/;

/**
 * Finds the experiment of a run or a logged model: in the run's id, or else in a pointer. Pointers never change, so they
 * are cached without expiry.
 */
export class Locator {
  readonly #store: MetadataStore;
  readonly #known = new Lru<string, string>({ maxCost: maxEntries });

  constructor(store: MetadataStore) {
    this.#store = store;
  }

  /** @returns where the run is, if there is one; undefined when there is none */
  async findRun(runId: string): Promise<string | undefined> {
    if (!idPattern.test(runId)) return undefined;
    return experimentOfRunId(runId) ?? this.#find(runPointerKey(runId));
  }

  /** @returns undefined when there is no such model */
  async findLoggedModel(modelId: string): Promise<string | undefined> {
    return idPattern.test(modelId) ? this.#find(loggedModelPointerKey(modelId)) : undefined;
  }

  /**
   * Creates the pointer of a run that the caller is about to create, unless the id contains the experiment. Repeating it
   * changes nothing: an earlier attempt may have created only the pointer.
   *
   * @throws ALREADY_EXISTS when the pointer leads to another experiment
   */
  async addRun(runId: string, experimentId: string): Promise<void> {
    if (experimentOfRunId(runId) === experimentId) return;
    const key = runPointerKey(runId);
    try {
      await this.#add(key, experimentId);
    } catch (error) {
      if (!isAppError(error, 'ALREADY_EXISTS') || (await this.#find(key)) !== experimentId) throw error;
    }
  }

  /** Creates the pointer of a logged model that the caller is about to create. */
  async addLoggedModel(modelId: string, experimentId: string): Promise<void> {
    await this.#add(loggedModelPointerKey(modelId), experimentId);
  }

  async #add(key: ReturnType<typeof runPointerKey>, experimentId: string): Promise<void> {
    await this.#store.batch(key.container, key.partition, [
      { kind: 'create', id: key.id, body: { experimentId } },
    ]);
    this.#known.set(key.id, experimentId);
  }

  async #find(key: ReturnType<typeof runPointerKey>): Promise<string | undefined> {
    // `get` would reorder the cache on every write to a run, for entries that cost one read to restore.
    const known = this.#known.peek(key.id);
    if (known !== undefined) return known;
    const pointer = await this.#store.get<PointerBody>(key);
    if (pointer !== undefined) this.#known.set(key.id, pointer.body.experimentId);
    return pointer?.body.experimentId;
  }
}

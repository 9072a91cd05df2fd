import type { MetadataStore } from '../../platform/storage/documents.ts';
import { loggedModelPointerKey, type PointerBody, runPointerKey } from './documents.ts';
import { Lru } from '../../core/lru.ts';

const maxEntries = 50_000;
/** The form of every id that was ever issued. */
const idPattern = /^[a-zA-Z0-9][\w-]{0,199}$/;

/** Finds the experiment of a run or a logged model. Pointers never change, so they are cached without expiry. */
export class Locator {
  readonly #store: MetadataStore;
  readonly #known = new Lru<string, string>({ maxCost: maxEntries });

  constructor(store: MetadataStore) {
    this.#store = store;
  }

  /** @returns undefined when there is no such run */
  async findRun(runId: string): Promise<string | undefined> {
    return idPattern.test(runId) ? this.#find(runPointerKey(runId)) : undefined;
  }

  /** @returns undefined when there is no such model */
  async findLoggedModel(modelId: string): Promise<string | undefined> {
    return idPattern.test(modelId) ? this.#find(loggedModelPointerKey(modelId)) : undefined;
  }

  /** Creates the pointer of a run that the caller is about to create. */
  async addRun(runId: string, experimentId: string): Promise<void> {
    await this.#add(runPointerKey(runId), experimentId);
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

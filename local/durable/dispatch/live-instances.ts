import type { Instance, InstanceStore } from '../store/instance-store.ts';
import type { HistoryEvent } from '../model.ts';
import type { WireCodec } from '../wire/wire-codec.ts';

/** An instance with its history parsed, and the same history encoded as already played. */
export interface LiveInstance {
  instance: Instance;
  readonly history: HistoryEvent[];
  encodedHistory: string;
}

const maxCachedChars = 32 * 1024 * 1024;

/**
 * A cache of the histories of the instances that ran last, so that a turn reads and encodes only what is new. Bounded
 * by the size of the encoded histories.
 */
export class LiveInstances {
  readonly #store: InstanceStore;
  readonly #codec: WireCodec;
  readonly #cache = new Map<string, LiveInstance>();
  #chars = 0;

  constructor(store: InstanceStore, codec: WireCodec) {
    this.#store = store;
    this.#codec = codec;
  }

  load(instanceId: string): LiveInstance | undefined {
    const cached = this.#cache.get(instanceId);
    if (cached !== undefined) {
      this.forget(instanceId);
      return cached;
    }
    const instance = this.#store.find(instanceId);
    if (instance === undefined) return undefined;
    const history = instance.turns === 0 ? [] : this.#store.readHistory(instanceId).flat();
    return { instance, history, encodedHistory: this.#codec.encodeHistory(history, true) };
  }

  /** Keeps an instance for its next turn and evicts the least recent. */
  keep(live: LiveInstance): void {
    this.#cache.set(live.instance.instanceId, live);
    this.#chars += live.encodedHistory.length;
    for (const [instanceId] of this.#cache) {
      if (this.#chars <= maxCachedChars) return;
      this.forget(instanceId);
    }
  }

  forget(instanceId: string): void {
    const cached = this.#cache.get(instanceId);
    if (cached === undefined) return;
    this.#cache.delete(instanceId);
    this.#chars -= cached.encodedHistory.length;
  }
}

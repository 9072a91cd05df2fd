import type { Clock } from '../../../core/clock.ts';
import { Lru } from '../../../core/lru.ts';
import type { LifecycleStage } from '../entities.ts';

/** How late this process may notice that another one deleted an experiment. */
const maxAgeMs = 5_000;
const maxEntries = 10_000;

/** Remembers for some seconds which experiments are deleted, so that a write to a run need not read its experiment. */
export class StageCache {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #entries = new Lru<string, { readonly stage: LifecycleStage; readonly readAt: number }>({
    maxCost: maxEntries,
  });

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** @returns undefined when nothing recent is known */
  find(experimentId: string): LifecycleStage | undefined {
    const known = this.#entries.get(experimentId);
    return known !== undefined && this.#clock.now() - known.readAt < maxAgeMs ? known.stage : undefined;
  }

  put(experimentId: string, stage: LifecycleStage): void {
    this.#entries.set(experimentId, { stage, readAt: this.#clock.now() });
  }

  delete(experimentId: string): void {
    this.#entries.delete(experimentId);
  }
}

import { NoAnswer } from './client.ts';

const roundMs = 1_000;
/** An operation this slow is measured once: it is warm enough, and its figure is not close to the goal. */
const slowMs = 5_000;

/** One call of what is measured. Each gets another count. */
export type Operation = (count: number) => Promise<unknown>;

/** Measures one operation in rounds of sequential calls. */
export class Meter {
  readonly #operation: Operation;
  readonly #rates: number[] = [];
  readonly #times: number[] = [];
  #count = 0;
  lastAnswer: unknown;
  /** A call timed out. */
  gaveUp = false;

  constructor(operation: Operation) {
    this.#operation = operation;
  }

  async run(isMeasured: boolean): Promise<void> {
    if (this.gaveUp || (this.#times[0] ?? 0) > slowMs) return;
    try {
      await this.#runRound(isMeasured);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      console.error(error.message);
      this.gaveUp = true;
    }
  }

  async #runRound(isMeasured: boolean): Promise<void> {
    const startedAt = performance.now();
    const before = this.#count;
    let endedAt = startedAt;
    while (endedAt - startedAt < roundMs) {
      const calledAt = endedAt;
      this.lastAnswer = await this.#operation(this.#count);
      this.#count += 1;
      endedAt = performance.now();
      if (isMeasured) this.#times.push(endedAt - calledAt);
    }
    if (isMeasured) this.#rates.push((this.#count - before) / ((endedAt - startedAt) / 1_000));
  }

  /** Calls per second, the median of the rounds. */
  get rate(): number {
    return quantile(this.#rates, 0.5);
  }

  /** Milliseconds: 95 % of the calls took no longer. */
  get slowestOfTwenty(): number {
    return quantile(this.#times, 0.95);
  }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
}

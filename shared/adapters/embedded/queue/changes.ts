import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../../../core/clock.ts';

/**
 * Who waits for which queue of which file, in this process: a send through one connection wakes the receivers of
 * every other connection at once. Entries live only as long as somebody waits.
 */
const waiting = new Map<string, Set<() => void>>();

/** @returns a function that stops listening. */
function onWake(file: string, queueId: number, listener: () => void): () => void {
  const key = `${queueId}:${file}`;
  const listeners = waiting.get(key) ?? new Set();
  waiting.set(key, listeners.add(listener));
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0 && waiting.get(key) === listeners) waiting.delete(key);
  };
}

/** Something may have become receivable. Call it after the commit. */
export function wake(file: string, queueIds: Iterable<number>): void {
  for (const queueId of queueIds) waiting.get(`${queueId}:${file}`)?.forEach((listener) => listener());
}

export interface ChangeWatchOptions {
  readonly clock: Clock;
  /** How soon a commit of another process is noticed. Default 100 ms. */
  readonly pollMs?: number;
}

/** Tells when looking into a queue again is worth it. */
export class ChangeWatch {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #pollMs: number;
  readonly #dataVersion: StatementSync;

  /** @param file - under one name for all connections of this process */
  constructor(db: DatabaseSync, file: string, { clock, pollMs = 100 }: ChangeWatchOptions) {
    this.#file = file;
    this.#clock = clock;
    this.#pollMs = pollMs;
    this.#dataVersion = db.prepare('PRAGMA data_version');
  }

  /** Changes when any *other* connection commits. @see https://www.sqlite.org/pragma.html#pragma_data_version */
  version(): number {
    return (this.#dataVersion.get() as { data_version: number }).data_version;
  }

  /** Until this process sends, another one has committed since `version`, the time has come, or the signal fires. */
  async wait(
    since: { readonly queueId: number; readonly version: number; readonly until: number },
    closing: AbortSignal,
  ): Promise<void> {
    const woken = new AbortController();
    const stopListening = onWake(this.#file, since.queueId, () => woken.abort());
    const signal = AbortSignal.any([woken.signal, closing]);
    try {
      while (!signal.aborted) {
        const leftMs = since.until - this.#clock.now();
        if (leftMs <= 0) return;
        await sleepUnlessAborted(this.#clock, Math.min(leftMs, this.#pollMs), signal);
        if (!signal.aborted && this.version() !== since.version) return;
      }
    } finally {
      stopListening();
    }
  }
}

async function sleepUnlessAborted(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

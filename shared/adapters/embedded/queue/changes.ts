import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../../core/clock.ts';
import { prepare, type TypedStatement } from '../typed-statement.ts';

/**
 * The waiting receivers of this process, by queue and file: a send through one connection wakes the receivers of all
 * connections at once.
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

/** Wakes the receivers of queues. Call it after the commit. */
export function wake(file: string, queueIds: Iterable<number>): void {
  for (const queueId of queueIds) waiting.get(`${queueId}:${file}`)?.forEach((listener) => listener());
}

export interface ChangeWatchOptions {
  /** The longest delay until a commit of another process is noticed. */
  readonly pollMs: number;
}

/** Waits until a queue may have new messages. */
export class ChangeWatch {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #pollMs: number;
  readonly #dataVersion: TypedStatement<{ readonly data_version: number }>;

  /** @param file the real path, the same for all connections of this process */
  constructor(db: DatabaseSync, file: string, clock: Clock, { pollMs }: ChangeWatchOptions) {
    this.#file = file;
    this.#clock = clock;
    this.#pollMs = pollMs;
    this.#dataVersion = prepare(db, 'PRAGMA data_version');
  }

  /** Changes when any *other* connection commits. @see https://www.sqlite.org/pragma.html#pragma_data_version */
  version(): number {
    return this.#dataVersion.get()!.data_version;
  }

  /** Waits until this process sends, another process commits after `version`, `until` has passed, or the signal fires. */
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

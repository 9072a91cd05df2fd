/**
 * Who waits for which queue of which file, in this process: a send through one connection wakes the receivers of
 * every other connection at once. Entries live only as long as somebody waits.
 */
const waiting = new Map<string, Set<() => void>>();

/** @returns a function that stops listening. */
export function onWake(file: string, queueId: number, listener: () => void): () => void {
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

import { setImmediate as turn } from 'node:timers/promises';
import { onTestFinished, vi } from 'vitest';

/** For the rest of the test, timers advance only in {@link settle}; sockets, files and promises work as usual. */
export function useVirtualTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
}

/**
 * Advances timers by `stepMs` in each turn of the event loop until the work settles. A peer in this process answers
 * within some turns, so a timeout of many steps fires only when no answer ever comes, however slow the machine is.
 */
export async function settle<T>(work: Promise<T>, stepMs = 10): Promise<T> {
  const state = { isSettled: false };
  const end = () => (state.isSettled = true);
  work.then(end, end);
  while (!state.isSettled) {
    await vi.advanceTimersByTimeAsync(stepMs);
    await turn();
  }
  return work;
}

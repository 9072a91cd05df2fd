import { setImmediate as turn } from 'node:timers/promises';
import { onTestFinished, vi } from 'vitest';

/** For the rest of the test, timers stand still but for {@link settle}; sockets, files and promises go on as ever. */
export function useVirtualTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
}

/**
 * Lets timers pass by `stepMs` in each turn of the event loop until the work ends. A peer in this process answers
 * within some turns, so a timeout of many steps ends only what is never answered, however slow the machine is.
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

import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from './hang-guard.ts';

type Awaitable<T> = T | Promise<T>;

/**
 * Polls with increasing delays until a probe returns a value, and returns it; also in processes without vitest, where
 * there is no `expect.poll`.
 *
 * @param describe the state instead, for the error after {@link patienceMs}
 */
export async function until<T>(
  probe: () => Awaitable<T | false | undefined>,
  describe: () => Awaitable<string> = () => String(probe),
): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (let pauseMs = 2; ; pauseMs = Math.min(pauseMs * 1.25, 50)) {
    const found = await probe();
    if (found !== false && found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`Not within ${patienceMs} ms: ${await describe()}`);
    await sleep(pauseMs);
  }
}

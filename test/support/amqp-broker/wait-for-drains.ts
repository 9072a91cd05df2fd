import { patienceMs } from '../hang-guard.ts';

/** Fixed in the SDK (@azure/service-bus 7.9.5, `receiveDrainTimeoutInMs`). */
const drainTimeoutMs = 200;

/**
 * The SDK closes a link that the broker does not drain within 200 ms, and a message in flight then stays locked. A
 * broker on a busy machine may take longer: from now on the SDK waits for it.
 *
 * @returns a function that restores the SDK's behaviour
 */
export function waitForDrains(): () => void {
  const { setTimeout } = globalThis;
  const patient = (run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) =>
    setTimeout(run, ms === drainTimeoutMs ? patienceMs : ms, ...args);
  globalThis.setTimeout = Object.assign<typeof patient, typeof setTimeout>(patient, setTimeout);
  return () => {
    globalThis.setTimeout = setTimeout;
  };
}

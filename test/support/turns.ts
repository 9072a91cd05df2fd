import { setImmediate } from 'node:timers/promises';

/** Lets the event loop turn, so that everything due in this process happens, however long that takes. */
export async function passTurns(count = 100): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await setImmediate();
}

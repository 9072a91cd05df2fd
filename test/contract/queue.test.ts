import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { systemIds } from '../../shared/core/ids.ts';
import { openSqliteQueue } from '../../shared/adapters/embedded/sqlite-queue.ts';
import { hangGuardMs } from '../support/hang-guard.ts';
import { SkippingClock } from '../support/skipping-clock.ts';
import { describeQueueContract } from './queue.contract.ts';
import { keepClients } from './queue-fixture.ts';

const names = { queue: 'work', topic: 'events', subscriptions: ['left', 'right'] as [string, string] };
const lockDurationMs = 2 * hangGuardMs;
const maxDeliveryCount = 4;

describeQueueContract({
  name: 'SQLite',
  propertyRuns: 200,
  async open() {
    const clock = new SkippingClock();
    const directory = await mkdtemp(join(tmpdir(), 'queue-contract-'));
    const { openAnother, closeClients } = keepClients(() =>
      openSqliteQueue(
        { clock, ids: systemIds },
        {
          file: join(directory, 'local.db'),
          topology: { queues: [names.queue], topics: { [names.topic]: names.subscriptions } },
          lockDurationMs,
          maxDeliveryCount,
          pollMs: 20,
        },
      ),
    );
    return {
      queue: await openAnother(),
      openAnother,
      names,
      lockDurationMs,
      maxDeliveryCount,
      now: () => clock.now(),
      passTime: async (ms) => clock.skip(ms),
      // The first look and the start of the wait are synchronous.
      untilWaiting: () => setImmediate(),
      async dispose() {
        await closeClients();
        await rm(directory, { recursive: true, force: true });
      },
    };
  },
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../shared/core/clock.ts';
import { systemIds } from '../../shared/core/ids.ts';
import { openSqliteQueue } from '../../shared/adapters/embedded/sqlite-queue.ts';
import { describeQueueContract } from './queue.contract.ts';
import { keepClients } from './queue-fixture.ts';

const names = { queue: 'work', topic: 'events', subscriptions: ['left', 'right'] as [string, string] };
const lockDurationMs = 1000;
const maxDeliveryCount = 4;

describeQueueContract({
  name: 'SQLite',
  propertyRuns: 200,
  async open() {
    const directory = await mkdtemp(join(tmpdir(), 'queue-contract-'));
    const { openAnother, closeClients } = keepClients(() =>
      openSqliteQueue({
        file: join(directory, 'local.db'),
        clock: systemClock,
        ids: systemIds,
        topology: { queues: [names.queue], topics: { [names.topic]: names.subscriptions } },
        lockDurationMs,
        maxDeliveryCount,
        pollMs: 20,
      }),
    );
    return {
      queue: await openAnother(),
      openAnother,
      names,
      lockDurationMs,
      maxDeliveryCount,
      async dispose() {
        await closeClients();
        await rm(directory, { recursive: true, force: true });
      },
    };
  },
});

import { createServiceBusQueue } from '../../shared/adapters/azure/service-bus-queue.ts';
import { AmqpBroker } from '../support/amqp-broker/broker.ts';
import { waitForDrains } from '../support/amqp-broker/wait-for-drains.ts';
import { hangGuardMs } from '../support/hang-guard.ts';
import { SkippingClock } from '../support/skipping-clock.ts';
import { until } from '../support/until.ts';
import { describeQueueContract } from './queue.contract.ts';
import { keepClients } from './queue-fixture.ts';

const names = { queue: 'work', topic: 'events', subscriptions: ['left', 'right'] as [string, string] };
const settings = { lockDurationMs: 2 * hangGuardMs, maxDeliveryCount: 4 };

describeQueueContract({
  name: 'Service Bus over AMQP, loopback broker',
  propertyRuns: 100,
  async open() {
    const clock = new SkippingClock();
    const endDrains = waitForDrains();
    const broker = new AmqpBroker(
      { queues: [names.queue], topics: { [names.topic]: names.subscriptions } },
      settings,
      clock,
    );
    await broker.start();
    const { openAnother, closeClients } = keepClients(() =>
      createServiceBusQueue(
        { clock },
        {
          connection: {
            connectionString: `Endpoint=sb://127.0.0.1:${broker.port};SharedAccessKeyName=root;SharedAccessKey=key;UseDevelopmentEmulator=true`,
          },
          probe: { queue: names.queue },
          operationTimeoutMs: hangGuardMs,
        },
      ),
    );
    return {
      queue: await openAnother(),
      openAnother,
      names,
      ...settings,
      now: () => clock.now(),
      passTime: async (ms) => clock.skip(ms),
      untilWaiting: async () => void (await until(() => broker.waitingReceivers > 0)),
      async dispose() {
        await closeClients();
        await broker.dispose();
        endDrains();
      },
    };
  },
});

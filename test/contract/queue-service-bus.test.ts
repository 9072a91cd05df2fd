import { createServiceBusQueue } from '../../shared/adapters/azure/service-bus-queue.ts';
import { systemClock } from '../../shared/core/clock.ts';
import { AmqpBroker } from '../support/amqp-broker/broker.ts';
import { describeQueueContract } from './queue.contract.ts';
import { keepClients } from './queue-fixture.ts';

const names = { queue: 'work', topic: 'events', subscriptions: ['left', 'right'] as [string, string] };
const settings = { lockDurationMs: 1500, maxDeliveryCount: 4 };

describeQueueContract({
  name: 'Service Bus over AMQP, loopback broker',
  propertyRuns: 100,
  async open() {
    const broker = new AmqpBroker(
      { queues: [names.queue], topics: { [names.topic]: names.subscriptions } },
      settings,
    );
    await broker.start();
    const { openAnother, closeClients } = keepClients(() =>
      createServiceBusQueue({
        connection: {
          connectionString: `Endpoint=sb://127.0.0.1:${broker.port};SharedAccessKeyName=root;SharedAccessKey=key;UseDevelopmentEmulator=true`,
        },
        clock: systemClock,
        probe: { queue: names.queue },
        operationTimeoutMs: 5000,
      }),
    );
    return {
      queue: await openAnother(),
      openAnother,
      names,
      ...settings,
      async dispose() {
        await closeClients();
        await broker.dispose();
      },
    };
  },
});

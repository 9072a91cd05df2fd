import { DefaultAzureCredential } from '@azure/identity';
import { ServiceBusClient, type ServiceBusReceiver } from '@azure/service-bus';
import { createServiceBusQueue } from '../../shared/adapters/azure/service-bus-queue.ts';
import { systemClock } from '../../shared/core/clock.ts';
import { describeQueueContract } from './queue.contract.ts';
import { keepClients } from './queue-fixture.ts';

/**
 * Against a real namespace, which must hold, with a lock duration of 5 s and a maximum delivery count of 4: the
 * queue `slipway-contract`, and the topic `slipway-contract-events` with the subscriptions `left` and `right`.
 * The caller needs the role Azure Service Bus Data Owner. Everything in these entities is deleted.
 */
const namespace = process.env['SERVICEBUS_NAMESPACE'];
const names = {
  queue: 'slipway-contract',
  topic: 'slipway-contract-events',
  subscriptions: ['left', 'right'] as [string, string],
};

describeQueueContract({
  name: 'Service Bus, real namespace',
  ...(namespace === undefined && { skip: 'SERVICEBUS_NAMESPACE is not set' }),
  propertyRuns: 20,
  async open() {
    const credential = new DefaultAzureCredential();
    const fullyQualifiedNamespace = namespace ?? '';
    await empty(new ServiceBusClient(fullyQualifiedNamespace, credential));
    const { openAnother, closeClients } = keepClients(() =>
      createServiceBusQueue(
        { clock: systemClock },
        { connection: { fullyQualifiedNamespace, credential }, probe: { queue: names.queue } },
      ),
    );
    return {
      queue: await openAnother(),
      openAnother,
      names,
      lockDurationMs: 5000,
      maxDeliveryCount: 4,
      now: () => Date.now(),
      passTime: (ms) => systemClock.sleep(ms),
      untilWaiting: () => systemClock.sleep(1_000),
      dispose: closeClients,
    };
  },
});

/** Locked and scheduled messages of the previous test appear later. */
async function empty(client: ServiceBusClient): Promise<void> {
  const receiveMode = 'receiveAndDelete';
  const receivers: ServiceBusReceiver[] = [];
  for (const options of [{ receiveMode }, { receiveMode, subQueueType: 'deadLetter' }] as const) {
    receivers.push(client.createReceiver(names.queue, { ...options }));
    for (const subscription of names.subscriptions)
      receivers.push(client.createReceiver(names.topic, subscription, { ...options }));
  }
  for (const receiver of receivers) {
    do await receiver.receiveMessages(500, { maxWaitTimeInMs: 300 });
    while ((await receiver.peekMessages(1)).length > 0);
  }
  await client.close();
}

import { app as functionsApp, type InvocationContext } from '@azure/functions';
import { queues, subscriptions } from '../shared/core/names/resources.ts';
import { toLogger } from './hosting/logger.ts';
import { handleMessages } from './hosting/messages.ts';
import { app } from './hosting/start.ts';

/** Queues a delivery of an event for each subscribed webhook. */
functionsApp.serviceBusTopic('webhooksEvent', {
  topicName: subscriptions.webhooks.topic,
  subscriptionName: subscriptions.webhooks.name,
  connection: 'ServiceBus',
  handler,
});

/** Makes one attempt of a delivery. */
functionsApp.serviceBusQueue('webhooksDeliver', {
  queueName: queues.webhooks,
  connection: 'ServiceBus',
  handler,
});

async function handler(message: unknown, context: InvocationContext): Promise<void> {
  await handleMessages(context, [message], (body) => app.webhookDispatcher.handle(body, toLogger(context)));
}

import { app as functionsApp } from '@azure/functions';
import { z } from 'zod';
import { AppError } from '../shared/core/errors.ts';
import { validate } from '../shared/core/validate.ts';
import { blobContainers, queues } from '../shared/core/names/resources.ts';
import type { BlobRef } from '../shared/platform/storage/blobs.ts';
import { toLogger } from './hosting/logger.ts';
import { handleMessages } from './hosting/messages.ts';
import { app } from './hosting/start.ts';

/** @see https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage */
const blobCreatedSchema = z.object({
  eventType: z.literal('Microsoft.Storage.BlobCreated'),
  subject: z.string(),
});

/** A file dropped into the landing container, announced by Event Grid through Service Bus: the path in Azure. */
functionsApp.serviceBusQueue('landingQueue', {
  queueName: queues.landing,
  connection: 'ServiceBus',
  handler: async (message, context) => {
    const events: readonly unknown[] = Array.isArray(message) ? message : [message];
    await handleMessages(context, events, async (event) => {
      await app.datasets.landing.onLanding(toRef(event), toLogger(context));
    });
  },
});

/** The subject is `/blobServices/default/containers/<container>/blobs/<name>`. */
function toRef(event: unknown): BlobRef {
  const { subject } = validate(blobCreatedSchema, event, 'Event Grid event');
  const match = /^\/blobServices\/default\/containers\/([^/]+)\/blobs\/(.+)$/.exec(subject);
  const [, container, name] = match ?? [];
  if (container !== blobContainers.landing || name === undefined) {
    throw new AppError('INVALID_ARGUMENT', `The event is not about the landing container: ${subject}.`);
  }
  return { container, name };
}

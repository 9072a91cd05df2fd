import { app as functionsApp } from '@azure/functions';
import * as durable from 'durable-functions';
import { z } from 'zod';
import { queues, subscriptions } from '../shared/core/names/resources.ts';
import { datasetName } from '../shared/core/names/dataset-name.ts';
import { validate } from '../shared/core/validate.ts';
import { toEngine } from './hosting/durable.ts';
import { toLogger } from './hosting/logger.ts';
import { handleMessages } from './hosting/messages.ts';
import { app } from './hosting/start.ts';

const versionCreatedSchema = z.object({
  type: z.literal('dataset.version.created'),
  dataset: datasetName,
  version: z.int().min(0),
});

const versionCreatedType = versionCreatedSchema.pick({ type: true });

/** A new dataset version starts the pipelines that wait for it. */
functionsApp.serviceBusTopic('pipelinesEvent', {
  topicName: subscriptions.pipelines.topic,
  subscriptionName: subscriptions.pipelines.name,
  connection: 'ServiceBus',
  handler: async (message, context) => {
    await handleMessages(context, [message], async (body) => {
      // In Azure the subscription's filter lets nothing else through.
      if (!versionCreatedType.safeParse(body).success) return;
      const event = validate(versionCreatedSchema, body, 'event');
      const logger = toLogger(context);
      const runs = await app.pipelines.triggers.onDatasetVersion(event, logger);
      logger.log('info', 'pipelines started', { ...event, runs: runs.map((run) => run.runId) });
    });
  },
});

/** Starts and cancels runs: the only function that has the Durable client. */
functionsApp.serviceBusQueue('pipelinesRun', {
  queueName: queues.runs,
  connection: 'ServiceBus',
  extraInputs: [durable.input.durableClient()],
  handler: async (message, context) => {
    await handleMessages(context, [message], (body) =>
      app.pipelines.control.handle(body, toEngine(context), toLogger(context)),
    );
  },
});

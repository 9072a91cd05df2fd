import { app as functionsApp } from '@azure/functions';
import * as durable from 'durable-functions';
import { toEngine } from './hosting/durable.ts';
import { toLogger } from './hosting/logger.ts';
import { app } from './hosting/start.ts';

/** Every five minutes: starts what a lost event should have started. */
functionsApp.timer('pipelinesReconcile', {
  schedule: '0 */5 * * * *',
  extraInputs: [durable.input.durableClient()],
  handler: async (_timer, context) => {
    await app.pipelines.reconcile(
      toEngine(context),
      (dataset) => app.datasets.catalog.findLatestVersion(dataset),
      toLogger(context),
    );
  },
});

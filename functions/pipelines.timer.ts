import { app as functionsApp } from '@azure/functions';
import { toLogger } from './hosting/logger.ts';
import { app } from './hosting/start.ts';

/** Every five minutes: starts the runs whose message or event was lost. */
functionsApp.timer('pipelinesReconcile', {
  schedule: '0 */5 * * * *',
  handler: (_timer, context) => app.pipelines.triggers.reconcile(toLogger(context)),
});

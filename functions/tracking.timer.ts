import { app as functionsApp } from '@azure/functions';
import { toLogger } from './hosting/logger.ts';
import { app } from './hosting/start.ts';

/** Every five minutes: gives up runs whose client died without ending them. */
functionsApp.timer('runsLost', {
  schedule: '30 */5 * * * *',
  handler: async (_timer, context) => {
    await app.tracking.lostRuns.sweep(toLogger(context));
  },
});

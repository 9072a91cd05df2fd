import { app as functionsApp } from '@azure/functions';
import { toLogger } from './hosting/logger.ts';
import { app } from './hosting/start.ts';

/** Ends runs whose client died, every five minutes. */
functionsApp.timer('runsLost', {
  schedule: '30 */5 * * * *',
  handler: async (_timer, context) => {
    await app.tracking.lostRuns.sweep(toLogger(context));
  },
});

import { app as functionsApp } from '@azure/functions';
import { toLogger } from './hosting/logger.ts';
import { app } from './hosting/start.ts';

/** Completes renames and deletions of models that crashes interrupted, every ten minutes. */
functionsApp.timer('modelsUnfinished', {
  schedule: '45 */10 * * * *',
  handler: async (_timer, context) => {
    const finished = await app.registry.models.finishInterrupted();
    if (finished > 0)
      toLogger(context).log('warn', 'interrupted model changes completed', { count: finished });
  },
});

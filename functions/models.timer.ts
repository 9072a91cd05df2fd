import { app as functionsApp } from '@azure/functions';
import { toLogger } from './hosting/logger.ts';
import { app } from './hosting/start.ts';

/** Every ten minutes: finishes renames and deletions of models that a crash left half done. */
functionsApp.timer('modelsUnfinished', {
  schedule: '45 */10 * * * *',
  handler: async (_timer, context) => {
    const finished = await app.registry.finishInterrupted();
    if (finished > 0) toLogger(context).log('warn', 'unfinished changes of models finished', { finished });
  },
});

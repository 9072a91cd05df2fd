import { app as functionsApp } from '@azure/functions';
import { toLogger } from './hosting/logger.ts';
import { app } from './hosting/start.ts';

const budgetMs = 4 * 60_000;

/** Every hour: removes for good what was deleted a grace period ago, and artifacts that belong to nobody. */
functionsApp.timer('retentionCollect', {
  schedule: '0 17 * * * *',
  handler: async (_timer, context) => {
    const deadline = app.clock.now() + budgetMs;
    const { removed, kept, isDone } = await app.retention.collect({ by: 'platform', deadline });
    if (removed.length + kept.length > 0)
      toLogger(context).log('info', 'trash collected', {
        removed: removed.length,
        kept: kept.length,
        isDone,
      });
  },
});

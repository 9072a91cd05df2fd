import { app as functionsApp } from '@azure/functions';
import { toLogger } from './hosting/logger.ts';
import { app } from './hosting/start.ts';

const budgetMs = 4 * 60_000;

/** Purges objects deleted a grace period ago, and orphaned artifacts, every hour. */
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

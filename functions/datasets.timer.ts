import { app as functionsApp } from '@azure/functions';
import { toLogger } from './hosting/logger.ts';
import { app } from './hosting/start.ts';

const budgetMs = 4 * 60_000;

/** Removes, every night, data files that only versions past their retention need. */
functionsApp.timer('datasetsVacuumNightly', {
  schedule: '0 43 3 * * *',
  handler: async (_timer, context) => {
    const logger = toLogger(context);
    for await (const { dataset, files, sizeBytes, isDone } of app.datasets.vacuum.runAll(budgetMs))
      if (files > 0) logger.log('info', 'dataset vacuumed', { dataset, files, sizeBytes, isDone });
  },
});

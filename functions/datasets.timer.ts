import { app as functionsApp } from '@azure/functions';
import { eachItem } from '../shared/platform/storage/page.ts';
import { toLogger } from './hosting/logger.ts';
import { app } from './hosting/start.ts';

const budgetMs = 4 * 60_000;

/** Every night: removes data files that only versions past their retention need. */
functionsApp.timer('datasetsVacuumNightly', {
  schedule: '0 43 3 * * *',
  handler: async (_timer, context) => {
    const logger = toLogger(context);
    const deadline = app.clock.now() + budgetMs;
    for await (const { name, latestVersion } of eachItem((page) => app.datasets.store.listDatasets(page))) {
      if (app.clock.now() >= deadline) return;
      if (latestVersion === undefined) continue;
      const { files, sizeBytes, isDone } = await app.datasets.vacuum(name, { dryRun: false, deadline });
      if (files > 0) logger.log('info', 'dataset vacuumed', { dataset: name, files, sizeBytes, isDone });
    }
  },
});

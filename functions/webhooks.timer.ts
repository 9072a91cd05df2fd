import { app as functionsApp } from '@azure/functions';
import { announcingContainers } from '../shared/platform/audit/announced-event.ts';
import { toLogger } from './hosting/logger.ts';
import { app } from './hosting/start.ts';

/** Publishes the events that a crash or an outage left in the outbox, every minute. */
functionsApp.timer('outboxSweep', {
  schedule: '0 * * * * *',
  handler: async (_timer, context) => {
    for (const container of announcingContainers) {
      const sent = await app.outbox.sweep(container);
      if (sent > 0) toLogger(context).log('warn', 'events published from the outbox', { container, sent });
    }
  },
});

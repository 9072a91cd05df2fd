import { z } from 'zod';
import { versionRefSchema } from '../../datasets/entities.ts';
import { topics } from '../../../core/names.ts';
import { defineStep } from './services.ts';

/** The message has the version's own id: whoever listens can tell a repetition. */
export const announceVersion = defineStep({
  description: 'Tells everybody who listens that a dataset has a new version.',
  params: z.object({}),
  needs: z.object({ commit: versionRefSchema }),
  async run({ needs }, { services }) {
    const { dataset, version } = needs.commit;
    const id = `dataset.version.created:${dataset}:${version}`;
    await services.queue.send(topics.events, [
      { id, subject: 'dataset.version.created', body: { type: 'dataset.version.created', dataset, version } },
    ]);
    return { messageId: id };
  },
});

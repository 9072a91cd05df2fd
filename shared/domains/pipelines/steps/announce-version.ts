import { z } from 'zod';
import { throwIfCancelled } from '../../../core/async/cancelled.ts';
import { topics } from '../../../core/names/resources.ts';
import { versionRefSchema } from '../../datasets/entities.ts';
import { defineStep } from './services.ts';

export const announceVersion = defineStep({
  description: 'Publishes the event of a new dataset version, for the pipelines that wait for it.',
  params: z.strictObject({}),
  input: { version: versionRefSchema },
  output: z.object({ messageId: z.string() }),
  async run({ input }, { services, signal }) {
    throwIfCancelled(signal, 'The announcement');
    const { dataset, version } = input.version;
    const id = `dataset.version.created:${dataset}:${version}`;
    await services.platform.queue.send(topics.events, [
      { id, subject: 'dataset.version.created', body: { type: 'dataset.version.created', dataset, version } },
    ]);
    return { messageId: id };
  },
});

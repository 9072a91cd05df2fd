import { z } from 'zod';
import { versionRefSchema } from '../../datasets/entities.ts';
import { defineStep } from './services.ts';

/** Kept with the version: what later data is compared with. One that is there already is not made again. */
export const profileVersion = defineStep({
  description: 'Describes every column of a dataset version exactly.',
  params: z.object({}),
  needs: z.object({ commit: versionRefSchema }),
  async run({ needs }, { services, signal, report }) {
    const { dataset, version } = needs.commit;
    return await services.profiles.ensure(dataset, version, { signal, report });
  },
});

import { z } from 'zod';
import { versionRefSchema } from '../../datasets/entities.ts';
import { defineStep } from './services.ts';

/** Kept with the version: later data is compared with it. A profile that exists is not computed again. */
export const profileVersion = defineStep({
  description: 'Describes every column of a dataset version exactly.',
  params: z.strictObject({}),
  input: { version: versionRefSchema },
  output: z.object({ container: z.string(), name: z.string() }),
  async run({ input: { version } }, { services, signal, report }) {
    return await services.datasets.profiles.ensure(version.dataset, version.version, { signal, report });
  },
});

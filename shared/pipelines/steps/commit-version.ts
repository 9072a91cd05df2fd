import { z } from 'zod';
import { verifiedSchema, type VersionRef } from '../../datasets/entities.ts';
import { defineStep } from './services.ts';

export const commitVersion = defineStep({
  description: 'Makes verified bytes the next version of their dataset.',
  params: z.object({}),
  needs: z.object({ verify: verifiedSchema }),
  run({ needs }, { services, runId, codeVersion }): Promise<VersionRef> {
    return services.ingestion.commit(needs.verify, { runId, codeVersion });
  },
});

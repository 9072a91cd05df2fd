import { z } from 'zod';
import { isAppError } from '../../../core/errors.ts';
import type { VersionRef } from '../../datasets/entities.ts';
import { stagedSchema } from '../../datasets/ingestion/staging/manifest.ts';
import { defineStep } from './services.ts';

export const commitVersion = defineStep({
  description: 'Makes a staged file the next version of its dataset: one commit of its Delta table.',
  params: z.object({}),
  needs: z.object({ stage: stagedSchema }),
  async run({ needs }, { services, runId, codeVersion, signal, report }): Promise<VersionRef> {
    const { ingestion } = services;
    try {
      return await ingestion.commit(needs.stage, { runId, codeVersion, signal, report });
    } catch (error) {
      // Read once more by columns that somebody else brought, it may not fit.
      if (isAppError(error, 'UNPROCESSABLE')) await ingestion.reject(needs.stage.source, error, runId);
      throw error;
    }
  },
});

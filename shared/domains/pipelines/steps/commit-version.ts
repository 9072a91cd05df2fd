import { z } from 'zod';
import { throwIfCancelled } from '../../../core/async/cancelled.ts';
import { isAppError } from '../../../core/errors.ts';
import { versionRefSchema } from '../../datasets/entities.ts';
import { stagedSchema } from '../../datasets/ingestion/staging/manifest.ts';
import { defineStep } from './services.ts';

export const commitVersion = defineStep({
  description: 'Makes a staged file the next version of its dataset: one commit of its Delta table.',
  params: z.strictObject({}),
  input: { staged: stagedSchema },
  output: versionRefSchema,
  async run({ input: { staged } }, { services, runId, step, codeVersion, signal, report }) {
    const { ingestion } = services.datasets;
    try {
      return await ingestion.commit(staged, { runId, step, codeVersion, signal, report });
    } catch (error) {
      throwIfCancelled(signal, 'The commit');
      // Read again by columns that another commit brought, the file may not fit.
      if (isAppError(error, 'UNPROCESSABLE')) await ingestion.reject(staged.source, error, runId);
      throw error;
    }
  },
});

import { z } from 'zod';
import { throwIfCancelled } from '../../../core/async/cancelled.ts';
import { isAppError } from '../../../core/errors.ts';
import { intoSchema, sourceSchema } from '../../datasets/entities.ts';
import { stagedSchema } from '../../datasets/ingestion/staging/manifest.ts';
import { defineStep } from './services.ts';

/** Records a file that can never become a version as rejected, with the reason. */
export const stageFile = defineStep({
  description: 'Reads a landed file, checks every row and stores the good ones as data files.',
  params: z.strictObject({
    source: z.strictObject({ ...sourceSchema.shape, into: z.strictObject(intoSchema.shape).optional() }),
  }),
  input: {},
  output: stagedSchema,
  async run({ params: { source } }, { services, runId, step, codeVersion, signal, report }) {
    const { ingestion } = services.datasets;
    report(0, `reading ${source.name} (${source.sizeBytes} bytes)`);
    try {
      return await ingestion.stage(source, { runId, step, codeVersion, signal, report });
    } catch (error) {
      throwIfCancelled(signal, 'The staging');
      if (isAppError(error, 'UNPROCESSABLE') || isAppError(error, 'PAYLOAD_TOO_LARGE')) {
        await ingestion.reject(source, error, runId);
      }
      throw error;
    }
  },
});

import { z } from 'zod';
import { isAppError } from '../../../core/errors.ts';
import { sourceSchema } from '../../datasets/entities.ts';
import type { Staged } from '../../datasets/ingestion/staging/manifest.ts';
import { defineStep } from './services.ts';

/** Reads the landed file whole; one that can never become a version is recorded as rejected, with the reason. */
export const stageFile = defineStep({
  description: 'Reads a landed file, checks every row and stores the good ones as data files.',
  params: z.object({ source: sourceSchema }),
  needs: z.object({}),
  async run({ params }, { services, runId, codeVersion, signal, report }): Promise<Staged> {
    const { ingestion } = services;
    report(0, `reading ${params.source.name} (${params.source.sizeBytes} bytes)`);
    try {
      return await ingestion.stage(params.source, { runId, codeVersion, signal, report });
    } catch (error) {
      if (isAppError(error, 'UNPROCESSABLE') || isAppError(error, 'PAYLOAD_TOO_LARGE')) {
        await ingestion.reject(params.source, error, runId);
      }
      throw error;
    }
  },
});

import { z } from 'zod';
import { isAppError } from '../../core/errors.ts';
import { sourceSchema, type Verified } from '../../datasets/entities.ts';
import { defineStep } from './services.ts';

/** Reads the landed file whole; one that can never become a version is recorded as rejected, with the reason. */
export const verifyFile = defineStep({
  description: 'Checks a landed file and stores its bytes under their hash.',
  params: z.object({ source: sourceSchema }),
  needs: z.object({}),
  async run({ params }, { services, runId, signal, report }): Promise<Verified> {
    const { ingestion } = services;
    report(0, `reading ${params.source.name} (${params.source.sizeBytes} bytes)`);
    try {
      const verified = await ingestion.verify(params.source, signal);
      report(1, `${verified.rows} rows`);
      return verified;
    } catch (error) {
      if (isAppError(error, 'UNPROCESSABLE') || isAppError(error, 'PAYLOAD_TOO_LARGE')) {
        await ingestion.reject(params.source, error, runId);
      }
      throw error;
    }
  },
});

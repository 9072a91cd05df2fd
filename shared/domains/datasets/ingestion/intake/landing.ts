import { isAppError } from '../../../../core/errors.ts';
import type { Logger } from '../../../../core/logger.ts';
import type { BlobRef } from '../../../../platform/storage/blobs.ts';
import { hashSource, type Source } from '../../entities.ts';
import type { Ingestion } from '../ingestion.ts';

/** Starts the run that ingests a source; the same id again is the same run. */
export type StartIngestion = (request: {
  readonly runId: string;
  readonly source: Source;
}) => Promise<{ readonly runId: string }>;

export interface LandingDeps {
  readonly ingestion: Pick<Ingestion, 'identify' | 'reject'>;
  readonly startIngestion: StartIngestion;
}

/** Blobs that landed, by whichever way. */
export class Landing {
  readonly #deps: LandingDeps;

  constructor(deps: LandingDeps) {
    this.#deps = deps;
  }

  /**
   * Starts the ingestion of a blob's current content. One content is one run, however often its event comes.
   *
   * @param into the dataset of a blob whose name does not say it
   * @returns the run; undefined when there is nothing to do, because the blob has gone or its name was rejected
   */
  async onLanding(
    ref: BlobRef,
    logger: Logger,
    into?: Source['into'],
  ): Promise<{ readonly runId: string } | undefined> {
    const { ingestion, startIngestion } = this.#deps;
    const found = await ingestion.identify(ref).catch(async (error: unknown) => {
      if (isAppError(error, 'NOT_FOUND')) return logger.log('warn', 'landed blob gone', { ...ref });
      if (!isAppError(error, 'INVALID_ARGUMENT')) throw error;
      // A name that storage refuses can never be read: only the rejection is left to record.
      logger.log('warn', 'landed blob has an unreadable name', { ...ref });
      await ingestion.reject({ ...ref, etag: '', sizeBytes: 0 }, error);
    });
    if (!found) return undefined;
    const source = into ? { ...found, into } : found;
    return startIngestion({ runId: `ingest-${hashSource(source).slice(0, 24)}`, source });
  }
}

import { AppError, isAppError } from '../../../core/errors.ts';
import { canonicalJson } from '../../../core/json.ts';
import type { BlobRef } from '../../../platform/storage/blobs.ts';
import { toBody } from '../../../platform/storage/page.ts';
import type { Rejection, Source, VersionRef } from '../entities.ts';
import { quarantineBlob } from '../quarantine/quarantine-blob.ts';
import { commitStaged, type CommitDeps, SchemaMoved } from './committing/commit-staged.ts';
import { targetOf } from './landing/landing-path.ts';
import type { Report, StageDeps } from './staging/landed-file.ts';
import { stageFile } from './staging/stage.ts';
import type { Staged } from './staging/manifest.ts';

export interface IngestionOptions extends StageDeps, CommitDeps {}

export interface Work {
  readonly runId: string;
  readonly codeVersion: string;
  readonly signal: AbortSignal;
  readonly report: Report;
}

const maxRestagings = 5;

/** Turns a landed blob into a version of its dataset, or into a rejection that says why. */
export class Ingestion {
  readonly #options: IngestionOptions;

  constructor(options: IngestionOptions) {
    this.#options = options;
  }

  /** What is at that place now. @throws NOT_FOUND */
  async identify(ref: BlobRef): Promise<Source> {
    const properties = await this.#options.blobs.head(ref);
    if (!properties)
      throw new AppError('NOT_FOUND', `There is no blob ${ref.container}/${ref.name}.`, { ...ref });
    return { ...ref, etag: properties.etag, sizeBytes: properties.sizeBytes };
  }

  /**
   * Reads the whole file once, from the very content that was announced: its good rows are stored as data files
   * that belong to no version yet, its bad ones are put into quarantine.
   *
   * @throws UNPROCESSABLE (not a table, not the dataset's columns, too many bad rows), PAYLOAD_TOO_LARGE, SUPERSEDED
   *   (overwritten or deleted since: the newer content has an event of its own)
   */
  async stage(source: Source, work: Work): Promise<Staged> {
    try {
      return await stageFile(this.#options, source, work);
    } catch (error) {
      if (isFullDisk(error))
        throw new AppError('INSUFFICIENT_STORAGE', 'The disk for temporary files is full.', {}, error);
      if (!isAppError(error, 'PRECONDITION_FAILED') && !isMissingBlob(error)) throw error;
      const message = `${source.container}/${source.name} was overwritten or deleted before it was read whole; what is there now has a run of its own.`;
      throw new AppError('SUPERSEDED', message, { ...source }, error);
    }
  }

  /**
   * Makes a staged file the next version (or finds the one it already is). Where somebody changed the columns
   * meanwhile, the file is read once more by those.
   */
  async commit(first: Staged, work: Work): Promise<VersionRef> {
    let staged = first;
    for (let restagings = 0; ; restagings += 1) {
      try {
        return await commitStaged(this.#options, staged, work, work.signal);
      } catch (error) {
        if (!(error instanceof SchemaMoved)) throw error;
        if (restagings === maxRestagings)
          throw new AppError('RATE_LIMITED', `The columns of "${first.dataset}" change too often.`, {
            retryAfterMs: 1_000,
          });
        staged = await this.stage(first.source, work);
      }
    }
  }

  /** Keeps the reason beside the datasets and in the quarantine container; the file stays where it was dropped. */
  async reject(landed: Source, error: AppError, runId?: string): Promise<void> {
    // An event may name what no blob can be called.
    const source = { ...landed, name: landed.name.toWellFormed() };
    const dataset = datasetOf(source);
    const rejection: Rejection = {
      dataset,
      source,
      code: error.code,
      reason: error.message,
      ...(runId === undefined ? {} : { runId }),
      rejectedAt: this.#options.pace.clock.now(),
    };
    const report = toBody({ ...rejection, details: error.details });
    await this.#options.blobs.put(quarantineBlob(dataset, source, 'json'), `${canonicalJson(report)}\n`, {
      contentType: 'application/json',
    });
    await this.#options.store.putRejection(rejection);
  }
}

/** A file whose path names no dataset is kept under `_unnamed`, which no dataset can be called. */
function datasetOf(source: Source): string {
  try {
    return targetOf(source).dataset;
  } catch (error) {
    if (isAppError(error, 'UNPROCESSABLE')) return '_unnamed';
    throw error;
  }
}

/** Of whatever writes to the scratch folder. */
function isFullDisk(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** Not for a missing container: that is a mistake in the configuration, and the file would be passed over. */
function isMissingBlob(error: unknown): boolean {
  return isAppError(error, 'NOT_FOUND') && error.details['reason'] === 'BlobNotFound';
}

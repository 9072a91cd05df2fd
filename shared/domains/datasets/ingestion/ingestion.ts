import { AppError, isAppError } from '../../../core/errors.ts';
import { canonicalJson } from '../../../core/json/json.ts';
import type { BlobReader, BlobRef, BlobRenewer, BlobWriter } from '../../../platform/storage/blobs.ts';
import { toBody } from '../../../platform/storage/page.ts';
import type { Rejection, Source, VersionRef } from '../entities.ts';
import { quarantineBlob } from '../quarantine/quarantine-blob.ts';
import type { Committer } from './committing/commit-info.ts';
import { type CommitDeps, commitStaged } from './committing/commit-staged.ts';
import { StaleStagingError } from './committing/stale-staging-error.ts';
import { targetOf } from './landing/landing-path.ts';
import type { Rejections } from './rejections.ts';
import type { Report } from './staging/landed-file.ts';
import type { Staged } from './staging/manifest.ts';
import { isMissingBlob } from './staging/missing-blob.ts';
import { type StageDeps, stageFile, type StageOptions } from './staging/stage.ts';

export interface IngestionDeps extends StageDeps, CommitDeps {
  readonly blobs: BlobReader & BlobWriter & BlobRenewer;
  readonly rejections: Pick<Rejections, 'record'>;
}

export interface Work extends Committer {
  /** The step of the run: several may ingest. */
  readonly step: string;
  readonly signal: AbortSignal;
  readonly report: Report;
}

const maxRestagings = 5;

/** Turns a landed blob into a version of its dataset, or into a rejection with the reason. */
export class Ingestion {
  readonly #deps: IngestionDeps;
  readonly #options: StageOptions;

  constructor(deps: IngestionDeps, options: StageOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** The current content of a blob. @throws NOT_FOUND */
  async identify(ref: BlobRef): Promise<Source> {
    const properties = await this.#deps.blobs.head(ref);
    if (!properties)
      throw new AppError('NOT_FOUND', `There is no blob ${ref.container}/${ref.name}.`, { ...ref });
    return { ...ref, etag: properties.etag, sizeBytes: properties.sizeBytes };
  }

  /**
   * Reads the announced content once, to its end. Stores good rows as data files that belong to no version yet, and
   * bad rows in quarantine.
   *
   * @throws UNPROCESSABLE (not a table, other columns than the dataset's, too many bad rows), PAYLOAD_TOO_LARGE,
   *   SUPERSEDED (overwritten or deleted since: the newer content has an event of its own), INSUFFICIENT_STORAGE
   */
  async stage(source: Source, work: Work): Promise<Staged> {
    try {
      return await stageFile(this.#deps, this.#options, source, work);
    } catch (error) {
      if (isFullDisk(error))
        throw new AppError('INSUFFICIENT_STORAGE', 'The disk for temporary files is full.', {}, error);
      if (!isAppError(error, 'PRECONDITION_FAILED') && !isMissingBlob(error)) throw error;
      const message = `${source.container}/${source.name} was overwritten or deleted while it was read. The current content has a run of its own.`;
      throw new AppError('SUPERSEDED', message, { ...source }, error);
    }
  }

  /**
   * Commits a staged file as the next version, or finds the version that it has become already. Stages the file again
   * if the dataset's columns changed since, or what was staged is gone or too old.
   *
   * @throws RATE_LIMITED after five restagings; otherwise as `stage`
   */
  async commit(first: Staged, work: Work): Promise<VersionRef> {
    let staged = first;
    for (let restagings = 0; ; restagings += 1) {
      try {
        return await commitStaged(this.#deps, staged, work, work.signal);
      } catch (error) {
        if (!(error instanceof StaleStagingError)) throw error;
        if (restagings === maxRestagings)
          throw new AppError(
            'RATE_LIMITED',
            `The file was staged ${restagings} more times, and each time it could not be committed: ${error.message}.`,
            { retryAfterMs: 1_000 },
            error,
          );
        staged = await this.stage(first.source, work);
      }
    }
  }

  /** Records why a file was rejected, and stores a report in the quarantine container. The file stays in place. */
  async reject(landed: Source, error: AppError, runId?: string): Promise<void> {
    const { blobs, rejections, clock } = this.#deps;
    // The name in an event may be one that no blob can have.
    const source = { ...landed, name: landed.name.toWellFormed() };
    const dataset = datasetOf(source);
    const rejection: Rejection = {
      dataset,
      source,
      code: error.code,
      reason: error.message,
      ...(runId === undefined ? {} : { runId }),
      rejectedAt: clock.now(),
    };
    const report = toBody({ ...rejection, details: error.details });
    await blobs.put(quarantineBlob(dataset, source, 'json'), `${canonicalJson(report)}\n`, {
      contentType: 'application/json',
    });
    await rejections.record(rejection);
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

/** Of any writer to the scratch folder. */
function isFullDisk(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

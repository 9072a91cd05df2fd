import type { Clock } from '../core/clock.ts';
import { AppError, isAppError } from '../core/errors.ts';
import { canonicalJson } from '../core/json.ts';
import { sha256 } from '../core/ids.ts';
import { validate } from '../core/validate.ts';
import { blobContainers } from '../names.ts';
import type { BlobRef, BlobStore } from '../storage/blobs.ts';
import { toBody } from '../storage/page.ts';
import { putOnce } from '../storage/put-once.ts';
import type { Scratch } from '../storage/scratch.ts';
import type { DatasetStore } from './dataset-store.ts';
import {
  type Column,
  columnsSchema,
  parseLandingPath,
  type Rejection,
  type Source,
  type Verified,
  type VersionRef,
} from './entities.ts';
import type { InspectTable } from './ports.ts';

export interface IngestionOptions {
  readonly blobs: BlobStore;
  readonly store: DatasetStore;
  readonly scratch: Scratch;
  readonly inspect: InspectTable;
  readonly clock: Clock;
  readonly maxFileBytes: number;
}

/** The service's own limit. */
const maxBlobNameLength = 1024;

/** Turns a landed blob into verified, content-addressed bytes, or into a rejection that says why. */
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
   * Reads the whole file once, from the very content that was announced.
   *
   * @throws UNPROCESSABLE (not a readable table), PAYLOAD_TOO_LARGE, SUPERSEDED (overwritten or deleted since:
   *   the newer content has an event of its own)
   */
  async verify(source: Source, signal: AbortSignal): Promise<Verified> {
    try {
      return await this.#verify(source, signal);
    } catch (error) {
      if (!isAppError(error, 'PRECONDITION_FAILED') && !isMissingBlob(error)) throw error;
      const message = `${source.container}/${source.name} was overwritten or deleted before it was read whole; what is there now has a run of its own.`;
      throw new AppError('SUPERSEDED', message, { ...source }, error);
    }
  }

  async #verify(source: Source, signal: AbortSignal): Promise<Verified> {
    const { blobs, scratch, inspect, maxFileBytes } = this.#options;
    const { dataset } = parseLandingPath(source.name);
    await using file = await scratch.download(source, {
      maxBytes: maxFileBytes,
      ifMatch: source.etag,
      signal,
    });
    const { rows, columns } = await inspect(file.path);
    signal.throwIfAborted();
    const target = dataBlob(dataset, file.sha256);
    if (!(await blobs.head(target))) {
      const { body } = await blobs.open(source, { ifMatch: source.etag, signal });
      await putOnce(blobs, target, body, 'application/vnd.apache.parquet');
    }
    const shown = columns.map(({ name, type }) => ({ name, type }));
    await blobs.put(columnsBlob(dataset, file.sha256), JSON.stringify(shown), {
      contentType: 'application/json',
    });
    return { dataset, source, sha256: file.sha256, sizeBytes: file.sizeBytes, rows };
  }

  /** Makes verified bytes the next version (or finds the one they already are). */
  async commit(verified: Verified, lineage: { runId: string; codeVersion: string }): Promise<VersionRef> {
    const { blobs, store } = this.#options;
    const columns = await readColumns(blobs, columnsBlob(verified.dataset, verified.sha256));
    const { dataset, version, sha256, rows } = await store.commit({ ...verified, ...lineage, columns });
    return { dataset, version, sha256, rows };
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
      rejectedAt: this.#options.clock.now(),
    };
    await this.#options.blobs.put(reportBlob(dataset, source), `${canonicalJson(toBody(rejection))}\n`, {
      contentType: 'application/json',
    });
    await this.#options.store.putRejection(rejection);
  }
}

/** Where a version's bytes are: named by their hash, so that equal content is stored once. */
export function dataBlob(dataset: string, sha256: string): BlobRef {
  return { container: blobContainers.datasets, name: `${dataset}/${sha256}.parquet` };
}

/** One report a content. A file may well be refused for a name that no blob of ours could have. */
function reportBlob(dataset: string, source: Source): BlobRef {
  const hash = sha256(`${source.name}\n${source.etag}`).slice(0, 16);
  const suffix = `.${hash}.json`;
  const file = source.name
    .slice(source.name.indexOf('/') + 1)
    .replaceAll(/[\p{Cc}\ufffe\uffff\\]/gu, '_')
    .replaceAll(/\.+(?=\/)/g, '_')
    .slice(0, maxBlobNameLength - dataset.length - 1 - suffix.length)
    .toWellFormed();
  return { container: blobContainers.quarantine, name: `${dataset}/${file}${suffix}` };
}

/** What the columns are can be long: it waits beside the data, not in a pipeline's history. */
function columnsBlob(dataset: string, sha256: string): BlobRef {
  return { container: blobContainers.datasets, name: `${dataset}/${sha256}.columns.json` };
}

async function readColumns(blobs: BlobStore, ref: BlobRef): Promise<Column[]> {
  const chunks = await Array.fromAsync((await blobs.open(ref)).body);
  return validate(columnsSchema, JSON.parse(Buffer.concat(chunks).toString('utf8')), ref.name);
}

/** A file whose path names no dataset is kept under `_unnamed`, which no dataset can be called. */
function datasetOf(source: Source): string {
  try {
    return parseLandingPath(source.name).dataset;
  } catch (error) {
    if (isAppError(error, 'UNPROCESSABLE')) return '_unnamed';
    throw error;
  }
}

/** Not for a missing container: that is a mistake in the configuration, and the file would be passed over. */
function isMissingBlob(error: unknown): boolean {
  return isAppError(error, 'NOT_FOUND') && error.details['reason'] === 'BlobNotFound';
}

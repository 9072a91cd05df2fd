import { AppError, isAppError } from '../../../core/errors.ts';
import { Semaphore } from '../../../core/async/semaphore.ts';
import { validate } from '../../../core/validate.ts';
import { blobContainers } from '../../../core/names/resources.ts';
import type { BlobReader, BlobRef, BlobWriter } from '../../../platform/storage/blobs.ts';
import type { FileCache } from '../reading/file-cache.ts';
import type { VersionResolver } from '../versions/readable-version.ts';
import type { TableProfiler } from './table-profiler.ts';
import { type Profile, profileSchema } from './profile.ts';

export interface VersionProfilesDeps {
  readonly blobs: BlobReader & BlobWriter;
  readonly versions: VersionResolver;
  readonly files: Pick<FileCache, 'open'>;
  readonly profiler: TableProfiler;
}

/** Missing profiles are computed one at a time. */
const maxWaiting = 8;

interface Work {
  readonly signal: AbortSignal;
  readonly report: (fraction: number, message: string) => void;
}

/** The profiles of versions, stored beside the data. A version never changes, so its profile is computed once. */
export class VersionProfiles {
  readonly #deps: VersionProfilesDeps;
  readonly #turns = new Semaphore(1, maxWaiting);

  constructor(deps: VersionProfilesDeps) {
    this.#deps = deps;
  }

  /** Computes the profile unless it exists. @returns its blob */
  async ensure(dataset: string, version: number, work: Work): Promise<BlobRef> {
    const { blobs, versions, files, profiler } = this.#deps;
    const ref = profileBlob(dataset, version);
    if (await blobs.head(ref)) return ref;
    const readable = await versions.resolve(dataset, String(version));
    await using lease = await files.open(readable.files, { signal: work.signal });
    const profile = await profiler.profile(lease.paths, readable.columns, work);
    await blobs.put(ref, JSON.stringify(profile), { contentType: 'application/json' });
    return ref;
  }

  /**
   * The profile of a version. Computes it if it is missing: for a restored version, or one that another writer committed.
   *
   * @throws NOT_FOUND; UNPROCESSABLE for files that cannot be read; RATE_LIMITED when too many callers wait; CANCELLED
   */
  async read(dataset: string, version: number, signal: AbortSignal): Promise<Profile> {
    try {
      return await this.get(dataset, version);
    } catch (error) {
      if (!isAppError(error, 'NOT_FOUND')) throw error;
    }
    using _turn = await this.#turns.acquire(signal);
    await this.ensure(dataset, version, { signal, report: () => undefined });
    return await this.get(dataset, version);
  }

  /** @throws NOT_FOUND, also for a version without a profile */
  async get(dataset: string, version: number): Promise<Profile> {
    const ref = profileBlob(dataset, version);
    try {
      const chunks = await Array.fromAsync((await this.#deps.blobs.open(ref)).body);
      return validate(profileSchema, JSON.parse(Buffer.concat(chunks).toString('utf8')), ref.name);
    } catch (error) {
      if (!isAppError(error, 'NOT_FOUND')) throw error;
      throw new AppError(
        'NOT_FOUND',
        `Version ${version} of "${dataset}" has no profile yet: the ingestion computes it after the commit.`,
        { dataset, version },
        error,
      );
    }
  }
}

function profileBlob(dataset: string, version: number): BlobRef {
  return { container: blobContainers.datasets, name: `${dataset}/_slipway/profiles/${version}.json` };
}

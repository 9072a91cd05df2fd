import { AppError } from '../../../core/errors.ts';
import type { Page, PageRequest } from '../../../platform/storage/page.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { DatasetVersion } from '../entities.ts';
import { describeFiles } from '../tables/describe-version.ts';
import type { Tables } from '../tables/tables.ts';
import type { ReadableVersion, VersionResolver } from './readable-version.ts';
import { tagName, type Tags } from './tags.ts';
import type { VersionRecords } from './version-records.ts';

const numeric = /^(0|[1-9]\d{0,14})$/;
const instant = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;

export interface VersionsDeps {
  readonly catalog: Pick<Catalog, 'getLatestVersion'>;
  readonly records: Pick<VersionRecords, 'get' | 'list'>;
  readonly tags: Pick<Tags, 'find'>;
  readonly tables: Pick<Tables, 'of'>;
}

/**
 * Finds versions by number, by `latest`, by a tag, or by a time: the version that was newest at that moment. A date is
 * the first moment of its day in UTC.
 */
export class Versions implements VersionResolver {
  readonly #deps: VersionsDeps;

  constructor(deps: VersionsDeps) {
    this.#deps = deps;
  }

  async resolve(dataset: string, version: string): Promise<ReadableVersion> {
    const { records, tables } = this.#deps;
    const number = await this.find(dataset, version);
    const [{ sha256, columns }, snapshot] = await Promise.all([
      records.get(dataset, number),
      tables.of(dataset).at(number),
    ]);
    return { dataset, version: number, sha256, columns, files: describeFiles(dataset, snapshot) };
  }

  /** @throws NOT_FOUND; INVALID_ARGUMENT for text that cannot name a version */
  async find(dataset: string, version: string): Promise<number> {
    const { catalog, records, tags, tables } = this.#deps;
    if (numeric.test(version)) return (await records.get(dataset, Number(version))).version;
    const latest = await catalog.getLatestVersion(dataset);
    if (version === 'latest') return latest;
    if (instant.test(version))
      return Math.min(latest, await tables.of(dataset).versionAt(Date.parse(version)));
    if (!tagName.safeParse(version).success)
      throw new AppError(
        'INVALID_ARGUMENT',
        'Invalid version: give a number, "latest", a tag, or a time such as 2026-11-23T12:00:00Z.',
        { version },
      );
    const tag = await tags.find(dataset, version);
    if (tag) return tag.version;
    throw new AppError('NOT_FOUND', `The dataset "${dataset}" has no tag "${version}".`, {
      dataset,
      tag: version,
    });
  }

  /** Newest first, without columns. */
  list(dataset: string, page: PageRequest): Promise<Page<DatasetVersion>> {
    return this.#deps.records.list(dataset, page);
  }
}

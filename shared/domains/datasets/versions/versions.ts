import { AppError } from '../../../core/errors.ts';
import type { DatasetStore } from '../dataset-store.ts';
import type { DatasetVersionView } from '../entities.ts';
import type { ReadableVersion, VersionResolver } from './readable-version.ts';
import { describeFiles } from '../tables/describe-version.ts';
import type { Tables } from '../tables/tables.ts';

const numeric = /^(0|[1-9]\d{0,14})$/;
const instant = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;
const tagName = /^[A-Za-z][A-Za-z0-9._-]{0,99}$/;

/**
 * Finds versions by number, as `latest`, by a tag, or by a time: the one that was the newest at that moment (a date
 * is the first moment of its day, UTC).
 */
export class Versions implements VersionResolver {
  readonly #store: DatasetStore;
  readonly #tables: Tables;

  constructor(store: DatasetStore, tables: Tables) {
    this.#store = store;
    this.#tables = tables;
  }

  async resolve(dataset: string, version: string): Promise<ReadableVersion> {
    const number = await this.find(dataset, version);
    const [known, snapshot] = await Promise.all([
      this.#store.getVersion(dataset, number),
      this.#tables.of(dataset).at(number),
    ]);
    const { sha256, columns } = known;
    return { dataset, version: number, sha256, columns, files: describeFiles(dataset, snapshot) };
  }

  /** A version with its columns and what is put on it. */
  async view(dataset: string, version: string): Promise<DatasetVersionView> {
    const number = await this.find(dataset, version);
    const [known, { tags, pins }] = await Promise.all([
      this.#store.getVersion(dataset, number),
      this.#store.readMarks(dataset),
    ]);
    return {
      ...known,
      columns: [...known.columns],
      tags: tags.filter((tag) => tag.version === number).map(({ name }) => name),
      pins: pins
        .filter((pin) => pin.version === number)
        .map(({ pinId, reason, by, at }) => ({ pinId, reason, by, at })),
    };
  }

  /** @throws NOT_FOUND; INVALID_ARGUMENT for what cannot name a version */
  async find(dataset: string, version: string): Promise<number> {
    if (numeric.test(version)) return (await this.#store.getVersion(dataset, Number(version))).version;
    const latest = (await this.#store.getDataset(dataset)).latestVersion;
    if (latest === undefined)
      throw new AppError('NOT_FOUND', `The dataset "${dataset}" has no version yet.`, { dataset });
    if (version === 'latest') return latest;
    if (instant.test(version))
      return Math.min(latest, await this.#tables.of(dataset).versionAt(Date.parse(version)));
    if (!tagName.test(version))
      throw new AppError(
        'INVALID_ARGUMENT',
        'A version is a number, "latest", a tag, or a time such as 2026-11-23T12:00:00Z.',
        { version },
      );
    const tag = await this.#store.findTag(dataset, version);
    if (tag) return tag.version;
    throw new AppError('NOT_FOUND', `The dataset "${dataset}" has no tag "${version}".`, {
      dataset,
      tag: version,
    });
  }
}

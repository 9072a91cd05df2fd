import { z } from 'zod';
import { AppError } from '../../../core/errors.ts';
import { Semaphore } from '../../../core/async/semaphore.ts';
import type { Settings } from '../catalog/settings.ts';
import type { VersionProfiles } from '../profiles/version-profiles.ts';
import type { ReadableVersion } from '../versions/readable-version.ts';
import type { VersionRecords } from '../versions/version-records.ts';
import type { Versions } from '../versions/versions.ts';
import { diffProfiles, profileDiffSchema } from './diff-profiles.ts';
import { diffRows, type DiffRowsDeps, type DiffRowsRequest } from './diff-rows.ts';
import { diffSchemas, schemaDiffSchema } from './diff-schemas.ts';
import { rowDiffSchema } from './row-diff.ts';

/** A comparison of rows may use all the memory it is given: they run one at a time. */
const maxWaiting = 8;

const comparedSchema = z.object({ dataset: z.string(), from: z.int(), to: z.int() });
export const versionSchemaDiffSchema = comparedSchema.extend(schemaDiffSchema.shape);
export const versionProfileDiffSchema = comparedSchema.extend(profileDiffSchema.shape);
export const versionRowDiffSchema = comparedSchema.extend(rowDiffSchema.shape);

export interface VersionDiffsDeps extends DiffRowsDeps {
  readonly versions: Pick<Versions, 'find' | 'resolve'>;
  readonly records: Pick<VersionRecords, 'get'>;
  readonly settings: Pick<Settings, 'get'>;
  readonly profiles: Pick<VersionProfiles, 'read'>;
}

/** Versions by any of their names. Without `from`, a version is compared with the one before. */
export interface ComparedVersions {
  readonly dataset: string;
  readonly from?: string | undefined;
  readonly to: string;
}

/** Compares versions of a dataset. */
export class VersionDiffs {
  readonly #deps: VersionDiffsDeps;
  readonly #turns = new Semaphore(1, maxWaiting);

  constructor(deps: VersionDiffsDeps) {
    this.#deps = deps;
  }

  async schema(compared: ComparedVersions): Promise<z.infer<typeof versionSchemaDiffSchema>> {
    const { records } = this.#deps;
    const found = await this.#find(compared);
    const { columns: before } = await records.get(found.dataset, found.from);
    const { columns: after } = await records.get(found.dataset, found.to);
    return { ...found, ...diffSchemas(before, after) };
  }

  /** Computes missing profiles first. */
  async profile(
    compared: ComparedVersions,
    signal: AbortSignal,
  ): Promise<z.infer<typeof versionProfileDiffSchema>> {
    const { profiles } = this.#deps;
    const found = await this.#find(compared);
    const before = await profiles.read(found.dataset, found.from, signal);
    const after = await profiles.read(found.dataset, found.to, signal);
    return { ...found, ...diffProfiles(before, after) };
  }

  /**
   * @param request without `keys`, the keys of the dataset's settings apply if both versions have all of them; empty keys
   *   compare multisets
   * @throws INVALID_ARGUMENT for keys that are not columns or not unique, and for a cursor of another comparison;
   *   RATE_LIMITED when too many callers wait
   */
  async rows(
    compared: ComparedVersions,
    request: DiffRowsRequest,
    signal: AbortSignal,
  ): Promise<z.infer<typeof versionRowDiffSchema>> {
    const { versions } = this.#deps;
    const found = await this.#find(compared);
    const before = await versions.resolve(found.dataset, String(found.from));
    const after = await versions.resolve(found.dataset, String(found.to));
    const keys = request.keys ?? (await this.#chooseKeys(before, after));
    using _turn = await this.#turns.acquire(signal);
    return { ...found, ...(await diffRows(this.#deps, before, after, { ...request, keys }, signal)) };
  }

  async #chooseKeys(before: ReadableVersion, after: ReadableVersion): Promise<readonly string[]> {
    const { keys } = await this.#deps.settings.get(after.dataset);
    const has = ({ columns }: ReadableVersion, key: string) => columns.some(({ name }) => name === key);
    return keys.every((key) => has(before, key) && has(after, key)) ? keys : [];
  }

  async #find({ dataset, from, to }: ComparedVersions): Promise<z.infer<typeof comparedSchema>> {
    const { versions } = this.#deps;
    const later = await versions.find(dataset, to);
    if (from === undefined && later === 0)
      throw new AppError(
        'INVALID_ARGUMENT',
        'Version 0 has no version before it: name the version to compare it with in "from".',
        { dataset, version: 0 },
      );
    return { dataset, from: await versions.find(dataset, from ?? String(later - 1)), to: later };
  }
}

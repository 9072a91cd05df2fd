import type { DatasetVersionView } from '../entities.ts';
import type { Pins } from './pins.ts';
import type { Tags } from './tags.ts';
import type { VersionRecords } from './version-records.ts';
import type { Versions } from './versions.ts';

export interface ViewVersionDeps {
  readonly versions: Pick<Versions, 'find'>;
  readonly records: Pick<VersionRecords, 'get'>;
  readonly tags: Pick<Tags, 'listAll'>;
  readonly pins: Pick<Pins, 'listAll'>;
}

/** A version with its columns, tags and pins. @throws NOT_FOUND; INVALID_ARGUMENT as `Versions.find` */
export async function viewVersion(
  { versions, records, tags, pins }: ViewVersionDeps,
  dataset: string,
  version: string,
): Promise<DatasetVersionView> {
  const number = await versions.find(dataset, version);
  const [known, allTags, allPins] = await Promise.all([
    records.get(dataset, number),
    tags.listAll(dataset),
    pins.listAll(dataset),
  ]);
  return {
    ...known,
    columns: [...known.columns],
    tags: allTags.filter((tag) => tag.version === number).map(({ name }) => name),
    pins: allPins
      .filter((pin) => pin.version === number)
      .map(({ pinId, reason, by, at }) => ({ pinId, reason, by, at })),
  };
}

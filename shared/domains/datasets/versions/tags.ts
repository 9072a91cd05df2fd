import { z } from 'zod';
import type { Clock } from '../../../core/clock.ts';
import type { Page, PageRequest } from '../../../platform/storage/page.ts';
import type { DatasetDocuments, DocumentKind } from '../catalog/dataset-documents.ts';
import type { VersionRecords } from './version-records.ts';

/** The name of a tag or a pin. */
export const tagName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9._-]{0,99}$/, 'must start with a letter, then letters, digits, ".", "_", "-"')
  .refine((name) => name !== 'latest', 'cannot be "latest"');

/** A name for a version. */
export const versionTagSchema = z.object({
  name: z.string(),
  version: z.int(),
  by: z.string(),
  at: z.number(),
});
export type VersionTag = z.infer<typeof versionTagSchema>;

const byName = { by: 'name', direction: 'asc' } as const;

export interface TagsDeps {
  readonly documents: DatasetDocuments;
  readonly records: Pick<VersionRecords, 'get'>;
  readonly clock: Clock;
}

/** The tags of datasets. A tagged version is never vacuumed. */
export class Tags {
  readonly #deps: TagsDeps;
  readonly #tags: DocumentKind<VersionTag>;

  constructor(deps: TagsDeps) {
    this.#deps = deps;
    this.#tags = deps.documents.kind('tag');
  }

  /**
   * Sets a tag, or moves it to another version. Again for the same version, it changes nothing.
   *
   * @throws NOT_FOUND for a version that does not exist
   */
  async set(dataset: string, name: string, version: number, by: string): Promise<VersionTag> {
    const { records, clock } = this.#deps;
    await records.get(dataset, version);
    const current = await this.find(dataset, name);
    if (current?.version === version) return current;
    const tag = { name, version, by, at: clock.now() };
    await this.#tags.set(dataset, tagId(name), tag, { by, action: 'dataset.tag.set' });
    return tag;
  }

  find(dataset: string, name: string): Promise<VersionTag | undefined> {
    return this.#tags.find(dataset, tagId(name));
  }

  /** @throws NOT_FOUND */
  async delete(dataset: string, name: string, by: string): Promise<void> {
    const missing = `The dataset "${dataset}" has no tag "${name}".`;
    await this.#tags.delete(dataset, tagId(name), missing, { by, action: 'dataset.tag.deleted' });
  }

  /** By name. */
  list(dataset: string, page: PageRequest): Promise<Page<VersionTag>> {
    return this.#tags.list(dataset, byName, page);
  }

  listAll(dataset: string): Promise<readonly VersionTag[]> {
    return this.#tags.listAll(dataset, byName);
  }
}

function tagId(name: string): string {
  return `tag-${name}`;
}

import type { Clock } from '../../../core/clock.ts';
import { AppError } from '../../../core/errors.ts';
import type { Page, PageRequest } from '../../../platform/storage/page.ts';
import type { Dataset } from '../entities.ts';
import type { DatasetDocuments, DocumentKind } from './dataset-documents.ts';

/** The id of the document about a dataset as a whole. */
export const headId = 'head';

export interface CatalogDeps {
  readonly documents: DatasetDocuments;
  readonly clock: Clock;
}

/** Which datasets exist, and the newest version of each. */
export class Catalog {
  readonly #deps: CatalogDeps;
  readonly #heads: DocumentKind<Dataset>;

  constructor(deps: CatalogDeps) {
    this.#deps = deps;
    this.#heads = deps.documents.kind('dataset');
  }

  /** By name. */
  list(page: PageRequest): Promise<Page<Dataset>> {
    return this.#heads.list(undefined, { by: 'name', direction: 'asc' }, page);
  }

  /** @throws NOT_FOUND */
  async get(dataset: string): Promise<Dataset> {
    const head = await this.#heads.find(dataset, headId);
    if (head) return head;
    throw new AppError('NOT_FOUND', `There is no dataset "${dataset}".`, { dataset });
  }

  async findLatestVersion(dataset: string): Promise<number | undefined> {
    return (await this.#heads.find(dataset, headId))?.latestVersion;
  }

  /** @throws NOT_FOUND when there is no such dataset, or it has no version */
  async getLatestVersion(dataset: string): Promise<number> {
    const { latestVersion } = await this.get(dataset);
    if (latestVersion !== undefined) return latestVersion;
    throw new AppError('NOT_FOUND', `The dataset "${dataset}" has no version yet.`, { dataset });
  }

  /** Creates the dataset, without a version, unless it exists. */
  async declare(dataset: string): Promise<void> {
    const { documents, clock } = this.#deps;
    await documents.retry(dataset, async () => {
      if (await this.#heads.find(dataset, headId)) return;
      await this.#heads.create(dataset, headId, { name: dataset, updatedAt: clock.now() });
    });
  }
}

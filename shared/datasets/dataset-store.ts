import { AppError } from '../core/errors.ts';
import { metadataContainers } from '../names.ts';
import type { MetadataStore } from '../storage/documents.ts';
import { type Pace, retryConflicts } from '../storage/optimistic.ts';
import { type Page, type PageRequest, toBody, toPage, type Wrapped } from '../storage/page.ts';
import { type Dataset, type DatasetVersion, hashSource, type Rejection } from './entities.ts';

const container = metadataContainers.datasets;

/**
 * Which versions a dataset has. One partition per dataset: the head, a document per version, and one per source
 * blob, so that a commit is one atomic batch and a source is committed once.
 */
export class DatasetStore {
  readonly #store: MetadataStore;
  readonly #pace: Pace;

  constructor(store: MetadataStore, pace: Pace) {
    this.#store = store;
    this.#pace = pace;
  }

  /**
   * Makes the next version. The same source again, or the bytes that the newest version already has, give the
   * version that is there.
   */
  commit(candidate: Omit<DatasetVersion, 'version' | 'createdAt'>): Promise<DatasetVersion> {
    const { dataset } = candidate;
    const sourceId = `source-${hashSource(candidate.source)}`;
    return retryConflicts(`the dataset "${dataset}"`, this.#pace, async () => {
      const known = await this.#get<'version', number>(dataset, sourceId);
      if (known) return this.getVersion(dataset, known.body.version);
      const head = await this.#get<'dataset', Dataset>(dataset, 'head');
      const latest = head && (await this.getVersion(dataset, head.body.dataset.latestVersion));
      if (latest?.sha256 === candidate.sha256) return latest;
      const createdAt = this.#pace.clock.now();
      const version: DatasetVersion = {
        ...candidate,
        version: latest ? latest.version + 1 : 0,
        createdAt,
      };
      const body = toBody({
        kind: 'dataset',
        dataset: { name: dataset, latestVersion: version.version, updatedAt: createdAt },
      });
      await this.#store.batch(container, dataset, [
        head ? { kind: 'replace', id: 'head', body, etag: head.etag } : { kind: 'create', id: 'head', body },
        { kind: 'create', id: versionId(version.version), body: toBody({ kind: 'version', version }) },
        { kind: 'create', id: sourceId, body: { kind: 'source', version: version.version } },
      ]);
      return version;
    });
  }

  /** @throws NOT_FOUND */
  async getDataset(name: string): Promise<Dataset> {
    const head = await this.#get<'dataset', Dataset>(name, 'head');
    if (head) return head.body.dataset;
    throw new AppError('NOT_FOUND', `There is no dataset "${name}".`, { dataset: name });
  }

  async findLatestVersion(name: string): Promise<number | undefined> {
    return (await this.#get<'dataset', Dataset>(name, 'head'))?.body.dataset.latestVersion;
  }

  /** @throws NOT_FOUND */
  async getVersion(dataset: string, version: number): Promise<DatasetVersion> {
    const stored = await this.#get<'version', DatasetVersion>(dataset, versionId(version));
    if (stored) return stored.body.version;
    throw new AppError('NOT_FOUND', `The dataset "${dataset}" has no version ${version}.`, {
      dataset,
      version,
    });
  }

  async listDatasets(page: PageRequest): Promise<Page<Dataset>> {
    const found = await this.#store.list<Wrapped<'dataset', Dataset>>({
      container,
      filter: { op: 'eq', path: ['kind'], value: 'dataset' },
      sort: { path: ['dataset', 'name'], direction: 'asc' },
      ...page,
    });
    return toPage(found, (body) => body.dataset);
  }

  /** Newest first. */
  async listVersions(dataset: string, page: PageRequest): Promise<Page<DatasetVersion>> {
    const found = await this.#store.list<Wrapped<'version', DatasetVersion>>({
      container,
      partition: dataset,
      filter: { op: 'eq', path: ['kind'], value: 'version' },
      sort: { path: ['version', 'version'], direction: 'desc' },
      ...page,
    });
    return toPage(found, (body) => body.version);
  }

  async putRejection(rejection: Rejection): Promise<void> {
    const id = `rejection-${hashSource(rejection.source)}`;
    await this.#store.upsert(
      { container, partition: rejection.dataset, id },
      toBody({ kind: 'rejection', rejection }),
    );
  }

  /** Newest first. */
  async listRejections(dataset: string, page: PageRequest): Promise<Page<Rejection>> {
    const found = await this.#store.list<Wrapped<'rejection', Rejection>>({
      container,
      partition: dataset,
      filter: { op: 'eq', path: ['kind'], value: 'rejection' },
      sort: { path: ['rejection', 'rejectedAt'], direction: 'desc' },
      ...page,
    });
    return toPage(found, (body) => body.rejection);
  }

  #get<Key extends string, T>(partition: string, id: string) {
    return this.#store.get<Wrapped<Key, T>>({ container, partition, id });
  }
}

function versionId(version: number): string {
  return `version-${String(version).padStart(20, '0')}`;
}

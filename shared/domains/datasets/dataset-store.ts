import { AppError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { AuditedWriter } from '../../platform/audit/audited-writer.ts';
import { metadataContainers } from '../../core/names.ts';
import type { BatchOperation, MetadataStore } from '../../platform/storage/documents.ts';
import { type Pace, retryConflicts } from '../../platform/storage/optimistic.ts';
import {
  eachItem,
  type Page,
  type PageRequest,
  toBody,
  toPage,
  type Wrapped,
} from '../../platform/storage/page.ts';
import { type Dataset, type DatasetVersion, hashSource, type Rejection } from './entities.ts';
import type { QuarantineEntry } from './quarantine/quarantine-entry.ts';
import type { Column } from './schema/column.ts';
import { type DatasetSettings, defaultSettings } from './catalog/settings.ts';

const container = metadataContainers.datasets;

/** A name that leads to a version, and stays where it was put. */
export interface VersionTag {
  readonly name: string;
  readonly version: number;
  readonly by: string;
  readonly at: number;
}

/** Keeps a version from removal. */
export interface VersionPin {
  readonly pinId: string;
  readonly version: number;
  readonly reason: string;
  readonly by: string;
  readonly at: number;
}

/**
 * What is asked about datasets often: their versions, as the Delta log has them (which is the truth), and what the
 * log does not know: settings, tags, pins, refused files, quarantined rows. One partition per dataset.
 */
export class DatasetStore {
  readonly #store: MetadataStore;
  readonly #writer: Pick<AuditedWriter, 'commit'>;
  readonly #pace: Pace;

  constructor(store: MetadataStore, writer: Pick<AuditedWriter, 'commit'>, pace: Pace) {
    this.#store = store;
    this.#writer = writer;
    this.#pace = pace;
  }

  /**
   * Takes a version over from the log; one that is known already is left alone. Versions come in their order.
   *
   * @param columns kept beside the version, where nothing is indexed
   */
  async record(version: DatasetVersion, columns: readonly Column[]): Promise<void> {
    const { dataset } = version;
    await retryConflicts(`the dataset "${dataset}"`, this.#pace, async () => {
      const head = await this.#get<'dataset', Dataset>(dataset, 'head');
      const latest = head?.body.dataset.latestVersion ?? -1;
      if (latest >= version.version) return;
      const next: Dataset = {
        ...head?.body.dataset,
        name: dataset,
        latestVersion: version.version,
        rows: version.rows,
        sizeBytes: version.sizeBytes,
        updatedAt: version.createdAt,
      };
      const body = toBody({ ...head?.body, kind: 'dataset', dataset: next });
      const { operation, rows, sha256, lineage } = version;
      const operations: BatchOperation[] = [
        head ? { kind: 'replace', id: 'head', body, etag: head.etag } : { kind: 'create', id: 'head', body },
        {
          kind: 'upsert',
          id: versionId(version.version),
          body: toBody({ kind: 'version', version, detail: { columns } }),
        },
      ];
      await this.#writer.commit(container, dataset, operations, [
        {
          by: lineage.by ?? 'platform',
          action: 'dataset.version.created',
          subject: { kind: 'dataset', dataset },
          before: null,
          after: { version: version.version, operation, rows, sha256, runId: lineage.runId ?? null },
        },
      ]);
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
  async getVersion(
    dataset: string,
    version: number,
  ): Promise<DatasetVersion & { readonly columns: readonly Column[] }> {
    const stored = await this.#store.get<VersionBody>({
      container,
      partition: dataset,
      id: versionId(version),
    });
    if (stored) return { ...stored.body.version, columns: stored.body.detail.columns };
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

  /** Newest first, without columns. */
  listVersions(dataset: string, page: PageRequest): Promise<Page<DatasetVersion>> {
    return this.#list<'version', DatasetVersion>(dataset, 'version', ['version', 'version'], page);
  }

  async getSettings(dataset: string): Promise<DatasetSettings> {
    const stored = await this.#get<'settings', DatasetSettings>(dataset, 'settings');
    return stored?.body.settings ?? defaultSettings;
  }

  /** Declares a dataset, or changes what was declared. */
  async putSettings(dataset: string, settings: DatasetSettings, by: string): Promise<void> {
    await retryConflicts(`the dataset "${dataset}"`, this.#pace, async () => {
      const head = await this.#get<'dataset', Dataset>(dataset, 'head');
      if (!head) {
        const fresh: Dataset = { name: dataset, updatedAt: this.#pace.clock.now() };
        const body = toBody({ kind: 'dataset', dataset: fresh });
        await this.#store.batch(container, dataset, [{ kind: 'create', id: 'head', body }]);
      }
      await this.#change(dataset, 'settings', { kind: 'settings', settings }, 'dataset.settings.changed', by);
    });
  }

  /** Puts a tag on a version, or moves it there. */
  async putTag(dataset: string, tag: VersionTag): Promise<void> {
    await this.#change(dataset, `tag-${tag.name}`, { kind: 'tag', tag }, 'dataset.tag.set', tag.by);
  }

  async findTag(dataset: string, name: string): Promise<VersionTag | undefined> {
    return (await this.#get<'tag', VersionTag>(dataset, `tag-${name}`))?.body.tag;
  }

  /** @throws NOT_FOUND */
  deleteTag(dataset: string, name: string, by: string): Promise<void> {
    return this.#change(dataset, `tag-${name}`, undefined, 'dataset.tag.deleted', by);
  }

  listTags(dataset: string, page: PageRequest): Promise<Page<VersionTag>> {
    return this.#list<'tag', VersionTag>(dataset, 'tag', ['tag', 'name'], page, 'asc');
  }

  async putPin(dataset: string, pin: VersionPin): Promise<void> {
    await this.#change(dataset, `pin-${pin.pinId}`, { kind: 'pin', pin }, 'dataset.version.pinned', pin.by);
  }

  /** @throws NOT_FOUND */
  deletePin(dataset: string, pinId: string, by: string): Promise<void> {
    return this.#change(dataset, `pin-${pinId}`, undefined, 'dataset.version.unpinned', by);
  }

  listPins(dataset: string, page: PageRequest): Promise<Page<VersionPin>> {
    return this.#list<'pin', VersionPin>(dataset, 'pin', ['pin', 'at'], page);
  }

  /** Every tag and pin, by version. */
  async readMarks(
    dataset: string,
  ): Promise<{ readonly tags: readonly VersionTag[]; readonly pins: readonly VersionPin[] }> {
    return {
      tags: await Array.fromAsync(eachItem((page) => this.listTags(dataset, page))),
      pins: await Array.fromAsync(eachItem((page) => this.listPins(dataset, page))),
    };
  }

  async putRejection(rejection: Rejection): Promise<void> {
    const id = `rejection-${hashSource(rejection.source)}`;
    await this.#put(rejection.dataset, id, { kind: 'rejection', rejection });
  }

  /** Newest first. */
  listRejections(dataset: string, page: PageRequest): Promise<Page<Rejection>> {
    return this.#list<'rejection', Rejection>(dataset, 'rejection', ['rejection', 'rejectedAt'], page);
  }

  /** Tells of quarantined rows; told again, it changes nothing. */
  async recordQuarantine(entry: QuarantineEntry): Promise<void> {
    const known = await this.#get(entry.dataset, `quarantine-${entry.quarantineId}`);
    if (!known) await this.putQuarantine(entry);
  }

  async putQuarantine(entry: QuarantineEntry): Promise<void> {
    await this.#put(entry.dataset, `quarantine-${entry.quarantineId}`, {
      kind: 'quarantine',
      quarantine: entry,
    });
  }

  /** @throws NOT_FOUND */
  async getQuarantine(dataset: string, quarantineId: string): Promise<QuarantineEntry> {
    const stored = await this.#get<'quarantine', QuarantineEntry>(dataset, `quarantine-${quarantineId}`);
    if (stored) return stored.body.quarantine;
    throw new AppError('NOT_FOUND', `The dataset "${dataset}" has no quarantined file "${quarantineId}".`, {
      dataset,
      quarantineId,
    });
  }

  /** Newest first. */
  listQuarantine(dataset: string, page: PageRequest): Promise<Page<QuarantineEntry>> {
    const newest = ['quarantine', 'quarantinedAt'] as const;
    return this.#list<'quarantine', QuarantineEntry>(dataset, 'quarantine', newest, page);
  }

  async #list<Key extends string, T>(
    dataset: string,
    kind: NoInfer<Key>,
    path: readonly [string, ...string[]],
    page: PageRequest,
    direction: 'asc' | 'desc' = 'desc',
  ): Promise<Page<T>> {
    const found = await this.#store.list<Wrapped<Key, T>>({
      container,
      partition: dataset,
      filter: { op: 'eq', path: ['kind'], value: kind },
      sort: { path, direction },
      ...page,
    });
    return toPage(found, (body) => body[kind]);
  }

  /**
   * Writes what somebody wants, with the event that tells of it.
   *
   * @param body undefined: it is to go
   * @throws NOT_FOUND for something that is to go and is not there
   */
  async #change(
    dataset: string,
    id: string,
    body: object | undefined,
    action: string,
    by: string,
  ): Promise<void> {
    await retryConflicts(`the dataset "${dataset}"`, this.#pace, async () => {
      const stored = await this.#store.get<JsonObject>({ container, partition: dataset, id });
      if (!stored && !body)
        throw new AppError('NOT_FOUND', `The dataset "${dataset}" has no such mark.`, { dataset, id });
      const operation: BatchOperation | undefined =
        stored && body
          ? { kind: 'replace', id, body: toBody(body), etag: stored.etag }
          : body
            ? { kind: 'create', id, body: toBody(body) }
            : stored && { kind: 'delete', id, etag: stored.etag };
      if (!operation) return;
      await this.#writer.commit(
        container,
        dataset,
        [operation],
        [
          {
            by,
            action,
            subject: { kind: 'dataset', dataset },
            before: stored?.body ?? null,
            after: body ? toBody(body) : null,
          },
        ],
      );
    });
  }

  async #put(partition: string, id: string, body: object): Promise<void> {
    await this.#store.upsert({ container, partition, id }, toBody(body));
  }

  #get<Key extends string, T>(partition: string, id: string) {
    return this.#store.get<Wrapped<Key, T>>({ container, partition, id });
  }
}

type VersionBody = JsonObject & {
  readonly version: DatasetVersion;
  readonly detail: { readonly columns: readonly Column[] };
};

function versionId(version: number): string {
  return `version-${String(version).padStart(20, '0')}`;
}

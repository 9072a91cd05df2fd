import { AppError } from '../../../core/errors.ts';
import { metadataContainers } from '../../../core/names/resources.ts';
import type { AuditedWriter } from '../../../platform/audit/audited-writer.ts';
import type { AuditEntry } from '../../../platform/audit/event.ts';
import type { BatchOperation, MetadataStore, StoredDocument } from '../../../platform/storage/documents.ts';
import { retryConflicts, type RetryDeps } from '../../../platform/storage/optimistic.ts';
import {
  eachItem,
  type Page,
  type PageRequest,
  toBody,
  toPage,
  type Wrapped,
} from '../../../platform/storage/page.ts';

const container = metadataContainers.datasets;

export interface DatasetDocumentsDeps extends RetryDeps {
  readonly store: Pick<MetadataStore, 'get' | 'list' | 'upsert' | 'batch'>;
  readonly audited: Pick<AuditedWriter, 'commit'>;
}

/** Who changes a document, and what the audit log calls it. */
export interface Change {
  readonly by: string;
  readonly action: string;
}

/** The documents about datasets, one partition per dataset. */
export class DatasetDocuments {
  readonly #deps: DatasetDocumentsDeps;

  constructor(deps: DatasetDocumentsDeps) {
    this.#deps = deps;
  }

  /** @param name the value of `kind`, and the member that holds the entity */
  kind<T extends object>(name: string): DocumentKind<T> {
    return new DocumentKind(this, this.#deps.store, name);
  }

  read<Key extends string, T>(
    dataset: string,
    id: string,
  ): Promise<StoredDocument<Wrapped<Key, T>> | undefined> {
    return this.#deps.store.get<Wrapped<Key, T>>({ container, partition: dataset, id });
  }

  /** One batch with its audit events. */
  async commit(
    dataset: string,
    operations: readonly BatchOperation[],
    entries: readonly Omit<AuditEntry, 'subject'>[],
  ): Promise<void> {
    const subject = { kind: 'dataset', dataset } as const;
    await this.#deps.audited.commit(
      container,
      dataset,
      operations,
      entries.map((entry) => ({ ...entry, subject })),
    );
  }

  /** Repeats a read and a write until no other writer comes between them. @throws RATE_LIMITED */
  retry<T>(dataset: string, attempt: () => Promise<T>): Promise<T> {
    return retryConflicts(`the dataset "${dataset}"`, this.#deps, attempt);
  }
}

/** The member of an entity that a listing is ordered by. */
export interface ListOrder {
  readonly by: string;
  readonly direction: 'asc' | 'desc';
}

/** The documents of one kind: `{kind: 'tag', tag: {…}}`. */
export class DocumentKind<T extends object> {
  readonly #documents: DatasetDocuments;
  readonly #store: DatasetDocumentsDeps['store'];
  readonly #name: string;

  constructor(documents: DatasetDocuments, store: DatasetDocumentsDeps['store'], name: string) {
    this.#documents = documents;
    this.#store = store;
    this.#name = name;
  }

  async find(dataset: string, id: string): Promise<T | undefined> {
    return (await this.#documents.read<string, T>(dataset, id))?.body[this.#name];
  }

  /** @param dataset undefined: of all datasets */
  async list(dataset: string | undefined, { by, direction }: ListOrder, page: PageRequest): Promise<Page<T>> {
    const found = await this.#store.list<Wrapped<string, T>>({
      container,
      ...(dataset === undefined ? {} : { partition: dataset }),
      filter: { op: 'compare', test: 'eq', path: ['kind'], value: this.#name },
      sort: { path: [this.#name, by], direction },
      ...page,
    });
    return toPage(found, (body) => body[this.#name] as T);
  }

  listAll(dataset: string, order: ListOrder): Promise<readonly T[]> {
    return Array.fromAsync(eachItem((page) => this.list(dataset, order, page)));
  }

  /** Creates or replaces without an audit event. */
  async put(dataset: string, id: string, entity: T): Promise<void> {
    await this.#store.upsert({ container, partition: dataset, id }, this.#wrap(entity));
  }

  /** Creates a document unless it exists, without an audit event. */
  async create(dataset: string, id: string, entity: T): Promise<void> {
    await this.#store.batch(container, dataset, [{ kind: 'create', id, body: this.#wrap(entity) }]);
  }

  /** Creates or replaces, with an audit event. */
  async set(dataset: string, id: string, entity: T, change: Change): Promise<void> {
    const body = this.#wrap(entity);
    await this.#documents.retry(dataset, async () => {
      const stored = await this.#documents.read<string, T>(dataset, id);
      const operation: BatchOperation = stored
        ? { kind: 'replace', id, body, etag: stored.etag }
        : { kind: 'create', id, body };
      const entry = { ...change, before: stored?.body ?? null, after: body };
      await this.#documents.commit(dataset, [operation], [entry]);
    });
  }

  /** Deletes, with an audit event. @throws NOT_FOUND with `missing` as its message */
  async delete(dataset: string, id: string, missing: string, change: Change): Promise<void> {
    await this.#documents.retry(dataset, async () => {
      const stored = await this.#documents.read<string, T>(dataset, id);
      if (!stored) throw new AppError('NOT_FOUND', missing, { dataset, id });
      const entry = { ...change, before: stored.body, after: null };
      await this.#documents.commit(dataset, [{ kind: 'delete', id, etag: stored.etag }], [entry]);
    });
  }

  #wrap(entity: T) {
    return toBody({ kind: this.#name, [this.#name]: entity });
  }
}

import { AppError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json/json.ts';
import { type Page, type PageRequest, toBody } from '../../../platform/storage/page.ts';
import { headId } from '../catalog/catalog.ts';
import type { DatasetDocuments, DocumentKind } from '../catalog/dataset-documents.ts';
import type { Dataset, DatasetVersion } from '../entities.ts';
import type { Column } from '../schema/column.ts';

/** A version with its columns. */
export type RecordedVersion = DatasetVersion & { readonly columns: readonly Column[] };

/** Documents about the versions in the Delta log. The log is the source of truth; these serve lookups and listings. */
export class VersionRecords {
  readonly #documents: DatasetDocuments;
  readonly #versions: DocumentKind<DatasetVersion>;

  constructor(documents: DatasetDocuments) {
    this.#documents = documents;
    this.#versions = documents.kind('version');
  }

  /**
   * Records a version of the log, and makes it the dataset's latest. Does nothing when that version or a later one is
   * recorded. The caller records versions in order.
   *
   * @param columns stored outside of the indexed entity
   */
  async record(version: DatasetVersion, columns: readonly Column[]): Promise<void> {
    const { dataset } = version;
    await this.#documents.retry(dataset, async () => {
      const head = await this.#documents.read<'dataset', Dataset>(dataset, headId);
      if ((head?.body.dataset.latestVersion ?? -1) >= version.version) return;
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
      await this.#documents.commit(
        dataset,
        [
          head
            ? { kind: 'replace', id: headId, body, etag: head.etag }
            : { kind: 'create', id: headId, body },
          {
            kind: 'upsert',
            id: recordId(version.version),
            body: toBody({ kind: 'version', version, detail: { columns } }),
          },
        ],
        [
          {
            by: lineage.by ?? 'platform',
            action: 'dataset.version.created',
            before: null,
            after: { version: version.version, operation, rows, sha256, runId: lineage.runId ?? null },
          },
        ],
      );
    });
  }

  /** @throws NOT_FOUND */
  async get(dataset: string, version: number): Promise<RecordedVersion> {
    const stored = await this.#documents.read<'version', DatasetVersion>(dataset, recordId(version));
    if (stored) return { ...stored.body.version, columns: columnsOf(stored.body) };
    throw new AppError('NOT_FOUND', `The dataset "${dataset}" has no version ${version}.`, {
      dataset,
      version,
    });
  }

  /** Newest first, without columns. */
  list(dataset: string, page: PageRequest): Promise<Page<DatasetVersion>> {
    return this.#versions.list(dataset, { by: 'version', direction: 'desc' }, page);
  }
}

function recordId(version: number): string {
  return `version-${String(version).padStart(20, '0')}`;
}

function columnsOf(body: JsonObject): readonly Column[] {
  return (body as { readonly detail: { readonly columns: readonly Column[] } }).detail.columns;
}

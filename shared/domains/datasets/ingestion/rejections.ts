import type { Page, PageRequest } from '../../../platform/storage/page.ts';
import type { DatasetDocuments, DocumentKind } from '../catalog/dataset-documents.ts';
import { hashSource, type Rejection } from '../entities.ts';

/** The files that ingestion rejected. */
export class Rejections {
  readonly #rejections: DocumentKind<Rejection>;

  constructor(documents: DatasetDocuments) {
    this.#rejections = documents.kind('rejection');
  }

  /** A later rejection of the same content replaces the earlier one. */
  async record(rejection: Rejection): Promise<void> {
    await this.#rejections.put(rejection.dataset, `rejection-${hashSource(rejection.source)}`, rejection);
  }

  /** Newest first. */
  list(dataset: string, page: PageRequest): Promise<Page<Rejection>> {
    return this.#rejections.list(dataset, { by: 'rejectedAt', direction: 'desc' }, page);
  }
}

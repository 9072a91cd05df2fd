import { AppError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { Filter, MetadataStore, StoredDocument } from '../storage/documents.ts';
import type { OrderTerm, SearchSubject } from './subject.ts';

export interface SearchRequest {
  readonly container: string;
  /** Left out: every partition. */
  readonly partition?: string;
  /** Which documents at all: their kind, their lifecycle stage, their experiments. */
  readonly scope: Filter;
  readonly subject: SearchSubject;
  readonly filter?: string;
  /** `metrics.acc DESC`, or a term whose field is known already. */
  readonly orderBy?: readonly (string | OrderTerm)[];
  /** 1 or more; a page of more than some thousand documents may be cut short and carry a token. */
  readonly limit: number;
  readonly pageToken?: string;
}

export interface SearchPage<T extends JsonObject = JsonObject> {
  readonly documents: readonly StoredDocument<T>[];
  /** There may be more. A page can be short, or even empty, and still carry one. */
  readonly pageToken?: string;
}

/**
 * One page of the documents that a filter selects, in an order of any number of fields.
 *
 * @throws INVALID_ARGUMENT for a filter, an order or a token that is not right, naming the place and the remedy
 */
export async function searchDocuments<T extends JsonObject>(
  store: MetadataStore,
  request: SearchRequest,
): Promise<SearchPage<T>> {
  void store;
  throw new AppError('INTERNAL', 'Search is not there yet.', { what: request.subject.what });
}

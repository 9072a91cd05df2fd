import type { JsonObject, JsonValue } from '../../core/json/json.ts';
import type { Filter, MetadataStore, StoredDocument } from '../storage/documents.ts';
import { evaluateFilter } from './evaluate.ts';
import { searchErrors } from './errors.ts';
import { readOrderedPage } from './ordered-pages.ts';
import { openPageToken, sealPageToken } from './page-token.ts';
import { parseFilter } from './parse-filter.ts';
import { parseOrder } from './parse-order.ts';
import { allOf, pushDown } from './push-down.ts';
import { type FieldNames, type OrderTerm, type SearchSubject, withNames } from './subject.ts';

/** What a caller searches for. */
export interface Search {
  readonly filter?: string | undefined;
  /** `metrics.acc DESC`, or a term whose field is already resolved. */
  readonly orderBy?: readonly (string | OrderTerm)[] | undefined;
  /** At least 1. */
  readonly limit: number;
  readonly pageToken?: string | undefined;
  /** The caller's names for attributes; default: the subject's own. */
  readonly names?: FieldNames | undefined;
}

/** A search, and where to search. */
export interface SearchRequest extends Search {
  readonly container: string;
  /** Default: all partitions. */
  readonly partition?: string;
  /** Restricts documents before the filter: kind, lifecycle stage, experiments. */
  readonly scope: Filter;
  readonly subject: SearchSubject;
}

export interface SearchPage<T extends JsonObject = JsonObject> {
  readonly documents: readonly StoredDocument<T>[];
  /** Present while there may be more: pages can be short, or even empty. */
  readonly pageToken?: string;
}

/** A page of a domain's objects. */
export interface Found<T> {
  readonly items: readonly T[];
  readonly pageToken?: string;
}

export function toFound<Body extends JsonObject, T>(
  { documents, pageToken }: SearchPage<Body>,
  pick: (body: Body) => T,
): Found<T> {
  const items = documents.map(({ body }) => pick(body));
  return pageToken === undefined ? { items } : { items, pageToken };
}

/** Upper bound of a page, which is held in memory. */
const pageDocuments = 5_000;

/**
 * Reads one page of the documents that a filter selects, sorted by any number of fields. The store evaluates what its
 * indexes can answer; the rest is checked page by page.
 *
 * @throws INVALID_ARGUMENT for an invalid filter, order, limit or token, with the position where there is one
 */
export async function searchDocuments<T extends JsonObject>(
  store: MetadataStore,
  request: SearchRequest,
): Promise<SearchPage<T>> {
  const { container, partition, scope, filter = '', orderBy = [], pageToken, names = {} } = request;
  const subject = withNames(request.subject, names);
  const expression = parseFilter(filter, subject);
  const pushed = expression === undefined ? undefined : pushDown(expression);
  const terms = parseOrder(orderBy, subject);
  if (!Number.isInteger(request.limit) || request.limit < 1) throw searchErrors.limitInvalid();
  const identity = {
    container,
    partition: partition ?? null,
    what: subject.what,
    scope: scope as JsonValue,
    filter,
    terms: terms.map(({ field, direction }) => [field.path, direction]),
  } satisfies JsonObject;
  const page = await readOrderedPage<T>(
    store,
    {
      container,
      ...(partition === undefined ? {} : { partition }),
      filter: pushed === undefined ? scope : allOf([scope, pushed.filter]),
      terms,
      isWanted: (body) =>
        expression === undefined || pushed?.isExact === true || evaluateFilter(expression, body) === true,
    },
    pageToken === undefined ? {} : openPageToken(identity, terms.length, pageToken),
    Math.min(request.limit, pageDocuments),
  );
  const { documents, resume } = page;
  return resume === undefined ? { documents } : { documents, pageToken: sealPageToken(identity, resume) };
}

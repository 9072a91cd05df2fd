import type { JsonObject, JsonValue } from '../../core/json.ts';
import type { Filter, MetadataStore, StoredDocument } from '../storage/documents.ts';
import { evaluate } from './evaluate.ts';
import { refuse } from './expression.ts';
import { readOrderedPage } from './ordered-pages.ts';
import { decodeToken, encodeToken } from './page-token.ts';
import { parseFilter } from './parse-filter.ts';
import { parseOrder } from './parse-order.ts';
import { allOf, pushDown } from './push-down.ts';
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
  /** 1 or more. */
  readonly limit: number;
  readonly pageToken?: string;
}

export interface SearchPage<T extends JsonObject = JsonObject> {
  readonly documents: readonly StoredDocument<T>[];
  /** There may be more. A page can be short, or even empty, and still carry one. */
  readonly pageToken?: string;
}

/** A page of what was searched, as its domain has it. */
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

/** More than this is several pages, whatever was asked for: a page is held in memory. */
const pageDocuments = 5_000;

/**
 * One page of the documents that a filter selects, in an order of any number of fields. What the store can answer of
 * the filter, it answers from its indexes; the rest is checked page by page.
 *
 * @throws INVALID_ARGUMENT for a filter, an order or a token that is not right, naming the place and the remedy
 */
export async function searchDocuments<T extends JsonObject>(
  store: MetadataStore,
  request: SearchRequest,
): Promise<SearchPage<T>> {
  const { container, partition, scope, subject, filter = '', orderBy = [], pageToken } = request;
  const expression = parseFilter(filter, subject);
  const pushed = expression === undefined ? undefined : pushDown(expression);
  const terms = parseOrder(orderBy, subject);
  if (!Number.isInteger(request.limit) || request.limit < 1)
    throw refuse('The number of results must be a whole number from 1.');
  const identity = {
    container,
    partition: partition ?? null,
    what: subject.what,
    scope: scope as unknown as JsonValue,
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
        expression === undefined || pushed?.isExact === true || evaluate(expression, body) === true,
    },
    pageToken === undefined ? {} : decodeToken(identity, terms.length, pageToken),
    Math.min(request.limit, pageDocuments),
  );
  const { documents, resume } = page;
  return resume === undefined ? { documents } : { documents, pageToken: encodeToken(identity, resume) };
}

import type { JsonObject } from '../../core/json/json.ts';
import type { DocumentPage, DocumentQuery, MetadataStore, StoredDocument } from './documents.ts';

/** The position and size of a page to list. */
export interface PageRequest {
  readonly cursor?: string;
  readonly limit: number;
}

/** One page of a listing. The last page has no cursor. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly cursor?: string;
}

/** A stored body whose single member names its kind. */
export type Wrapped<Key extends string, T> = { readonly [K in Key]: T } & JsonObject;

export function toPage<Body extends JsonObject, T>(
  page: DocumentPage<Body>,
  pick: (body: Body) => T,
): Page<T> {
  const items = page.documents.map((document) => pick(document.body));
  return page.cursor === undefined ? { items } : { items, cursor: page.cursor };
}

/** Casts a domain entity to JSON: interfaces lack the index signature. */
export function toBody(value: object): JsonObject {
  return value as JsonObject;
}

/** Iterates over a listing, page by page. */
export async function* eachItem<T>(
  list: (page: PageRequest) => Promise<Page<T>>,
  limit = 100,
): AsyncGenerator<T> {
  let cursor: string | undefined;
  do {
    const page: Page<T> = await list(cursor === undefined ? { limit } : { limit, cursor });
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** Iterates over the documents of a query; `limit` is the page size. Leaving the loop stops reading. */
export function eachDocument<T extends JsonObject>(
  store: Pick<MetadataStore, 'list'>,
  query: Omit<DocumentQuery, 'cursor'>,
): AsyncGenerator<StoredDocument<T>> {
  return eachItem(async (page) => {
    const { documents, cursor } = await store.list<T>({ ...query, ...page });
    return cursor === undefined ? { items: documents } : { items: documents, cursor };
  }, query.limit);
}

import type { JsonObject } from '../../core/json.ts';
import type { DocumentPage, DocumentQuery, MetadataStore, StoredDocument } from './documents.ts';

/** What a caller asks of a listing. */
export interface PageRequest {
  readonly cursor?: string;
  readonly limit: number;
}

/** One page of a listing; without a cursor it is the last. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly cursor?: string;
}

/** A stored body under the one name that tells its kind. */
export type Wrapped<Key extends string, T> = { readonly [K in Key]: T } & JsonObject;

export function toPage<Body extends JsonObject, T>(
  page: DocumentPage<Body>,
  pick: (body: Body) => T,
): Page<T> {
  const items = page.documents.map((document) => pick(document.body));
  return page.cursor === undefined ? { items } : { items, cursor: page.cursor };
}

/** Domain entities are plain JSON by construction; their interfaces lack the index signature that says so. */
export function toBody(value: object): JsonObject {
  return value as JsonObject;
}

/** Walks a listing to its end, a page at a time. */
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

/** Walks the documents of a query to their end; `limit` is that of each page. Whoever leaves the loop reads no further. */
export function eachDocument<T extends JsonObject>(
  store: Pick<MetadataStore, 'list'>,
  query: Omit<DocumentQuery, 'cursor'>,
): AsyncGenerator<StoredDocument<T>> {
  return eachItem(async (page) => {
    const { documents, cursor } = await store.list<T>({ ...query, ...page });
    return cursor === undefined ? { items: documents } : { items: documents, cursor };
  }, query.limit);
}

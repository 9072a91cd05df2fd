import type { Container, FeedOptions, SqlQuerySpec } from '@azure/cosmos';
import { z } from 'zod';
import { cursorErrors } from '../../../core/cursor.ts';
import { isAppError } from '../../../core/errors.ts';
import type { JsonObject, JsonValue } from '../../../core/json/json.ts';
import { openDocumentCursor } from '../../../platform/storage/document-cursor.ts';
import type { DocumentQuery, Scalar, Sort } from '../../../platform/storage/documents.ts';
import { translateCosmosError } from './errors.ts';
import { fieldSql, filterSql, SqlValues } from './filter-sql.ts';
import type { StoredItem } from './items.ts';

export interface ItemPage {
  readonly items: readonly StoredItem[];
  /** Where the next page begins; absent on the last page. */
  readonly end?: JsonValue;
}

export interface QueryContext {
  readonly container: Container;
  readonly signal: AbortSignal;
  readonly onCharge: (requestUnits: number) => void;
}

/** Part of cursors, so that those of other stores are rejected. */
export const cosmosAdapter = 'cosmos';

/** A page ends at this size, however few documents it has. */
const pageBytes = 8_000_000;
/** Documents per request. */
const requestItems = 250;

/**
 * Reads a page of one partition in one request, with the service's continuation token, which stays valid as long as the
 * partition exists. The condition on `pk` repeats the header for emulators that ignore it.
 *
 * @throws INVALID_ARGUMENT for a cursor of another query or one that the service rejects
 */
export async function readPartitionPage(
  context: QueryContext,
  query: DocumentQuery,
  partition: string,
): Promise<ItemPage> {
  const token = openDocumentCursor(cosmosAdapter, query, z.string());
  const values = new SqlValues();
  const conditions = [`c.pk = ${values.add(partition)}`];
  if (query.filter !== undefined) conditions.push(filterSql(query.filter, values));
  if (query.sort !== undefined) conditions.push(isSortable(query.sort));
  const order = query.sort === undefined ? '' : ` ORDER BY ${orderBy(query.sort)}`;
  const iterator = context.container.items.query<StoredItem>(
    values.toQuery(`SELECT * FROM c WHERE ${conditions.join(' AND ')}${order}`),
    {
      partitionKey: partition,
      maxItemCount: query.limit,
      abortSignal: context.signal,
      ...(token === undefined ? {} : { continuationToken: token }),
    },
  );
  try {
    const response = await iterator.fetchNext();
    context.onCharge(response.requestCharge);
    const items = response.resources ?? [];
    return response.continuationToken ? { items, end: response.continuationToken } : { items };
  } catch (error) {
    const translated = translateCosmosError(error);
    const isOurs = token !== undefined && isAppError(translated, 'INTERNAL');
    throw isOurs && (error as { readonly code?: unknown }).code === 400
      ? cursorErrors.cursorInvalid()
      : translated;
  }
}

/**
 * Reads a page across partitions by keyset: from the last document's sort value, then its key among equal values. The
 * SDK's continuation tokens cannot merge sort fields of several types. Ordering by two columns would need a composite
 * index for every sortable field, so a page that ends amid equal values reads those again in the order of their keys.
 */
export async function readPageAcross(context: QueryContext, query: DocumentQuery): Promise<ItemPage> {
  if (query.sort === undefined) return readByKey(context, query);
  return readSorted(context, query, query.sort);
}

async function readByKey(context: QueryContext, query: DocumentQuery): Promise<ItemPage> {
  const key = openDocumentCursor(cosmosAdapter, query, z.string()) ?? '';
  const found = await fetchKeyed(context, query, [], new SqlValues(), key, query.limit);
  return found.more ? { items: found.items, end: keyOf(found.items.at(-1)!) } : { items: found.items };
}

/**
 * Where a sorted page begins: at a type, after a value of it, or after a key among the documents of that value. Each
 * type is a separate query, because the SDK cannot merge several.
 */
type SortedStart =
  | { readonly at: 'type'; readonly type: SortType }
  | { readonly at: 'value'; readonly type: SortType; readonly value: Scalar }
  | { readonly at: 'key'; readonly type: SortType; readonly value: Scalar; readonly key: string };

const sortTypes = ['IS_BOOL', 'IS_NUMBER', 'IS_STRING'] as const;
type SortType = (typeof sortTypes)[number];

async function readSorted(context: QueryContext, query: DocumentQuery, sort: Sort): Promise<ItemPage> {
  const types = sort.direction === 'asc' ? sortTypes : sortTypes.toReversed();
  const items: StoredItem[] = [];
  const after = openDocumentCursor(cosmosAdapter, query, startSchema);
  let start: SortedStart | undefined = after === undefined ? { at: 'type', type: types[0] } : toStart(after);
  while (start !== undefined && items.length < query.limit) {
    const wanted = query.limit - items.length;
    if (start.at === 'key') {
      const found: Fetched = await fetchTies(context, query, sort, start, wanted);
      items.push(...found.items);
      start = found.more
        ? { ...start, key: keyOf(found.items.at(-1)!) }
        : { at: 'value', type: start.type, value: start.value };
      if (found.more) break;
    } else {
      const found: Ordered = await fetchOrdered(context, query, sort, start, wanted);
      items.push(...found.items);
      start = found.next ?? toType(types[types.indexOf(start.type) + 1]);
      if (found.full) break;
    }
  }
  return start === undefined ? { items } : { items, end: formatStart(start) };
}

function toType(type: SortType | undefined): SortedStart | undefined {
  return type === undefined ? undefined : { at: 'type', type };
}

/** Reads the documents with one sort value, by key. */
function fetchTies(
  context: QueryContext,
  query: DocumentQuery,
  sort: Sort,
  start: SortedStart & { readonly at: 'key' },
  wanted: number,
): Promise<Fetched> {
  const values = new SqlValues();
  const field = fieldSql(sort.path);
  const tie = `${start.type}(${field}) AND ${field} = ${values.add(start.value)}`;
  return fetchKeyed(context, query, [tie], values, start.key, wanted);
}

function fetchKeyed(
  context: QueryContext,
  query: DocumentQuery,
  conditions: readonly string[],
  values: SqlValues,
  afterKey: string,
  wanted: number,
): Promise<Fetched> {
  const all = [...conditions, `c._key > ${values.add(afterKey)}`];
  if (query.filter !== undefined) all.push(filterSql(query.filter, values));
  const sql = `SELECT * FROM c WHERE ${all.join(' AND ')} ORDER BY c._key ASC`;
  return fetchAcross(context, values.toQuery(sql), wanted);
}

/** Reads the documents of one type, by value. Leaves a last value with more documents than fit to `fetchTies`. */
async function fetchOrdered(
  context: QueryContext,
  query: DocumentQuery,
  sort: Sort,
  start: SortedStart,
  wanted: number,
): Promise<Ordered> {
  const values = new SqlValues();
  const field = fieldSql(sort.path);
  const conditions = [`${start.type}(${field})`];
  if (start.at !== 'type')
    conditions.push(`${field} ${sort.direction === 'asc' ? '>' : '<'} ${values.add(start.value)}`);
  if (query.filter !== undefined) conditions.push(filterSql(query.filter, values));
  const sql = `SELECT * FROM c WHERE ${conditions.join(' AND ')} ORDER BY ${orderBy(sort)}`;
  const { items, more } = await fetchAcross(context, values.toQuery(sql), wanted);
  if (more === undefined) return { items, full: false };
  const { type } = start;
  const value = sortValue(items.at(-1)!, sort);
  if (value !== sortValue(more, sort)) return { items, next: { at: 'value', type, value }, full: true };
  const whole = items.filter((item) => sortValue(item, sort) !== value);
  return { items: whole, next: { at: 'key', type, value, key: '' }, full: false };
}

interface Ordered {
  readonly items: readonly StoredItem[];
  /** Where to continue, within the type. */
  readonly next?: SortedStart;
  /** The page ends here. */
  readonly full: boolean;
}

interface Fetched {
  readonly items: readonly StoredItem[];
  /** The first document that did not fit. */
  readonly more?: StoredItem;
}

/** Reads up to `wanted` documents, fewer when they are large, and the one after. */
async function fetchAcross(context: QueryContext, sql: SqlQuerySpec, wanted: number): Promise<Fetched> {
  const options: FeedOptions = {
    maxItemCount: Math.min(wanted + 1, requestItems),
    forceQueryPlan: true,
    abortSignal: context.signal,
  };
  const iterator = context.container.items.query<StoredItem>(sql, options);
  const found: StoredItem[] = [];
  let sizeBytes = 0;
  try {
    do {
      const response = await iterator.fetchNext();
      context.onCharge(response.requestCharge);
      for (const item of response.resources ?? []) {
        found.push(item);
        sizeBytes += JSON.stringify(item).length;
      }
    } while (
      iterator.hasMoreResults() &&
      found.length <= wanted &&
      (sizeBytes < pageBytes || found.length < 2)
    );
  } catch (error) {
    throw translateCosmosError(error);
  }
  const taken = Math.min(wanted, iterator.hasMoreResults() ? found.length - 1 : found.length);
  const more = found[taken];
  return { items: found.slice(0, taken), ...(more === undefined ? {} : { more }) };
}

function orderBy(sort: Sort): string {
  return `${fieldSql(sort.path)} ${sort.direction === 'asc' ? 'ASC' : 'DESC'}`;
}

function isSortable(sort: Sort): string {
  const field = fieldSql(sort.path);
  return `(${sortTypes.map((isType) => `${isType}(${field})`).join(' OR ')})`;
}

function sortValue(item: StoredItem, sort: Sort): Scalar {
  let value: JsonValue | undefined = item;
  for (const name of sort.path) value = (value as JsonObject)[name];
  return value as Scalar;
}

function keyOf(item: StoredItem): string {
  return item['_key'] as string;
}

function formatStart(start: SortedStart): JsonValue {
  if (start.at === 'type') return [start.type];
  return start.at === 'value' ? [start.type, start.value] : [start.type, start.value, start.key];
}

const valueSchemas = { IS_BOOL: z.boolean(), IS_NUMBER: z.number(), IS_STRING: z.string() } as const;
const startSchema = z.union(
  sortTypes.flatMap((type) => [
    z.tuple([z.literal(type)]),
    z.tuple([z.literal(type), valueSchemas[type]]),
    z.tuple([z.literal(type), valueSchemas[type], z.string()]),
  ]),
);

function toStart([type, value, key]: z.infer<typeof startSchema>): SortedStart {
  if (value === undefined) return { at: 'type', type };
  return key === undefined ? { at: 'value', type, value } : { at: 'key', type, value, key };
}

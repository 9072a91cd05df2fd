import type { JsonObject } from '../../core/json.ts';

/**
 * Metadata: small JSON documents, each in a container, under a partition key and an id that is unique in its
 * partition. Adapters: Cosmos DB in Azure, SQLite everywhere else; both obey the same rules (Cosmos's):
 *
 * - a document's JSON is at most 2 MB; ids are 1–255 characters without `/ \ ? #`, not `.` or `..` (which URLs
 *   resolve away) and without a space at the end; partitions 1–1,000 characters;
 * - ETags and cursors are opaque; a page can be short, or even empty, and still carry a cursor: the service decides,
 *   or the page has cost or weighs enough (some megabytes), however many documents `limit` allows;
 * - a body may not use the top-level names `id`, `pk`, `ttl` or any that starts with `_`: they belong to the store.
 *
 * Errors, on every adapter: INVALID_ARGUMENT (a rule above broken, or a cursor that is not this query's),
 * ALREADY_EXISTS, NOT_FOUND, PRECONDITION_FAILED (the ETag is stale), RATE_LIMITED with `details.retryAfterMs`,
 * UNAVAILABLE and TIMEOUT (an outage never reads as "missing"), INSUFFICIENT_STORAGE (the disk is full). A container
 * that was never declared is an outage on Cosmos DB, and empty on SQLite, which declares none.
 */
export interface MetadataStore {
  /** @returns undefined when there is no such document. */
  get<T extends JsonObject>(key: DocumentKey): Promise<StoredDocument<T> | undefined>;
  /** @throws ALREADY_EXISTS */
  create<T extends JsonObject>(key: DocumentKey, body: T, options?: WriteOptions): Promise<StoredDocument<T>>;
  /** @throws NOT_FOUND, PRECONDITION_FAILED */
  replace<T extends JsonObject>(
    key: DocumentKey,
    body: T,
    etag: string,
    options?: WriteOptions,
  ): Promise<StoredDocument<T>>;
  upsert<T extends JsonObject>(key: DocumentKey, body: T, options?: WriteOptions): Promise<StoredDocument<T>>;
  /** @throws NOT_FOUND; PRECONDITION_FAILED when an ETag is given and stale */
  delete(key: DocumentKey, etag?: string): Promise<void>;
  /**
   * All or nothing, 1–100 operations, one container and partition, at most 2 MB together.
   * @returns the new ETag of each operation (undefined for a delete), in order.
   * @throws the error of the first operation that failed, with `details.operation` as its index.
   */
  batch(
    container: string,
    partition: string,
    operations: readonly BatchOperation[],
  ): Promise<readonly (string | undefined)[]>;
  /** One page. Answered from indexes: the cost follows the page, not the container. */
  list<T extends JsonObject>(query: DocumentQuery): Promise<DocumentPage<T>>;
  /** Cheap proof of life for health checks. @throws UNAVAILABLE */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface DocumentKey {
  readonly container: string;
  readonly partition: string;
  readonly id: string;
}

export interface StoredDocument<T extends JsonObject = JsonObject> extends DocumentKey {
  readonly etag: string;
  readonly body: T;
}

export interface WriteOptions {
  /** The document disappears by itself this many seconds after its last write. */
  readonly ttlSeconds?: number;
}

export type BatchOperation =
  | { readonly kind: 'create'; readonly id: string; readonly body: JsonObject; readonly ttlSeconds?: number }
  | { readonly kind: 'upsert'; readonly id: string; readonly body: JsonObject; readonly ttlSeconds?: number }
  | {
      readonly kind: 'replace';
      readonly id: string;
      readonly body: JsonObject;
      readonly etag: string;
      readonly ttlSeconds?: number;
    }
  | { readonly kind: 'delete'; readonly id: string; readonly etag?: string };

/** A path into the body: `['metrics', 'auc']`. Members only, no array elements. */
export type FieldPath = readonly [string, ...string[]];
export type Scalar = string | number | boolean;

/**
 * A condition over a body, with three truth values as in SQL: comparing a missing or null field, or a field of
 * another type than the value, is *unknown*; `not` of unknown is unknown; only *true* selects a document.
 * So the test `ne` never selects a document without the field; combine it with `exists` to include those.
 * Strings compare by code point and case-sensitively. false < true.
 */
export type Filter =
  | { readonly op: 'and' | 'or'; readonly filters: readonly Filter[] }
  | { readonly op: 'not'; readonly filter: Filter }
  | ExistsFilter
  | ValueFilter;

/** True when the field is present and not null, false otherwise; never unknown. */
export interface ExistsFilter {
  readonly op: 'exists';
  readonly path: FieldPath;
}

/** Tests the value of one field; unknown where the field is missing. */
export type ValueFilter = CompareFilter | InFilter | MatchFilter;

export interface CompareFilter {
  readonly op: 'compare';
  readonly test: ComparisonTest;
  readonly path: FieldPath;
  readonly value: Scalar;
}

export type ComparisonTest = 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte';

/** Equal to any of the values. */
export interface InFilter {
  readonly op: 'in';
  readonly path: FieldPath;
  readonly values: readonly Scalar[];
}

export interface MatchFilter {
  readonly op: 'match';
  readonly how: 'startsWith' | 'endsWith' | 'contains';
  readonly path: FieldPath;
  readonly value: string;
  /** Ignores the case of A–Z on every adapter; other letters as the adapter folds them. */
  readonly ignoreCase?: true;
}

/**
 * Documents without the field (or with null, an array or an object there) are left out; booleans come before numbers,
 * numbers before strings. Ties keep one stable order. SQLite's index keeps the first 1,024 code points of a string:
 * strings that differ only after those are ties to it. (Filters compare to the end.) Nothing under the top-level
 * members `points` and `detail` can be sorted by: they are not indexed.
 */
export interface Sort {
  readonly path: FieldPath;
  readonly direction: 'asc' | 'desc';
}

export interface DocumentQuery {
  readonly container: string;
  /** Left out: every partition (dearer on Cosmos). */
  readonly partition?: string;
  readonly filter?: Filter;
  readonly sort?: Sort;
  readonly cursor?: string;
  /** 1–1,000. */
  readonly limit: number;
}

export interface DocumentPage<T extends JsonObject = JsonObject> {
  readonly documents: readonly StoredDocument<T>[];
  readonly cursor?: string;
}

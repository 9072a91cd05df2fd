import type { JsonObject } from '../../core/json/json.ts';

/**
 * Metadata: small JSON documents, each in a container, under a partition key and an id that is unique within its
 * partition. Adapters: Cosmos DB in Azure, SQLite elsewhere. Both enforce Cosmos's rules:
 *
 * - A document's JSON has at most 2 MB. Ids have 1–255 characters without `/ \ ? #` or a trailing space, and are not
 *   `.` or `..`, which URLs resolve. Partitions have 1–1,000 characters.
 * - ETags and cursors are opaque. A page can be short or empty and still have a cursor: the service decides, or the
 *   page has reached a limit on its cost or size.
 * - The top-level names `id`, `pk`, `ttl` and those that start with `_` are reserved for the store.
 *
 * Errors: INVALID_ARGUMENT (a broken rule, or the cursor of another query), ALREADY_EXISTS, NOT_FOUND,
 * PRECONDITION_FAILED (stale ETag), RATE_LIMITED with `details.retryAfterMs`, UNAVAILABLE and TIMEOUT (an outage never
 * reads as "missing"), INSUFFICIENT_STORAGE. An undeclared container is an outage on Cosmos DB, and empty on SQLite.
 */
export interface MetadataStore {
  /** @returns undefined for a missing document */
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
  /** @throws NOT_FOUND; PRECONDITION_FAILED for a stale ETag */
  delete(key: DocumentKey, etag?: string): Promise<void>;
  /**
   * Runs 1–100 operations in one partition atomically, at most 2 MB together.
   *
   * @returns the new ETag of each operation (undefined for a delete), in order
   * @throws the error of the first failed operation, with its index as `details.operation`
   */
  batch(
    container: string,
    partition: string,
    operations: readonly BatchOperation[],
  ): Promise<readonly (string | undefined)[]>;
  /** Reads one page from indexes: the cost depends on the page, not on the container. */
  list<T extends JsonObject>(query: DocumentQuery): Promise<DocumentPage<T>>;
  /** A cheap request for health checks. @throws UNAVAILABLE */
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
  /** The document expires this many seconds after its last write. */
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
 * Skips documents without the field, or with null, an array or an object there. Orders booleans before numbers before
 * strings; ties have a stable order. SQLite's index keeps 1,024 code points of a string: strings that differ only after
 * those are ties. (Filters compare whole strings.) The top-level members `points` and `detail` are not indexed, so
 * nothing under them can be sorted by.
 */
export interface Sort {
  readonly path: FieldPath;
  readonly direction: 'asc' | 'desc';
}

export interface DocumentQuery {
  readonly container: string;
  /** Default: every partition, which costs more on Cosmos. */
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
